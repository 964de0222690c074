//! The columns of a plan: what makes one line several grants.

use stipend_sdk::{
    plan::{Monthly, Plan, Unused},
    primitives::mint::Grant,
};

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
    pub(super) fn grants(self, grant: Grant) -> Result<Vec<Grant>, String> {
        let Some(plan) = self.plan else {
            if [self.months, self.cliff, self.rollover].iter().any(Option::is_some) {
                return Err("months, cliff and rollover belong to a plan; write monthly or vesting into the column \"plan\"".into());
            }
            return Ok(vec![grant]);
        };
        let Grant::One { program, amount, valid_from, valid_until } = grant else {
            return Err("a basket has no plan; write a program and an amount".into());
        };
        let start = valid_from.ok_or("valid_from is missing: a plan's months are counted from it")?;
        let months = number(self.months.ok_or("months is missing: how many the plan has")?)?;
        let plan = match plan.to_ascii_lowercase().as_str() {
            "monthly" => {
                if self.cliff.is_some() {
                    return Err("cliff belongs to vesting; leave it empty".into());
                }
                let unused = match (yes(self.rollover)?, valid_until) {
                    (true, end) => Unused::RollsOver(end),
                    (false, None) => Unused::EndsWithMonth,
                    (false, Some(_)) => return Err("without rollover each part ends with the month; leave valid_until empty, or write yes into rollover".into()),
                };
                Plan::Monthly { amount: Monthly::Each(amount), months, start, unused }
            }
            "vesting" => {
                if self.rollover.is_some() {
                    return Err("rollover belongs to monthly; leave it empty".into());
                }
                let cliff = self.cliff.map_or(Ok(0), number)?;
                Plan::Vesting { whole: amount, months, cliff, start, end: valid_until }
            }
            _ => return Err(format!("\"{plan}\" is not a plan; write monthly or vesting")),
        };
        let parts = plan.parts().map_err(|error| error.to_string())?;
        Ok(parts.into_iter().map(|part| part.grant(program)).collect())
    }
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("\"{text}\" is not a number of months"))
}

fn yes(text: Option<&str>) -> Result<bool, String> {
    match text.map(str::to_ascii_lowercase).as_deref() {
        None | Some("no") => Ok(false),
        Some("yes") => Ok(true),
        Some(_) => Err("rollover is yes or no; empty is no".into()),
    }
}
