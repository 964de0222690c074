//! Runs of tests or evals, and whether one is better than another.
//!
//! Both runs are of the same tests, so what counts is which of them changed sides: an exact sign test of those
//! that began to pass against those that ceased to. A test that the newer run left out counts as failed, and a test that
//! the older run did not have counts for nothing, so neither removing failing tests nor adding easy ones helps.

pub mod evals;
pub mod junit;

use std::collections::BTreeMap;

use crate::{report::Report, statistics::coin_at_least};

/// Tests of a run beyond which it is refused: a million names of 100 bytes are 100 MB.
pub const TESTS_MAX: usize = 1_000_000;

/// Why a file is no run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRun(pub String);

/// A run: every test and whether it passed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run(BTreeMap<String, bool>);

impl Run {
    /// Notes a result. A test that ran several times passed only if it always did.
    pub fn note(&mut self, test: &str, passed: bool) -> Result<(), BadRun> {
        if let Some(so_far) = self.0.get_mut(test) {
            *so_far &= passed;
            return Ok(());
        }
        if self.0.len() == TESTS_MAX {
            return Err(BadRun(format!("the run has more than {TESTS_MAX} tests")));
        }
        self.0.insert(test.to_owned(), passed);
        Ok(())
    }

    /// Adds another file's tests to the run.
    pub fn join(&mut self, other: Run) -> Result<(), BadRun> {
        other.0.iter().try_for_each(|(test, passed)| self.note(test, *passed))
    }

    /// How many tests it has.
    pub fn tests(&self) -> usize {
        self.0.len()
    }

    /// How many of them passed.
    pub fn passed(&self) -> usize {
        self.0.values().filter(|passed| **passed).count()
    }
}

/// What it takes to earn.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Weight for each percentage point by which the pass rate rose.
    pub weight_per_point: u32,
    /// Weight that no run earns more than.
    pub weight_max: u32,
    /// Tests that the older run must have.
    pub tests_min: u64,
    /// The probability of chance that a result must be below.
    pub alpha: f64,
}

/// Two runs beside each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Tests of the older run: all that count.
    pub tests: u64,
    /// Of these, how many passed before.
    pub passed_before: u64,
    /// How many failed and pass now.
    pub gained: u64,
    /// How many passed and do not now.
    pub lost: u64,
    /// How many of the older run's tests are not in the newer one.
    pub dropped: u64,
    /// How many tests only the newer run has: they count for nothing.
    pub added: u64,
    /// The probability of at least so many gains among the changes if gains and losses were equally likely.
    pub p: f64,
}

impl Comparison {
    /// Compares a newer run with an older one.
    pub fn of(older: &Run, newer: &Run) -> Self {
        let (mut gained, mut lost, mut dropped) = (0, 0, 0);
        for (test, passed) in &older.0 {
            let now = newer.0.get(test);
            dropped += u64::from(now.is_none());
            match (*passed, now.copied().unwrap_or(false)) {
                (false, true) => gained += 1,
                (true, false) => lost += 1,
                _ => {}
            }
        }
        Comparison {
            tests: older.tests() as u64,
            passed_before: older.passed() as u64,
            gained,
            lost,
            dropped,
            added: newer.0.keys().filter(|test| !older.0.contains_key(*test)).count() as u64,
            p: coin_at_least(gained, gained + lost),
        }
    }

    /// Thousandths by which the pass rate rose; 0 if it did not.
    pub fn risen_permille(&self) -> u64 {
        self.gained.saturating_sub(self.lost) * 1_000 / self.tests.max(1)
    }

    /// The weight that it earns, or why it earns none.
    pub fn weigh(&self, rule: &Rule) -> Result<u32, String> {
        if self.tests < rule.tests_min {
            return Err(format!("the baseline has {} tests; it takes {}", self.tests, rule.tests_min));
        }
        if self.gained <= self.lost {
            return Err(format!(
                "no more tests pass than before: {} gained, {} lost",
                self.gained, self.lost
            ));
        }
        if self.p >= rule.alpha {
            return Err(format!(
                "the difference may be chance: p = {:.6}, and it takes less than {}",
                self.p, rule.alpha
            ));
        }
        let weight = self.risen_permille() * u64::from(rule.weight_per_point) / 10;
        match u32::try_from(weight).unwrap_or(u32::MAX).min(rule.weight_max) {
            0 => Err("the pass rate rose by too little to have a weight".into()),
            weight => Ok(weight),
        }
    }

    /// Writes the figures into a report.
    pub fn describe(&self, report: &mut Report, rule: &Rule) {
        report.section("Comparison of two runs of the same tests");
        report.fact("tests in the baseline", self.tests);
        report.fact("passed before", self.passed_before);
        report.fact("passed now", self.passed_before + self.gained - self.lost);
        report.fact("began to pass", self.gained);
        report.fact("ceased to pass", self.lost);
        report.fact("left out of the newer run (counted as failed)", self.dropped);
        report.fact("only in the newer run (not counted)", self.added);
        report.fact("p, exact sign test, one-sided", format!("{:.6e}", self.p));
        report.section("Rule");
        report.fact("weight per percentage point", rule.weight_per_point);
        report.fact("weight at most", rule.weight_max);
        report.fact("tests at least", rule.tests_min);
        report.fact("p below", rule.alpha);
    }
}

#[cfg(test)]
mod tests;
