#![allow(clippy::unwrap_used)]

use super::*;
use std::os::unix::fs::PermissionsExt;

fn profiles(settings: &[(&'static str, &str)]) -> Profiles {
    let setting = |(at, (name, value)): (usize, &(&'static str, &str))| Setting {
        name,
        value: value.to_string(),
        line: at + 2,
    };
    let settings = settings.iter().enumerate().map(setting).collect();
    Profiles { file: Some("/c.toml".into()), default: None, all: [("hr".into(), settings)].into() }
}

#[test]
fn the_environment_is_shown_to_beat_the_profile() {
    let profiles = profiles(&[("url", "ws://profile"), ("gateway", "http://g")]);
    let variable = |name: &str| (name == "STIPEND_RPC_URL").then(|| "ws://variable".to_owned());
    let settings = show(&profiles, "hr", variable).unwrap().json["settings"].clone();
    let of = |name: &str| {
        let found = settings.as_array().unwrap().iter().find(|it| it["setting"] == name).unwrap();
        (found["value"].as_str().unwrap().to_owned(), found["from"].as_str().unwrap().to_owned())
    };
    assert_eq!(of("url"), ("ws://variable".into(), "STIPEND_RPC_URL".into()));
    assert_eq!(of("gateway"), ("http://g".into(), "profile hr, line 3".into()));
    assert_eq!(of("key"), ("-".into(), "not set".into()));
}

#[test]
fn a_check_names_every_fault_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let open = folder.path().join("open.key");
    std::fs::write(&open, format!("{:064x}\n", 7)).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    let profiles = profiles(&[
        ("url", "http://node"),
        ("chain", "0x12"),
        ("key", open.to_str().unwrap()),
        ("directory", "/nowhere/people"),
        ("passphrase_file", "/nowhere/secret"),
        ("gateway", "https://"),
    ]);
    let error = check(&profiles, None).err().unwrap();
    assert_eq!(crate::failure::exit_code(&error), crate::failure::BAD_INPUT);
    let error = error.to_string();
    for words in [
        "line 2, url of profile hr: \"http://node\" is no address",
        "line 3, chain",
        "line 4, key of profile hr: the key file",
        "chmod 600",
        "line 5, directory of profile hr: cannot read /nowhere/people",
        "line 6, passphrase_file",
        "line 7, gateway",
    ] {
        assert!(error.contains(words), "{words}\n{error}");
    }
}

#[test]
fn a_profile_that_can_be_used_has_no_findings() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("hr.key");
    Signer::generate().save(&key).unwrap();
    let profiles = profiles(&[("url", "wss://node"), ("key", key.to_str().unwrap())]);
    assert_eq!(check(&profiles, Some("hr")).unwrap().json["findings"], json!([]));
    assert!(check(&profiles, Some("other")).is_err());
    let listed = list(&profiles, &Some("hr".into())).unwrap().json;
    assert_eq!(
        (listed["profiles"][0]["name"].clone(), listed["profiles"][0]["in_force"].clone()),
        (json!("hr"), json!(true))
    );
}
