//! Weights and thresholds. All have defaults.

use std::{fmt::Display, ops::RangeInclusive};

use serde::Deserialize;
use stipend_primitives::NAME_LEN_MAX;

/// What merges earn.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MergeRule {
    /// The outcome's kind.
    pub kind: String,
    /// Weight of a merge. It is divided among the wallets whose receipts it names.
    pub weight: u32,
    /// Minutes between a merge and its outcome: receipts that come in later earn nothing, and a revert meanwhile
    /// costs no transaction.
    pub hold_minutes: u64,
}

impl Default for MergeRule {
    fn default() -> Self {
        MergeRule { kind: "merged-change".into(), weight: 100, hold_minutes: 60 }
    }
}

/// What runs of tests or evals earn.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SuiteRule {
    /// The outcome's kind.
    pub kind: String,
    /// What the compute was for, if it is said here.
    pub purpose: Option<String>,
    /// Weight for each percentage point by which the pass rate rose.
    pub weight_per_point: u32,
    /// Weight that no run earns more than.
    pub weight_max: u32,
    /// Tests that the baseline must have.
    pub tests_min: u64,
    /// The probability of chance that a result must be below.
    pub alpha: f64,
}

impl Default for SuiteRule {
    fn default() -> Self {
        SuiteRule {
            kind: "better-tests".into(),
            purpose: None,
            weight_per_point: 10,
            weight_max: 500,
            tests_min: 30,
            // Runs are cheap to repeat until one looks good, so the bound is lower than an experiment's.
            alpha: 0.01,
        }
    }
}

/// What experiments earn.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExperimentRule {
    /// The outcome's kind.
    pub kind: String,
    /// What the compute was for, if it is said here.
    pub purpose: Option<String>,
    /// Weight for each percent by which the best variant is better than the control.
    pub weight_per_percent: u32,
    /// Weight that no experiment earns more than.
    pub weight_max: u32,
    /// The least that may be declared as the sample of a variant.
    pub sample_min: u64,
    /// The probability of chance that the whole experiment stays below.
    pub alpha: f64,
}

impl Default for ExperimentRule {
    fn default() -> Self {
        ExperimentRule {
            kind: "experiment-won".into(),
            purpose: None,
            weight_per_percent: 20,
            weight_max: 1_000,
            sample_min: 100,
            alpha: 0.05,
        }
    }
}

/// What a judge's verdict earns.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JudgeRule {
    /// The outcome's kind.
    pub kind: String,
    /// What the compute was for, if it is said here.
    pub purpose: Option<String>,
    /// Weight for each mark by which the work is better than the reference, in the order that favours it less.
    pub weight_per_mark: u32,
    /// Weight that no work earns more than.
    pub weight_max: u32,
    /// Marks of ten that the work must have in both orders.
    pub marks_min: u8,
    /// Marks by which it must be better than the reference in both orders.
    pub margin_min: u8,
    /// Words that the work must have.
    pub words_min: usize,
}

impl Default for JudgeRule {
    fn default() -> Self {
        JudgeRule {
            kind: "judged-better".into(),
            purpose: None,
            weight_per_mark: 10,
            weight_max: 50,
            marks_min: 7,
            margin_min: 2,
            words_min: 20,
        }
    }
}

impl MergeRule {
    pub(super) fn faults(&self) -> Vec<String> {
        let bounds = [
            out_of("merge", "weight", u64::from(self.weight), 1..=u64::from(u32::MAX)),
            out_of("merge", "hold_minutes", self.hold_minutes, 0..=43_200),
        ];
        bounds.into_iter().flatten().chain(bad_name("merge.kind", &self.kind)).collect()
    }
}

impl SuiteRule {
    pub(super) fn faults(&self, table: &str) -> Vec<String> {
        let bounds = [
            out_of(table, "weight_per_point", self.weight_per_point, 1..=1_000_000),
            out_of(table, "weight_max", self.weight_max, 1..=u32::MAX),
            // With fewer, no result could be below a usual bound.
            out_of(table, "tests_min", self.tests_min, 5..=1_000_000),
            out_of(table, "alpha", self.alpha, 1e-12..=0.2),
            bad_name(&format!("{table}.kind"), &self.kind),
            self.purpose.as_ref().and_then(|purpose| bad_name(&format!("{table}.purpose"), purpose)),
        ];
        bounds.into_iter().flatten().collect()
    }

    /// As the comparison needs it.
    pub fn rule(&self) -> crate::suite::Rule {
        let SuiteRule { weight_per_point, weight_max, tests_min, alpha, .. } = *self;
        crate::suite::Rule { weight_per_point, weight_max, tests_min, alpha }
    }
}

impl ExperimentRule {
    pub(super) fn faults(&self) -> Vec<String> {
        let bounds = [
            out_of("experiment", "weight_per_percent", self.weight_per_percent, 1..=1_000_000),
            out_of("experiment", "weight_max", self.weight_max, 1..=u32::MAX),
            out_of("experiment", "sample_min", self.sample_min, 10..=1_000_000_000),
            out_of("experiment", "alpha", self.alpha, 1e-12..=0.2),
            bad_name("experiment.kind", &self.kind),
            self.purpose.as_ref().and_then(|purpose| bad_name("experiment.purpose", purpose)),
        ];
        bounds.into_iter().flatten().collect()
    }

    /// As judging needs it.
    pub fn rule(&self) -> crate::experiment::Rule {
        let ExperimentRule { weight_per_percent, weight_max, sample_min, alpha, .. } = *self;
        crate::experiment::Rule { weight_per_percent, weight_max, sample_min, alpha }
    }
}

impl JudgeRule {
    pub(super) fn faults(&self) -> Vec<String> {
        let bounds = [
            out_of("judge.rule", "weight_per_mark", self.weight_per_mark, 1..=1_000_000),
            out_of("judge.rule", "weight_max", self.weight_max, 1..=u32::MAX),
            out_of("judge.rule", "marks_min", self.marks_min, 1..=10),
            out_of("judge.rule", "margin_min", self.margin_min, 1..=10),
            out_of("judge.rule", "words_min", self.words_min as u64, 1..=10_000),
            bad_name("judge.rule.kind", &self.kind),
            self.purpose.as_ref().and_then(|purpose| bad_name("judge.rule.purpose", purpose)),
        ];
        bounds.into_iter().flatten().collect()
    }
}

/// A fault, if a value is not in its range. What compares with nothing is in none.
pub(super) fn out_of<T: PartialOrd + Display>(
    table: &str,
    name: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Option<String> {
    let (from, to) = (range.start(), range.end());
    (!range.contains(&value)).then(|| format!("{table}.{name} is {value}; it must be from {from} to {to}"))
}

/// A fault, if a kind or a purpose cannot stand on the chain.
pub(super) fn bad_name(name: &str, value: &str) -> Option<String> {
    let is_name = (1..=NAME_LEN_MAX as usize).contains(&value.len()) && !value.contains(char::is_control);
    (!is_name).then(|| format!("{name} has 1 to {NAME_LEN_MAX} bytes and no control characters"))
}
