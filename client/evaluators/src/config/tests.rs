#![allow(clippy::unwrap_used)]

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::*;
use crate::forge::Kind;

const CANARY: &str = "canary-3f9a71c0";

fn secret(folder: &Path, name: &str, mode: u32) {
    fs::write(folder.join(name), format!("{CANARY}\n")).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
}

fn good() -> String {
    let gateway = "01".repeat(32);
    format!(
        "listen = \"127.0.0.1:9300\"\ndata_dir = \"data\"\ngenesis_hash = \"0x{gateway}\"\ngateways = [\"{gateway}\"]\n"
    )
}

#[test]
fn a_short_file_is_enough_and_has_the_documented_defaults() {
    let config = Config::parse(&good(), Path::new("/e")).unwrap();
    assert_eq!(config.data_dir, Path::new("/e/data"));
    assert_eq!((config.merge.weight, config.merge.hold_minutes), (100, 60));
    assert_eq!((config.junit.kind.as_str(), config.evals.kind.as_str()), ("better-tests", "better-evals"));
    assert!(config.judge.is_none() && config.forges.is_empty());
}

#[test]
fn a_whole_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    secret(folder.path(), "hook", 0o600);
    let text = good()
        + "[[forge]]\nname = \"github\"\nkind = \"github\"\nsecret_file = \"hook\"\nrepositories = [\"acme/app\"]\n\
           [judge]\nurl = \"https://gateway.example/v1\"\nkey_file = \"hook\"\nmodel = \"big\"\n[judge.rule]\nmarks_min = 8\n\
           [experiment]\nalpha = 0.01\n[merge]\nweight = 7\n";
    let config = Config::parse(&text, folder.path()).unwrap();
    assert_eq!(config.forges[0].kind, Kind::Github);
    assert_eq!(config.forges[0].secret.expose(), CANARY);
    assert_eq!(config.judge.unwrap().rule.marks_min, 8);
    assert_eq!((config.merge.weight, config.experiment.alpha), (7, 0.01));
}

#[test]
fn every_fault_is_named_at_once_and_none_shows_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    secret(folder.path(), "open", 0o644);
    fs::write(folder.path().join("empty"), " \n").unwrap();
    let text = "listen = \"nowhere\"\nchain = \"http://node\"\nkey_file = \"open\"\ngenesis_hash = \"0x12\"\ngateways = [\"5bad\"]\n\
        [[forge]]\nname = \"Git Hub\"\nsecret_file = \"open\"\nrepositories = [\"app\"]\n\
        [[forge]]\nname = \"b\"\nkind = \"gitlab\"\nsecret_file = \"empty\"\n\
        [judge]\nurl = \"https://user:pw@gateway/v1\"\n[judge.rule]\nmarks_min = 11\n\
        [merge]\nweight = 0\nkind = \"\"\n[junit]\nalpha = 0.9\n[evals]\ntests_min = 1\n[experiment]\nalpha = nan\n[limits]\nretry_ms = 0\n";
    let Faults(faults) = Config::parse(text, folder.path()).err().unwrap();
    for wanted in [
        "listen is `nowhere`",
        "data_dir is missing",
        "genesis_hash is",
        "chain is no WebSocket",
        "key_file: ",
        "gateway 0 is `5bad`",
        "forge 0: name is `Git Hub`",
        "forge 0: kind is missing",
        "chmod 600",
        "forge 0: `app` is no repository",
        "forge 1: secret_file",
        "forge 1: repositories is empty",
        "judge.url is not",
        "judge.key_file is missing",
        "judge.model is missing",
        "judge.rule.marks_min is 11",
        "merge.weight is 0",
        "merge.kind has",
        "junit.alpha is 0.9",
        "evals.tests_min is 1",
        "experiment.alpha is NaN",
        "limits.retry_ms is 0",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(wanted)), "{wanted} in {faults:#?}");
    }
    assert_eq!(faults.len(), 22, "{faults:#?}");
    assert!(!format!("{faults:?}").contains(CANARY) && !format!("{faults:?}").contains("user:pw"));
}

#[test]
fn chain_and_key_belong_together() {
    for (lines, missing) in
        [("chain = \"ws://n\"\n", "key_file is missing"), ("key_file = \"k\"\n", "chain is missing")]
    {
        let Faults(faults) = Config::parse(&(good() + lines), Path::new("/")).err().unwrap();
        assert!(faults.iter().any(|fault| fault == missing), "{faults:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    stipend_sdk::Signer::generate().save(folder.path().join("k")).unwrap();
    let text = good() + "chain = \"ws://node:9944\"\nkey_file = \"k\"\n";
    assert_eq!(Config::parse(&text, folder.path()).unwrap().chain.unwrap().url, "ws://node:9944");
}

#[test]
fn a_setting_that_does_not_exist_is_a_fault() {
    let Faults(faults) = Config::parse(&(good() + "lisen = 1\n"), Path::new("/")).err().unwrap();
    assert!(faults[0].contains("lisen"), "{faults:?}");
}
