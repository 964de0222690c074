#![allow(clippy::unwrap_used)]

use super::*;
use clap::Parser;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    init: Init,
}

fn init(flags: &[&str]) -> Init {
    Line::try_parse_from(["init", "acme"].iter().chain(flags)).unwrap_or_else(|error| panic!("{error}")).init
}

#[test]
fn what_the_flags_leave_out_is_asked_for() {
    let mut input = &b"Acme\nmunich=10.0.0.1\noslo=10.0.0.2\n\nada\nbo=//Bob\n\nhr\n\n\n"[..];
    let mut output = Vec::new();
    let plan = init(&[]).plan(Some(&mut Ask::new(&mut input, &mut output))).unwrap();
    assert_eq!((plan.name.as_str(), plan.hosts.len(), plan.council.len()), ("Acme", 2, 2));
    assert_eq!(plan.issuers.len(), 1);
    assert!(plan.check().is_ok());
}

#[test]
fn who_gives_all_flags_is_asked_nothing() {
    let (mut input, mut output) = (&b""[..], Vec::new());
    let flags = ["--name", "Acme", "--validator", "a=10.0.0.1", "--council", "ada"];
    let plan = init(&flags).plan(Some(&mut Ask::new(&mut input, &mut output))).unwrap();
    assert!(plan.issuers.is_empty() && output.is_empty());
}

#[test]
fn a_network_without_a_name_is_refused_where_nobody_can_be_asked() {
    assert!(init(&[]).plan(None).is_err());
}

#[test]
fn a_failure_leaves_nothing_behind_and_an_existing_folder_alone() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("acme");
    let mut wanted = init(&["--name", "Acme", "--validator", "a=10.0.0.1", "--council", "ada"]);
    wanted.folder = folder.clone();
    wanted.programs.node_program = Some("/nowhere/stipend-node".into());
    assert!(wanted.run(&Context::of_tests()).is_err());
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);

    fs::create_dir(&folder).unwrap();
    let mut again = init(&["--name", "Acme", "--validator", "a=10.0.0.1", "--council", "ada"]);
    again.folder = folder;
    assert!(again.run(&Context::of_tests()).err().unwrap().to_string().contains("exists already"));
}
