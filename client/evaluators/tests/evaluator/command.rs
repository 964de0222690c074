//! The verbs that judge files.

use std::process::{Command, Output};

use serde_json::Value;

use crate::world::{receipt, wallet, World, A, B};

/// Runs the program; the arguments are apart by blanks.
pub fn evaluator(world: &World, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stipend-evaluator"))
        .current_dir(world.folder.path())
        .args(["--config", "evaluator.toml", "--json"])
        .args(arguments.split_whitespace())
        .output()
        .unwrap()
}

#[track_caller]
pub fn good(output: &Output) -> Value {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn bad(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn world() -> World {
    let world = World::new("");
    std::fs::write(world.path("a.receipt"), receipt(A, 1).bytes()).unwrap();
    std::fs::write(world.path("b.receipt"), receipt(B, 2).bytes()).unwrap();
    world
}

/// JUnit's XML with so many tests, of which so many pass.
fn junit(tests: usize, passing: usize) -> String {
    let case = |test: usize| {
        let failed = if test < passing { "" } else { "<failure message='no'/>" };
        format!("<testcase classname='suite' name='t{test}'>{failed}</testcase>")
    };
    format!("<testsuite>{}</testsuite>", (0..tests).map(case).collect::<String>())
}

fn evals(samples: usize, right: usize) -> String {
    let line = |sample: usize| {
        let correct = sample < right;
        format!(
            "{{\"sample_id\": \"s.{sample}\", \"type\": \"match\", \"data\": {{\"correct\": {correct}}}}}\n"
        )
    };
    (0..samples).map(line).collect::<String>() + "{\"final_report\": {\"accuracy\": 1.0}}\n"
}

#[test]
fn better_tests_earn_once_and_the_report_is_the_evidence() {
    let world = world();
    world.write("old.xml", &junit(100, 60));
    world.write("new.xml", &junit(100, 80));
    let verb = "junit --name parser --baseline old.xml --receipt a.receipt --receipt b.receipt new.xml";
    let told = good(&evaluator(&world, &format!("{verb} --dry-run")));
    assert_eq!((told["weight"].as_u64(), told["dry_run"].as_bool()), (Some(200), Some(true)));
    let told = good(&evaluator(&world, verb));
    assert_eq!((told["new"].as_bool(), told["outcomes"].as_array().unwrap().len()), (Some(true), 2));
    let first = &told["outcomes"][0];
    assert_eq!(
        (first["weight"].as_u64(), first["wallet"].as_str()),
        (Some(100), Some(&*wallet(1).to_string()))
    );
    let report = std::fs::read(world.path(first["report"].as_str().unwrap())).unwrap();
    use sha2::{Digest, Sha256};
    assert_eq!(hex::encode(Sha256::digest(&report)), first["evidence"].as_str().unwrap());
    assert!(String::from_utf8(report).unwrap().contains("began to pass: 20"));
    // Better figures under the same name change nothing.
    world.write("new.xml", &junit(100, 100));
    assert_eq!(good(&evaluator(&world, verb))["outcomes"], told["outcomes"]);
    let figures = good(&evaluator(&world, "status"));
    assert_eq!((figures["standing"].as_u64(), figures["waiting"].as_u64()), (Some(2), Some(2)));
}

#[test]
fn better_evals_earn_and_a_lucky_run_does_not() {
    let world = world();
    world.write("old.jsonl", &evals(200, 100));
    world.write("new.jsonl", &evals(200, 150));
    world.write("luck.jsonl", &evals(200, 103));
    let verb = |name: &str, file: &str| {
        format!("evals --name {name} --baseline old.jsonl --receipt a.receipt {file}")
    };
    let told = good(&evaluator(&world, &verb("lucky", "luck.jsonl")));
    assert!(told["nothing"].as_str().unwrap().contains("chance"), "{told}");
    let told = good(&evaluator(&world, &verb("real", "new.jsonl")));
    assert_eq!(
        (told["outcomes"][0]["weight"].as_u64(), &told["outcomes"][0]["kind"]),
        (Some(250), &"better-evals".into())
    );
}

#[test]
fn an_experiment_is_declared_first_and_judged_when_it_is_complete() {
    let world = world();
    world.write("figures.csv", "variant,n,successes\ncontrol,5000,400\nnew,5000,500\n");
    let judge = "ab judge --name checkout --receipt a.receipt figures.csv";
    assert!(bad(&evaluator(&world, judge)).contains("was not declared"));
    let declare = "ab declare checkout --control control --variant new --sample 5000";
    good(&evaluator(&world, declare));
    good(&evaluator(&world, declare));
    assert!(bad(&evaluator(&world, &declare.replace("5000", "400"))).contains("declared before, otherwise"));
    world.write("early.csv", "variant,n,successes\ncontrol,900,70\nnew,900,120\n");
    let early = bad(&evaluator(&world, &judge.replace("figures", "early")));
    assert!(early.contains("has 900 of the 5000") && !early.contains("p ="), "{early}");
    let told = good(&evaluator(&world, judge));
    assert_eq!(told["outcomes"][0]["weight"].as_u64(), Some(500), "25 % at 20 each");
}

#[test]
fn a_receipt_that_is_not_known_is_an_error_and_the_name_is_not_used_up() {
    let world = world();
    world.write("old.xml", &junit(100, 60));
    world.write("new.xml", &junit(100, 80));
    let verb = format!("junit --name parser --baseline old.xml new.xml --receipt {A}");
    assert!(bad(&evaluator(&world, &verb)).contains("hand it in"));
    assert!(bad(&evaluator(&world, "junit --name parser --baseline old.xml new.xml"))
        .contains("1 to 256 receipts"));
    assert_eq!(good(&evaluator(&world, "receipts a.receipt"))[0]["state"], "new");
    assert_eq!(good(&evaluator(&world, &verb))["outcomes"][0]["weight"].as_u64(), Some(200));
}

#[test]
fn what_earned_by_mistake_is_taken_back() {
    let world = world();
    world.write("old.xml", &junit(100, 60));
    world.write("new.xml", &junit(100, 80));
    good(&evaluator(&world, "junit --name parser --baseline old.xml new.xml --receipt a.receipt"));
    good(&evaluator(&world, "withdraw tests:parser --why mistake"));
    assert!(bad(&evaluator(&world, "withdraw tests:parser --why again")).contains("nothing stands"));
    let figures = good(&evaluator(&world, "status"));
    assert_eq!((figures["withdrawn"].as_u64(), figures["waiting"].as_u64()), (Some(1), Some(0)));
}

#[test]
fn files_that_are_none_are_named_with_the_reason_and_nothing_is_recorded() {
    let world = world();
    world.write("old.xml", &junit(100, 60));
    world.write("bad.xml", "<!DOCTYPE x [<!ENTITY a 'b'>]><testsuite/>");
    world.write("bad.jsonl", "{}\nnot json\n");
    for (verb, why) in [
        ("junit --name n --baseline old.xml bad.xml --receipt a.receipt", "bad.xml: it is no XML"),
        ("junit --name n --baseline missing.xml old.xml --receipt a.receipt", "cannot read missing.xml"),
        ("evals --name n --baseline bad.jsonl bad.jsonl --receipt a.receipt", "bad.jsonl: line 2"),
        ("judge --name n --task old.xml --reference old.xml old.xml --receipt a.receipt", "no [judge]"),
        ("receipts old.xml", "old.xml"),
    ] {
        let error = bad(&evaluator(&world, verb));
        assert!(error.contains(why), "{why}: {error}");
    }
    assert_eq!(good(&evaluator(&world, "status"))["receipts"].as_u64(), Some(0));
}

#[test]
fn a_bad_configuration_ends_with_64_and_every_fault() {
    let world = world();
    world.write("evaluator.toml", "listen = \"x\"\ngateways = []\n");
    let output = evaluator(&world, "status");
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64));
    for fault in ["listen is `x`", "data_dir is missing", "genesis_hash is missing", "gateways is empty"] {
        assert!(error.contains(fault), "{fault}: {error}");
    }
    assert!(!world.path("data").exists());
}
