//! A/B experiments: declared first, looked at once.
//!
//! Who looks at an experiment while it runs and stops when it looks good finds a difference where there is none. So an
//! experiment is declared before its figures are handed in: variants, control, what is better, and how many are to be
//! looked at. It is judged once each variant has that many, and not when one has many more; and every variant that was
//! declared must be there, because each is one more chance for luck (Bonferroni).

mod table;

pub use table::{read, Row, Sample};

use serde::{Deserialize, Serialize};

use crate::{
    report::Report,
    statistics::{means_differ, shares_differ},
};

/// Variants of an experiment, the control included.
pub const VARIANTS_MAX: usize = 32;

/// Percent above the declared number up to which a sample still is the declared one: traffic is not cut to the unit.
const ABOVE_PERCENT: u64 = 10;

/// What was promised before any figure was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declaration {
    /// The variant that the others are compared with.
    pub control: String,
    /// The others.
    pub variants: Vec<String>,
    /// How many of each variant are looked at.
    pub sample: u64,
    /// Which way is better.
    pub better: Better,
}

/// Which way a figure is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// What it takes to earn.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Weight for each percent by which the best variant is better than the control.
    pub weight_per_percent: u32,
    /// Weight that no experiment earns more than.
    pub weight_max: u32,
    /// The least that may be declared as the sample of a variant.
    pub sample_min: u64,
    /// The probability of chance that the whole experiment stays below.
    pub alpha: f64,
}

/// Why figures are not judged. Nothing of them was told, so they can be handed in again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotJudged {
    /// They are not those of the experiment.
    #[error("{0}")]
    Other(String),
    /// There are too few as yet.
    #[error("variant `{variant}` has {there} of the {declared} that were declared; hand them in when they are complete: nothing is computed before")]
    Incomplete {
        /// The variant.
        variant: String,
        /// What it has.
        there: u64,
        /// What was declared.
        declared: u64,
    },
}

/// What an experiment came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Each variant but the control.
    pub variants: Vec<Judged>,
    /// The weight earned, or why none is.
    pub weight: Result<u32, String>,
}

/// One variant beside the control.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Its name.
    pub name: String,
    /// Percent by which it is better than the control; below 0: worse.
    pub better_percent: f64,
    /// Two-sided p-value, times the number of variants; `None` where no test fits.
    pub p_corrected: Option<f64>,
}

impl Declaration {
    /// What is wrong with it.
    pub fn faults(&self, rule: &Rule) -> Vec<String> {
        let mut faults = Vec::new();
        let mut names: Vec<&String> = self.variants.iter().chain([&self.control]).collect();
        if self.variants.is_empty() {
            faults.push("there is no variant beside the control".into());
        }
        if names.len() > VARIANTS_MAX {
            faults.push(format!("there are {} variants; at most {VARIANTS_MAX} are compared", names.len()));
        }
        if names.iter().any(|name| name.is_empty() || name.len() > 128) {
            faults.push("a variant's name has 1 to 128 bytes".into());
        }
        names.sort();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            faults.push("two variants have one name".into());
        }
        if self.sample < rule.sample_min {
            faults
                .push(format!("the sample is {}; it takes {} of each variant", self.sample, rule.sample_min));
        }
        faults
    }

    /// Judges the figures of the experiment.
    pub fn judge(&self, rows: &[Row], rule: &Rule) -> Result<Judgement, NotJudged> {
        let control = self.row(rows, &self.control)?;
        let variants: Vec<&Row> =
            self.variants.iter().map(|name| self.row(rows, name)).collect::<Result<_, _>>()?;
        if let Some(row) =
            rows.iter().find(|row| row.variant != self.control && !self.variants.contains(&row.variant))
        {
            return Err(NotJudged::Other(format!("variant `{}` was not declared", row.variant)));
        }
        let base = control.sample.value();
        // A percentage of nothing, or of a loss, means nothing.
        if !(base.is_finite() && base > 0.0) {
            return Err(NotJudged::Other(format!(
                "the control's figure is {base}; it must be above 0, for a difference is a percentage of it"
            )));
        }
        let tests = variants.len() as f64;
        let judged: Vec<Judged> = variants
            .iter()
            .map(|row| {
                let change = (row.sample.value() - base) / base * 100.0;
                Judged {
                    name: row.variant.clone(),
                    better_percent: if self.better == Better::Higher { change } else { -change },
                    p_corrected: p_value(control.sample, row.sample).map(|p| (p * tests).min(1.0)),
                }
            })
            .collect();
        let weight = weigh(&judged, rule);
        Ok(Judgement { variants: judged, weight })
    }

    fn row<'a>(&self, rows: &'a [Row], name: &str) -> Result<&'a Row, NotJudged> {
        let missing = || NotJudged::Other(format!("variant `{name}` was declared and is not there"));
        let row = rows.iter().find(|row| row.variant == name).ok_or_else(missing)?;
        let there = row.sample.count();
        if there < self.sample {
            let declared = self.sample;
            return Err(NotJudged::Incomplete { variant: name.into(), there, declared });
        }
        if there - self.sample > self.sample / 100 * ABOVE_PERCENT + 1 {
            return Err(NotJudged::Other(format!(
                "variant `{name}` has {there} where {} were declared: who goes on until a difference shows finds \
                 one; hand in the figures as they were at the declared number",
                self.sample
            )));
        }
        Ok(row)
    }

    /// Writes declaration and figures into a report.
    pub fn describe(&self, report: &mut Report, rows: &[Row], judgement: &Judgement, rule: &Rule) {
        report.section("Declared before the figures were handed in");
        report.fact("control", &self.control);
        report.fact("variants", self.variants.join(", "));
        report.fact("sample of each", self.sample);
        report.fact("better", if self.better == Better::Higher { "higher" } else { "lower" });
        report.section("Figures");
        for row in rows {
            report.fact(&row.variant, row.sample);
        }
        report.section("Difference from the control");
        for judged in &judgement.variants {
            let p = judged.p_corrected.map_or("no test fits".into(), |p| format!("p = {p:.6e}, corrected"));
            report.fact(&judged.name, format!("{:+.4} % better, {p}", judged.better_percent));
        }
        report.section("Rule");
        report.fact("test", "two-sided; z test of two shares, or Welch's t test; Bonferroni");
        report.fact("weight per percent", rule.weight_per_percent);
        report.fact("weight at most", rule.weight_max);
        report.fact("p below", rule.alpha);
    }
}

fn p_value(control: Sample, variant: Sample) -> Option<f64> {
    match (control, variant) {
        (Sample::Share(one), Sample::Share(other)) => shares_differ(one, other),
        (Sample::Mean(one), Sample::Mean(other)) => means_differ(one, other),
        _ => None,
    }
}

fn weigh(judged: &[Judged], rule: &Rule) -> Result<u32, String> {
    let significant = |one: &&Judged| one.p_corrected.is_some_and(|p| p < rule.alpha);
    let better = judged.iter().filter(significant).map(|one| one.better_percent);
    let best = better.fold(f64::NEG_INFINITY, f64::max);
    if best == f64::NEG_INFINITY {
        return Err(format!(
            "no variant differs from the control by more than chance explains (p < {})",
            rule.alpha
        ));
    }
    if best <= 0.0 {
        return Err("every variant that differs from the control is worse".into());
    }
    // The cast saturates; what is above the cap is the cap.
    match ((best * f64::from(rule.weight_per_percent)) as u32).min(rule.weight_max) {
        0 => Err("the best variant is better by too little to have a weight".into()),
        weight => Ok(weight),
    }
}

#[cfg(test)]
mod tests;
