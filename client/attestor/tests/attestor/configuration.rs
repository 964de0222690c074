//! The configuration and the command.

use std::{os::unix::fs::PermissionsExt, process::Command};

use stipend_attestor::{Config, EngineKind};

use crate::world::write_config;

fn faults(path: &std::path::Path) -> Vec<String> {
    Config::load(path).err().unwrap().0
}

#[test]
fn a_good_configuration_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = write_config(dir.path(), "127.0.0.1:8000".parse().unwrap(), "[limits]\nrequests_max = 5");
    let config = Config::load(&path).unwrap();
    assert_eq!(config.engine.authority.as_str(), "127.0.0.1:8000");
    assert_eq!((config.limits.requests_max, config.limits.connections_max), (5, 10_000));
    assert_eq!(config.data_dir, dir.path().join("data"), "paths are relative to the file");
}

#[test]
fn all_faults_are_named_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("attestor.toml");
    std::fs::write(dir.path().join("empty"), " \n").unwrap();
    let text = r#"
        listen = "somewhere"
        provider = "5nonsense"
        key_file = "missing.key"
        genesis_hash = "0x12"
        [engine]
        url = "https://engine/v1"
        token_file = "empty"
        [[gateway]]
        token_file = "empty"
        [[model]]
        name = ""
        id = 1
        [limits]
        leaves_max = 5
    "#;
    std::fs::write(&path, text).unwrap();
    let faults = faults(&path);
    for wanted in [
        "limits.leaves_max",
        "listen is `somewhere`",
        "provider is",
        "missing.key",
        "data_dir is missing",
        "genesis_hash is",
        "engine.url is",
        "engine.token_file",
        "gateway 0: account is missing",
        "gateway 0: token_file",
        "model 0: name",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(wanted)), "{wanted} in {faults:#?}");
    }
    assert_eq!(faults.len(), 11, "{faults:#?}");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = write_config(dir.path(), "127.0.0.1:8000".parse().unwrap(), "");
    let key = dir.path().join("attestor.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let faults = faults(&path);
    assert!(faults[0].contains("chmod 600"), "{faults:?}");
    assert!(!faults[0].contains("0505"), "a fault does not show the key");
}

#[test]
fn unknown_keys_and_repeated_models_are_faults() {
    let dir = tempfile::tempdir().unwrap();
    let engine = "127.0.0.1:8000".parse().unwrap();
    assert!(faults(&write_config(dir.path(), engine, "[limits]\nrequest_max = 1"))[0].contains("request_max"));
    let twice = "[[model]]\nname = \"other\"\nid = 4";
    assert!(faults(&write_config(dir.path(), engine, twice))[0].contains("twice"));
}

#[test]
fn the_command_exits_with_64_on_a_bad_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("attestor.toml");
    std::fs::write(&path, "listen = 3").unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_stipend-attestor")).arg("--config").arg(&path).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the configuration cannot be used"));
    assert!(output.stdout.is_empty());
}

#[test]
fn an_engines_kind_is_one_that_is_known_or_found_out() {
    let dir = tempfile::tempdir().unwrap();
    let load = |kind: &str| {
        let path = write_config(dir.path(), "127.0.0.1:8000".parse().unwrap(), "");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("[engine]", &format!("[engine]\n{kind}"))).unwrap();
        Config::load(&path).map(|config| config.engine.kind)
    };
    assert_eq!(load("").unwrap(), None);
    for kind in
        [EngineKind::Vllm, EngineKind::Tgi, EngineKind::Triton, EngineKind::LlamaCpp, EngineKind::OpenAi]
    {
        assert_eq!(load(&format!("kind = \"{}\"", kind.name())).unwrap(), Some(kind));
    }
    assert!(load("kind = \"ollama\"").err().unwrap().0[0].contains("llama.cpp"));
}
