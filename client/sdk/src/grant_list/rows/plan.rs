//! The columns of a plan: what makes one line several grants.

use stipend_primitives::mint::Grant;

use super::Reason;
use crate::plan::{Monthly, Plan, Unused};

/// The fields of a line that only a plan has.
#[derive(Clone, Copy)]
pub(super) struct PlanFields<'a> {
    pub(super) plan: Option<&'a str>,
    pub(super) months: Option<&'a str>,
    pub(super) cliff: Option<&'a str>,
    pub(super) rollover: Option<&'a str>,
}

impl PlanFields<'_> {
    /// The grants of a line whose other fields say `grant`.
    pub(super) fn grants(self, grant: Grant) -> Result<Vec<Grant>, Reason> {
        let Some(plan) = self.plan else {
            if [self.months, self.cliff, self.rollover].iter().any(Option::is_some) {
                return Err(wrong("plan", "months, cliff and rollover belong to a plan; write monthly or vesting into the column \"plan\""));
            }
            return Ok(vec![grant]);
        };
        let Grant::One { program, amount, valid_from, valid_until } = grant else {
            return Err(wrong("plan", "a basket has no plan; write a program and an amount"));
        };
        let start = valid_from.ok_or_else(|| {
            wrong("valid_from", "valid_from is missing: a plan's months are counted from it")
        })?;
        let months = match self.months {
            Some(months) => number("months", months)?,
            None => return Err(wrong("months", "months is missing: how many the plan has")),
        };
        let plan = match plan.to_ascii_lowercase().as_str() {
            "monthly" => {
                if self.cliff.is_some() {
                    return Err(wrong("cliff", "cliff belongs to vesting; leave it empty"));
                }
                let unused = match (yes(self.rollover)?, valid_until) {
                    (true, end) => Unused::RollsOver(end),
                    (false, None) => Unused::EndsWithMonth,
                    (false, Some(_)) => return Err(wrong("valid_until", "without rollover each part ends with the month; leave valid_until empty, or write yes into rollover")),
                };
                Plan::Monthly { amount: Monthly::Each(amount), months, start, unused }
            }
            "vesting" => {
                if self.rollover.is_some() {
                    return Err(wrong("rollover", "rollover belongs to monthly; leave it empty"));
                }
                let cliff = self.cliff.map_or(Ok(0), |cliff| number("cliff", cliff))?;
                Plan::Vesting { whole: amount, months, cliff, start, end: valid_until }
            }
            _ => return Err(wrong("plan", format!("\"{plan}\" is not a plan; write monthly or vesting"))),
        };
        let parts = plan.parts().map_err(|error| wrong("plan", error.to_string()))?;
        Ok(parts.into_iter().map(|part| part.grant(program)).collect())
    }
}

fn wrong(column: &'static str, message: impl Into<String>) -> Reason {
    (Some(column), message.into())
}

fn number(column: &'static str, text: &str) -> Result<u32, Reason> {
    text.parse().map_err(|_| wrong(column, format!("\"{text}\" is not a number of months")))
}

fn yes(text: Option<&str>) -> Result<bool, Reason> {
    match text.map(str::to_ascii_lowercase).as_deref() {
        None | Some("no") => Ok(false),
        Some("yes") => Ok(true),
        Some(_) => Err(wrong("rollover", "rollover is yes or no; empty is no")),
    }
}
