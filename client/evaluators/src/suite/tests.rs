#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn rule() -> Rule {
    Rule { weight_per_point: 10, weight_max: 500, tests_min: 30, alpha: 0.01 }
}

/// A run of tests `t0`, `t1` …, of which the first `passing` pass.
fn run(tests: usize, passing: usize) -> Run {
    let mut run = Run::default();
    for test in 0..tests {
        run.note(&format!("t{test}"), test < passing).unwrap();
    }
    run
}

#[test]
fn a_clear_improvement_earns_by_percentage_points() {
    let comparison = Comparison::of(&run(100, 60), &run(100, 75));
    assert_eq!((comparison.gained, comparison.lost, comparison.risen_permille()), (15, 0, 150));
    assert_eq!(comparison.weigh(&rule()), Ok(150));
    assert_eq!(Comparison::of(&run(100, 0), &run(100, 100)).weigh(&rule()), Ok(500), "the cap");
}

#[test]
fn an_improvement_that_chance_explains_earns_nothing() {
    let why = Comparison::of(&run(100, 60), &run(100, 63)).weigh(&rule()).unwrap_err();
    assert!(why.contains("chance") && why.contains("0.125"), "{why}");
}

#[test]
fn too_few_tests_earn_nothing_however_much_better() {
    assert!(Comparison::of(&run(29, 0), &run(29, 29)).weigh(&rule()).unwrap_err().contains("it takes 30"));
    assert!(Comparison::of(&Run::default(), &run(100, 100)).weigh(&rule()).is_err());
}

#[test]
fn generated_tests_that_always_pass_earn_nothing() {
    let mut padded = run(100, 60);
    for test in 0..10_000 {
        padded.note(&format!("generated{test}"), true).unwrap();
    }
    let comparison = Comparison::of(&run(100, 60), &padded);
    assert_eq!((comparison.gained, comparison.added), (0, 10_000));
    assert!(comparison.weigh(&rule()).unwrap_err().contains("no more tests pass"));
}

#[test]
fn removing_failing_tests_earns_nothing_and_removing_passing_ones_costs() {
    let mut only_good = Run::default();
    for test in 0..60 {
        only_good.note(&format!("t{test}"), true).unwrap();
    }
    let comparison = Comparison::of(&run(100, 60), &only_good);
    assert_eq!((comparison.gained, comparison.lost, comparison.dropped), (0, 0, 40));
    let comparison = Comparison::of(&run(100, 60), &run(30, 30));
    assert_eq!(comparison.lost, 30);
    assert!(comparison.weigh(&rule()).is_err());
}

#[test]
fn a_test_that_ran_until_it_passed_has_failed() {
    let mut run = Run::default();
    for passed in [false, false, true] {
        run.note("flaky", passed).unwrap();
    }
    assert_eq!(run.passed(), 0);
}

#[test]
fn the_report_says_what_was_compared() {
    let mut report = Report::new("tests");
    Comparison::of(&run(100, 60), &run(100, 75)).describe(&mut report, &rule());
    for fact in ["passed before: 60", "passed now: 75", "began to pass: 15", "p below: 0.01"] {
        assert!(report.text().contains(fact), "{fact} in {}", report.text());
    }
}

proptest! {
    #[test]
    fn what_is_no_better_never_earns(older in prop::collection::btree_map("[a-z]{1,3}", any::<bool>(), 0..200),
        newer in prop::collection::btree_map("[a-z]{1,3}", any::<bool>(), 0..200)) {
        let (older, newer) = (Run(older), Run(newer));
        let comparison = Comparison::of(&older, &newer);
        let earned = comparison.weigh(&rule());
        let of_old = older.0.keys().filter(|test| newer.0.get(*test) == Some(&true)).count();
        prop_assert!(earned.is_err() || of_old > older.passed());
        prop_assert!(earned.is_ok_and(|weight| weight <= 500) || comparison.weigh(&rule()).is_err());
        prop_assert!(Comparison::of(&older, &older).weigh(&rule()).is_err());
    }
}
