#![allow(clippy::unwrap_used)]

use std::{os::unix::fs::PermissionsExt, path::Path};

use super::{read::parse, *};

const PROVIDER: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, format!("{}\n", "ab".repeat(32))).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(folder.path().join("token"), "secret\n").unwrap();
    std::fs::write(folder.path().join("empty"), " \n").unwrap();
    folder
}

fn good() -> String {
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
    std::fs::write(folder.path().join("ca.pem"), include_bytes!("../tests/tls/ca.pem")).unwrap();
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
