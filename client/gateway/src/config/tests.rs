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
