#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn rule() -> Rule {
    Rule { weight_per_percent: 10, weight_max: 1000, sample_min: 100, alpha: 0.05 }
}

fn declared(variants: &[&str], sample: u64) -> Declaration {
    Declaration {
        control: "control".into(),
        variants: variants.iter().map(|name| (*name).into()).collect(),
        sample,
        better: Better::Higher,
    }
}

fn figures(lines: &str) -> Vec<Row> {
    read(format!("variant,n,successes\n{lines}").as_bytes()).unwrap()
}

#[test]
fn a_significant_improvement_earns_by_percent() {
    let rows = figures("control,5000,400\nnew,5000,500");
    let judgement = declared(&["new"], 5000).judge(&rows, &rule()).unwrap();
    assert_eq!(judgement.weight, Ok(250), "25 % better, 10 for each");
    assert!((judgement.variants[0].p_corrected.unwrap() - 0.000_475_337).abs() < 1e-8);
}

#[test]
fn what_chance_explains_earns_nothing() {
    let rows = figures("control,1000,100\nnew,1000,110");
    let judgement = declared(&["new"], 1000).judge(&rows, &rule()).unwrap();
    assert!(judgement.weight.unwrap_err().contains("chance"));
}

#[test]
fn a_significant_loss_earns_nothing() {
    let rows = figures("control,5000,500\nnew,5000,400");
    let judgement = declared(&["new"], 5000).judge(&rows, &rule()).unwrap();
    assert!(judgement.weight.unwrap_err().contains("worse"));
    let lower = Declaration { better: Better::Lower, ..declared(&["new"], 5000) };
    assert_eq!(lower.judge(&rows, &rule()).unwrap().weight, Ok(200));
}

#[test]
fn many_variants_must_each_beat_the_corrected_bound() {
    // p = 0.0355 alone: enough for one variant and too much for two.
    let one = declared(&["a"], 1000).judge(&figures("control,1000,100\na,1000,130"), &rule()).unwrap();
    assert_eq!(one.weight, Ok(300));
    let rows = figures("control,1000,100\na,1000,130\nb,1000,100");
    let two = declared(&["a", "b"], 1000).judge(&rows, &rule()).unwrap();
    assert!(two.weight.is_err() && two.variants[0].p_corrected.unwrap() > 0.07);
}

#[test]
fn losing_variants_cannot_be_left_out_afterwards() {
    let rows = figures("control,1000,100\na,1000,130");
    let error = declared(&["a", "b"], 1000).judge(&rows, &rule()).unwrap_err();
    assert!(error.to_string().contains("`b` was declared"), "{error}");
    let rows = figures("control,1000,100\na,1000,130\nc,1000,100");
    assert!(declared(&["a"], 1000).judge(&rows, &rule()).unwrap_err().to_string().contains("not declared"));
}

#[test]
fn a_look_before_the_end_computes_nothing() {
    let rows = figures("control,5000,400\nnew,4999,4999");
    let error = declared(&["new"], 5000).judge(&rows, &rule()).unwrap_err();
    assert!(matches!(error, NotJudged::Incomplete { there: 4999, declared: 5000, .. }), "{error}");
}

#[test]
fn going_on_after_the_end_is_refused() {
    let rows = figures("control,5000,400\nnew,5600,700");
    let error = declared(&["new"], 5000).judge(&rows, &rule()).unwrap_err();
    assert!(error.to_string().contains("goes on until"), "{error}");
    assert!(declared(&["new"], 5000).judge(&figures("control,5000,400\nnew,5400,540"), &rule()).is_ok());
}

#[test]
fn a_declaration_without_enough_is_refused_with_all_faults() {
    let faults = Declaration { variants: vec!["control".into(), String::new()], ..declared(&[], 10) };
    assert_eq!(faults.faults(&rule()).len(), 3, "{:?}", faults.faults(&rule()));
    assert_eq!(declared(&[], 100).faults(&rule()).len(), 1);
    assert!(declared(&["a"], 100).faults(&rule()).is_empty());
}

#[test]
fn a_few_successes_fit_no_test_and_earn_nothing() {
    let rows = figures("control,100,1\nnew,100,4");
    let judgement = declared(&["new"], 100).judge(&rows, &rule()).unwrap();
    assert_eq!(judgement.variants[0].p_corrected, None);
    assert!(judgement.weight.is_err());
}

#[test]
fn a_control_of_nothing_is_refused() {
    let rows = figures("control,100,0\nnew,100,50");
    assert!(declared(&["new"], 100).judge(&rows, &rule()).unwrap_err().to_string().contains("above 0"));
}

/// With no difference at all, at most the declared share of experiments may earn, however many variants they have.
#[test]
fn luck_earns_no_more_often_than_it_may() {
    // A small generator of its own, so that the count is the same on every machine.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as f64 / u64::MAX as f64
    };
    let mut earned = 0;
    for _ in 0..2_000 {
        let mut count = || (0..400).filter(|_| random() < 0.3).count();
        let lines: Vec<String> =
            ["control", "a", "b", "c", "d"].iter().map(|name| format!("{name},400,{}", count())).collect();
        let rows = figures(&lines.join("\n"));
        let judgement = declared(&["a", "b", "c", "d"], 400).judge(&rows, &rule()).unwrap();
        earned += u32::from(judgement.weight.is_ok());
    }
    // Half of what differs by chance is worse, so about 2.5 % are to be expected.
    assert!((10..100).contains(&earned), "{earned} of 2000");
}

proptest! {
    #[test]
    fn no_figures_earn_more_than_the_cap(n in 100u64..1_000_000, a in 0.0f64..1.0, b in 0.0f64..1.0) {
        let line = |name: &str, share: f64| Row {
            variant: name.into(),
            sample: Sample::Share(crate::statistics::Share { count: n, successes: (n as f64 * share) as u64 }),
        };
        let rows = [line("control", a), line("new", b)];
        if let Ok(judgement) = declared(&["new"], n).judge(&rows, &rule()) {
            if let Ok(weight) = judgement.weight {
                prop_assert!(b > a && (1..=1000).contains(&weight));
            }
        }
    }
}
