#![allow(clippy::unwrap_used)]

use std::{os::unix::fs::PermissionsExt, path::Path};

use super::{read::parse, *};

const PROVIDER: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

pub(super) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, format!("{}\n", "ab".repeat(32))).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(folder.path().join("token"), "secret\n").unwrap();
    std::fs::write(folder.path().join("empty"), " \n").unwrap();
    folder
}

pub(super) fn good() -> String {
    format!(
        r#"
        listen = "127.0.0.1:0"
        chain = "ws://127.0.0.1:9944"
        key_file = "key"
        data_dir = "data"

        [reservations]
        target_credits = 100
        low_water_credits = 20

        [[upstream]]
        provider = "{PROVIDER}"
        url = "http://127.0.0.1:8000"
        token_file = "token"
        models = ["m"]
        "#
    )
}

fn faults(text: &str, folder: &Path) -> Vec<String> {
    parse(text, folder).err().expect("the configuration was accepted").0
}

#[test]
fn a_good_file_is_read_and_the_rest_has_defaults() {
    let folder = folder();
    let config = parse(&good(), folder.path()).ok().unwrap();
    assert_eq!(config.reservations.target, 100_000_000);
    assert_eq!(config.data_dir, folder.path().join("data"));
    assert_eq!(config.batch.interval, Duration::from_secs(1));
    assert_eq!(config.limits.body_bytes_max, 8 << 20);
    let upstream = &config.upstreams[0];
    assert_eq!(upstream.authority.as_str(), "127.0.0.1:8000");
    assert_eq!(upstream.token.as_bytes(), b"Bearer secret");
    assert!(upstream.token.is_sensitive());
}

#[test]
fn all_faults_are_named_at_once() {
    let folder = folder();
    let text = r#"
        listen = "here"
        chain = "http://127.0.0.1:9944"
        key_file = "nowhere"
        surprise = 1

        [batch]
        interval_ms = "soon"
        receipts_max = 0

        [limits]
        body_bytes_max = -1

        [[upstream]]
        provider = "bob"
        url = "http://127.0.0.1:8000/v1"
        token_file = "empty"
        models = []
    "#;
    let faults = faults(text, folder.path());
    for named in [
        "`listen`",
        "`chain`",
        "`key_file`",
        "`data_dir`",
        "`surprise`",
        "`interval_ms`",
        "`receipts_max`",
        "`body_bytes_max`",
        "`provider`",
        "`url`",
        "`token_file`",
        "`models`",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(named)), "{named} is not named in {faults:#?}");
    }
    assert_eq!(faults.len(), 12);
}

#[test]
fn no_fault_shows_a_secret() {
    let folder = folder();
    std::fs::write(folder.path().join("key"), "hunter2").unwrap();
    std::fs::write(folder.path().join("token"), "hunter2\nhunter3").unwrap();
    let shown = faults(&good(), folder.path()).join("\n");
    assert!(!shown.contains("hunter"), "{shown}");
    assert!(shown.contains("key_file") && shown.contains("token_file"));
}

#[test]
fn what_fits_alone_but_not_together_is_a_fault() {
    let folder = folder();
    let upstream = good().split_once("[[upstream]]").unwrap().1.to_owned();
    let twice = format!("{}\n[[upstream]]{upstream}", good());
    assert!(faults(&twice, folder.path())[0].contains("stands in two"));
    let above = good().replace("low_water_credits = 20", "low_water_credits = 200");
    assert!(faults(&above, folder.path())[0].contains("`low_water_credits`"));
    let short = good().replace("target_credits = 100", "target_credits = 100\nlifetime_ms = 100000");
    assert!(faults(&short, folder.path())[0].contains("`lifetime_ms`"));
}

#[test]
fn what_is_no_toml_and_what_is_not_there_is_one_fault() {
    let folder = folder();
    assert_eq!(faults("listen = ", folder.path()).len(), 1);
    let error = Config::load(&folder.path().join("missing.toml")).err().unwrap();
    assert!(error.to_string().contains("missing.toml"));
}

#[test]
fn an_upstream_with_credentials_in_its_address_is_refused() {
    let folder = folder();
    let text = good().replace("http://127", "http://user:hunter2@127");
    let shown = faults(&text, folder.path()).join("\n");
    assert!(shown.contains("`url`") && !shown.contains("hunter2"));
}

#[test]
fn a_secret_comes_from_a_file_or_from_the_environment_and_not_from_both() {
    let folder = folder();
    // Cargo sets this one for every test.
    let from_environment = good().replace("token_file = \"token\"", "token_env = \"CARGO_PKG_NAME\"");
    let config = parse(&from_environment, folder.path()).ok().unwrap();
    assert_eq!(config.upstreams[0].token.as_bytes(), b"Bearer stipend-gateway");
    for (line, named) in [
        ("token_env = \"STIPEND_NO_SUCH_VARIABLE\"", "STIPEND_NO_SUCH_VARIABLE"),
        ("token_file = \"token\"\ntoken_env = \"CARGO_PKG_NAME\"", "write one of the two"),
        ("", "and so is `token_env`"),
    ] {
        let faults = faults(&good().replace("token_file = \"token\"", line), folder.path());
        assert!(faults.len() == 1 && faults[0].contains(named), "{faults:#?}");
    }
}

#[test]
fn how_an_upstream_is_treated_has_defaults_and_faults_of_its_own() {
    let folder = folder();
    let upstream = |line: &str| format!("{}{line}\n", good());
    let config = parse(&good(), folder.path()).ok().unwrap();
    let (upstream_config, breaker) = (&config.upstreams[0], &config.upstreams[0].breaker);
    assert!(upstream_config.ca.is_none() && upstream_config.concurrency_learned);
    assert_eq!(upstream_config.priorities, Priorities::Probe);
    assert_eq!((breaker.failures_max, breaker.pause), (5, Duration::from_secs(1)));
    let fixed = parse(&upstream("priorities = true"), folder.path()).ok().unwrap();
    assert_eq!(fixed.upstreams[0].priorities, Priorities::On);
    std::fs::write(folder.path().join("ca.pem"), include_bytes!("../../tests/data/tls/ca.pem")).unwrap();
    let trusting = parse(&upstream("ca_file = \"ca.pem\""), folder.path()).ok().unwrap();
    assert_eq!(trusting.upstreams[0].ca.as_ref().map(Vec::len), Some(1));
    for (line, named) in [
        ("priorities = \"maybe\"", "`priorities`"),
        ("breaker_ms = 5000\nbreaker_ms_max = 1000", "`breaker_ms_max`"),
        ("ca_file = \"token\"", "holds no certificate"),
        ("ca_file = \"nowhere.pem\"", "`ca_file`"),
    ] {
        let faults = faults(&upstream(line), folder.path());
        assert!(faults.len() == 1 && faults[0].contains(named), "{faults:#?}");
    }
}

#[test]
fn a_collector_is_off_without_its_table_and_all_its_faults_are_named_with_it() {
    let folder = folder();
    let with = |lines: &str| format!("{}\n[otlp]\n{lines}\n", good());
    let read = |lines: &str| parse(&with(lines), folder.path()).ok().unwrap().operate.otlp;
    assert_eq!(parse(&good(), folder.path()).ok().unwrap().operate.otlp, None);
    let full = read(
        "endpoint = \"https://collector:4318/otlp/\"\nsample_ratio = 0.25\ninterval_ms = 500\n\
         headers_env = { Authorization = \"CARGO_PKG_NAME\" }",
    );
    let full = full.unwrap();
    assert_eq!(full.endpoint, "https://collector:4318/otlp");
    assert_eq!((full.sample_ratio, full.interval), (0.25, Duration::from_millis(500)));
    assert_eq!(full.headers["authorization"], "stipend-gateway");
    assert!(!format!("{full:?}").contains("stipend-gateway"), "a secret can be printed");
    let least = read("endpoint = \"http://127.0.0.1:4318\"").unwrap();
    assert_eq!((least.sample_ratio, least.endpoint.as_str()), (1.0, "http://127.0.0.1:4318"));
    for (lines, named) in [
        ("sample_ratio = 0.5", "`endpoint`"),
        ("endpoint = \"grpc://collector:4317\"", "`endpoint`"),
        ("endpoint = \"http://user:hunter2@collector\"", "`endpoint`"),
        ("endpoint = \"http://c\"\nsample_ratio = 1.5", "`sample_ratio`"),
        ("endpoint = \"http://c\"\ninterval_ms = 0", "`interval_ms`"),
        ("endpoint = \"http://c\"\nca_file = \"nowhere.pem\"", "`ca_file`"),
        ("endpoint = \"http://c\"\ngrpc = true", "`grpc`"),
        ("endpoint = \"http://c\"\nheaders_env = { a = \"STIPEND_NO_SUCH_VARIABLE\" }", "`headers_env.a`"),
        ("endpoint = \"http://c\"\nheaders_env = { host = \"CARGO_PKG_NAME\" }", "`headers_env.host`"),
        ("endpoint = \"http://c\"\nheaders_env = { \"a b\" = \"CARGO_PKG_NAME\" }", "`headers_env.a b`"),
        ("endpoint = \"http://c\"\nheaders_env = { a = 1 }", "`headers_env.a`"),
    ] {
        let faults = faults(&with(lines), folder.path());
        assert!(faults.len() == 1 && faults[0].contains(named), "{lines}: {faults:#?}");
        assert!(!faults[0].contains("hunter2"));
    }
    let all = "endpoint = 1\nsample_ratio = \"some\"\ninterval_ms = -1\nheaders_env = 1";
    assert_eq!(faults(&with(all), folder.path()).len(), 4);
}

/// A `[jobs]` that is good.
fn jobs() -> String {
    format!(
        r#"{}
        [jobs]
        api_server = "https://kubernetes.default.svc"
        token_file = "token"
        ca_file = "ca.pem"
        namespace = "inference"
        queue = "batch"
        image = "stipend:1"
        gateway_url = "http://gateway.inference:8080"
        "#,
        good()
    )
}

fn folder_of_jobs() -> tempfile::TempDir {
    let folder = folder();
    std::fs::write(folder.path().join("ca.pem"), include_bytes!("../../tests/data/tls/ca.pem")).unwrap();
    folder
}

#[test]
fn batch_work_is_taken_only_where_it_is_configured_and_has_defaults_then() {
    let folder = folder_of_jobs();
    assert!(parse(&good(), folder.path()).ok().unwrap().jobs.is_none());
    let text = format!(
        "{}priority_class = \"overnight\"\n[jobs.priority_classes]\nReasoning = \"research\"\n[jobs.resources]\ncpu = \"1\"",
        jobs()
    );
    let config = parse(&text, folder.path()).ok().unwrap().jobs.unwrap();
    assert_eq!(config.command, ["stipend-gateway", "run-job", "--dir", "/work"]);
    assert_eq!(config.gateway_url, "http://gateway.inference:8080");
    assert_eq!((config.run_max, config.poll), (Duration::from_secs(900), Duration::from_secs(5)));
    assert_eq!(config.priority_class.as_deref(), Some("overnight"));
    assert_eq!(config.priority_classes["Reasoning"], "research");
    assert_eq!(config.resources.into_iter().collect::<Vec<_>>(), [("cpu".to_owned(), "1".to_owned())]);
    let config = parse(&jobs(), folder.path()).ok().unwrap().jobs.unwrap();
    assert_eq!((config.resources.len(), config.ca.map(|ca| ca.len())), (2, Some(1)));
}

#[test]
fn every_fault_of_batch_work_is_named() {
    let folder = folder_of_jobs();
    for (from, to, named) in [
        ("https://kubernetes", "http://kubernetes", "`api_server`"),
        (
            "token_file = \"token\"\n        ca_file",
            "token_file = \"empty\"\n        ca_file",
            "an empty secret is none",
        ),
        ("\"inference\"", "\"In Ference\"", "`namespace`"),
        ("\"batch\"", "\"-batch\"", "`queue`"),
        ("http://gateway.inference:8080", "http://gateway/v1", "`gateway_url`"),
        ("image = \"stipend:1\"", "", "`image` in [jobs]: is missing"),
        ("image =", "picture = \"x\"\nimage =", "`picture`"),
        ("image =", "gateway_ca_file = \"token\"\nimage =", "holds no certificate"),
        ("image =", "priority_classes = { Render = \"No Name\" }\nimage =", "`priority_classes`"),
        ("image =", "resources = { cpu = 1 }\nimage =", "`cpu` must be a text"),
        ("models = [\"m\"]", "models = [\"m\"]\nsigns = false", "`signs = false`"),
        ("[reservations]", "[receipts]\nkeep_max = 5\n[reservations]", "`keep_max` in [receipts]"),
    ] {
        let text = jobs().replace(from, to);
        assert_ne!(text, jobs(), "{from}");
        let faults = faults(&text, folder.path());
        assert!(faults.len() == 1 && faults[0].contains(named), "{named}: {faults:#?}");
    }
}
