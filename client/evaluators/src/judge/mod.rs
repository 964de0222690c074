//! A model that judges work beside a reference, asked through the gateway like everybody else.
//!
//! What can be seen without a model is looked at first and costs nothing: too little, repetition, copies, and texts that
//! speak to the judge. Then the model is asked twice with the places exchanged, because models favour places. Work
//! earns only if it is better in both orders, and by the smaller of both margins.

mod ask;
mod filler;
mod prompt;
mod verdict;

pub use ask::{Ask, AskError, Asked, Cost, GatewayAsk};
pub use filler::faults;
pub use verdict::{read, BadVerdict, Verdict, Winner};

use crate::{config::JudgeRule, report::Report};

/// Bytes of each text that is judged: they go through the judge's prompt twice.
pub const TEXT_BYTES_MAX: usize = 64 << 10;

/// What is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What the work was to do.
    pub task: String,
    /// The work.
    pub work: String,
    /// What there was before, or what it is measured by.
    pub reference: String,
}

/// What judging came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The weight earned, or why none is.
    pub weight: Result<u32, String>,
    /// What the model said, with the work in the first place and then in the second.
    pub verdicts: Vec<Verdict>,
    /// What each answer cost.
    pub costs: Vec<Cost>,
}

/// Judges. An error is the gateway's or the model's, and nothing was judged; a model that answers no verdict is one too.
pub async fn judge(case: &Case, ask: &impl Ask, rule: &JudgeRule) -> Result<Judgement, AskError> {
    let faults = filler::faults(case, rule.words_min);
    if !faults.is_empty() {
        return Ok(Judgement { weight: Err(faults.join("; ")), verdicts: Vec::new(), costs: Vec::new() });
    }
    let (mut verdicts, mut costs) = (Vec::new(), Vec::new());
    for places in [(&case.work, &case.reference), (&case.reference, &case.work)] {
        let asked = ask.ask(prompt::SYSTEM, &prompt::material(&case.task, places.0, places.1)).await?;
        costs.push(asked.cost.clone());
        match verdict::read(&asked.answer) {
            Ok(verdict) => verdicts.push(verdict),
            Err(why) => return Err(AskError::NoVerdict { why, costs }),
        }
    }
    let weight = weigh(&verdicts[0], &verdicts[1].exchanged(), rule);
    Ok(Judgement { weight, verdicts, costs })
}

/// The weight of two verdicts that both have the work in the first place.
fn weigh(one: &Verdict, other: &Verdict, rule: &JudgeRule) -> Result<u32, String> {
    if one.filler_a || other.filler_a {
        return Err("the judge takes the work for filler".into());
    }
    if one.instructs_a || other.instructs_a {
        return Err("the judge says that the work speaks to its judge".into());
    }
    if one.winner != other.winner {
        return Err("the judge does not agree with itself when the places are exchanged".into());
    }
    if one.winner != Winner::A {
        return Err("the judge does not find the work better than the reference".into());
    }
    let marks = one.marks_a.min(other.marks_a);
    if marks < rule.marks_min {
        return Err(format!("the work has {marks} marks; it takes {} in both orders", rule.marks_min));
    }
    let margin = one.margin().min(other.margin());
    if margin < rule.margin_min {
        return Err(format!(
            "the work is better by {margin} marks; it takes {} in both orders",
            rule.margin_min
        ));
    }
    Ok((rule.weight_per_mark.saturating_mul(u32::from(margin))).min(rule.weight_max))
}

impl Judgement {
    /// Writes verdicts and costs into a report.
    pub fn describe(&self, report: &mut Report, model: &str, rule: &JudgeRule) {
        report.section("Verdicts");
        report.fact("model", model);
        for (verdict, order) in self.verdicts.iter().zip(["work in place A", "work in place B"]) {
            report.fact(order, verdict.to_string());
        }
        if self.verdicts.is_empty() {
            report.fact("asked", "no: it was refused before");
        }
        report.section("Cost of judging, charged to the program's own wallet");
        for cost in &self.costs {
            report.fact("request", cost.to_string());
        }
        report.section("Rule");
        report.fact("weight per mark", rule.weight_per_mark);
        report.fact("weight at most", rule.weight_max);
        report.fact("marks at least", rule.marks_min);
        report.fact("better by at least", rule.margin_min);
        report.fact("words at least", rule.words_min);
    }
}

#[cfg(test)]
mod tests;
