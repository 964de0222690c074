#![allow(clippy::unwrap_used)]

use clap::{CommandFactory, FromArgMatches};

use super::*;
use crate::args::Arguments;

const FILE: &str = "/home/ada/.config/stipend/config.toml";

fn read(text: &str) -> Result<Profiles, Failure> {
    Profiles::read(Path::new(FILE), text)
}

fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

#[test]
fn a_profile_holds_addresses_and_paths_with_their_lines() {
    let profiles = read(
        "default = \"hr\"\n\n[profile.hr]\nurl = \"ws://node:9944\"\nkey = \"hr.key\"\ndirectory = \"/srv/people\"\n\n[profile.test]\n",
    )
    .unwrap();
    let hr = profiles.get("hr").unwrap();
    let expected = [
        ("url", "ws://node:9944", 4),
        ("key", "/home/ada/.config/stipend/hr.key", 5),
        ("directory", "/srv/people", 6),
    ];
    let found: Vec<_> = hr.iter().map(|it| (it.name, it.value.as_str(), it.line)).collect();
    assert_eq!(found, expected);
    assert_eq!(profiles.default.as_deref(), Some("hr"));
    assert!(profiles.get("test").unwrap().is_empty());
    let unknown = profiles.get("prod").unwrap_err().to_string();
    assert!(unknown.contains("hr, test"), "{unknown}");
}

#[test]
fn what_does_not_belong_into_the_file_is_named_with_its_line_and_not_repeated() {
    for (text, line, words) in [
        ("[profile.hr]\nurl = \"ws://n\"\npassphrase = \"open sesame\"\n", 3, "unknown field `passphrase`"),
        ("profiles = 1\n", 1, "unknown field `profiles`"),
        ("[profile.hr]\n\nkey = 7\n", 3, "invalid type"),
        ("[profile.hr]\nkey = \"open sesame\nurl\n", 3, ""),
        ("[profile.hr]\nurl = \" \"\n", 2, "`url` is empty"),
        ("default = \"hr\"\n", 1, "\"hr\", which is not there"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(
            error.contains(&format!("{FILE}, line {line}: ")) && error.contains(words),
            "{text}\n{error}"
        );
        assert!(!error.contains("sesame"), "{error}");
    }
}

#[test]
fn a_key_in_the_place_of_its_files_name_is_refused_and_not_repeated() {
    for key in ["ab".repeat(32), format!("0x{}", "CD".repeat(32))] {
        let error = read(&format!("[profile.hr]\nkey = \"{key}\"\n")).unwrap_err().to_string();
        assert!(error.contains("line 2") && error.contains("holds a key"), "{error}");
        assert!(!error.contains(&key), "{error}");
    }
}

#[test]
fn the_profile_is_named_by_the_command_line_wherever_it_stands_there() {
    for (line, name) in [
        ("stipend --profile hr wallet show", Some("hr")),
        ("stipend wallet show --profile=hr", Some("hr")),
        ("stipend wallet show", None),
        ("stipend wallet show -- --profile hr", None),
        ("stipend wallet show --profiles", None),
    ] {
        assert_eq!(named(&words(line)).as_deref(), name, "{line}");
    }
}

#[test]
fn a_flag_beats_the_profile_and_the_profile_beats_what_is_built_in() {
    let settings = |pairs: &[(&'static str, &str)]| -> Vec<Setting> {
        pairs.iter().map(|(name, value)| Setting { name, value: value.to_string(), line: 1 }).collect()
    };
    let parse = |line: &str, settings: &[Setting]| {
        let command = apply(Arguments::command(), settings);
        let matches = command.try_get_matches_from(words(line)).unwrap();
        Arguments::from_arg_matches(&matches).unwrap().options
    };
    let profile = settings(&[("url", "ws://profile:1"), ("key", "/k"), ("directory", "/d")]);
    let options = parse("stipend wallet show", &profile);
    assert_eq!(options.url, "ws://profile:1");
    assert_eq!(options.key, Some("/k".into()));
    assert_eq!(options.directory, Some("/d".into()));
    assert_eq!(parse("stipend wallet show --url ws://flag:2", &profile).url, "ws://flag:2");
    assert_eq!(parse("stipend wallet show", &[]).url, "ws://127.0.0.1:9944");
}

#[test]
fn every_setting_is_the_default_of_an_option() {
    for (name, _, _) in SETTINGS {
        let value = if name == "chain" { "ab".repeat(32) } else { "http://x".into() };
        let command = apply(Arguments::command(), &[Setting { name, value, line: 1 }]);
        for line in [
            "stipend wallet show",
            "stipend wallet sign-in http://w",
            "stipend receipts fetch 00 --gateway http://g --out o",
            "stipend statement --year 2026",
        ] {
            if let Err(error) = command.clone().try_get_matches_from(words(line)) {
                panic!("{name}, {line}: {error}");
            }
        }
        let needs_it = match name {
            "wallet_service" => "stipend wallet sign-in",
            "gateway" => "stipend receipts fetch 00 --out o",
            _ => continue,
        };
        command.try_get_matches_from(words(needs_it)).unwrap();
    }
}
