//! `stipend energy`: how much energy the credits of a class may cost.

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;
use stipend_sdk::{
    pallet_entitlements::Call,
    primitives::{energy::EnergyBudget, view::ClassEnergy, Moment},
};

use crate::{
    context::Context,
    failure::Failure,
    output::{Answer, Rows},
    parse, time,
};

/// Millijoules of a joule.
const MJ_PER_J: u128 = 1_000;

/// Energy budgets.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Show the classes that have a budget: what is used, held and left.
    Show,
    /// Set the budget of a class, or take it away; counts at once (council).
    Set(Set),
}

/// Options of `energy set`.
#[derive(Args, Debug)]
pub(crate) struct Set {
    /// The class, by number or name.
    class: String,
    /// Joules in a period, with up to three decimals; a kilowatt-hour is 3600000.
    #[arg(long, value_parser = millijoules, required_unless_present = "none", requires_all = ["per_credit", "period"])]
    joules: Option<u128>,
    /// Joules that a credit costs at most. As much is held for each credit until its receipts are settled.
    #[arg(long = "joules-per-credit", value_name = "JOULES", value_parser = millijoules, requires = "joules")]
    per_credit: Option<u128>,
    /// Length of a period, such as 1d or 12h. Periods follow each other from 1970 on: those of a day begin at
    /// midnight UTC.
    #[arg(long, value_parser = time::parse_duration, requires = "joules")]
    period: Option<Moment>,
    /// No budget: credits may cost what they do.
    #[arg(long, conflicts_with_all = ["joules", "per_credit", "period"])]
    none: bool,
}

impl Verb {
    pub(crate) async fn run(self, context: &Context) -> Result<Answer> {
        match self {
            Verb::Show => show(&context.client().await?.energy_status().await?),
            Verb::Set(set) => set.run(context).await,
        }
    }
}

impl Set {
    async fn run(self, context: &Context) -> Result<Answer> {
        let budget = self.budget()?;
        let class = context.class(&self.class).await?;
        let human = match &budget {
            None => format!("the credits of {} may cost what energy they do", self.class),
            Some(budget) => format!(
                "the credits of {} may cost {} J in {}, each {} J at most",
                self.class,
                joules(budget.millijoules_max),
                time::duration(budget.period_ms),
                joules(budget.mj_per_credit.into())
            ),
        };
        let what = json!({ "class": class, "budget": budget });
        context.council(Call::set_energy_budget { class, budget }, what, human).await
    }

    fn budget(&self) -> Result<Option<EnergyBudget>> {
        let (Some(millijoules_max), Some(per_credit), Some(period_ms)) =
            (self.joules, self.per_credit, self.period)
        else {
            return Ok(None);
        };
        if per_credit == 0 || period_ms == 0 {
            return Err(Failure::usage("a period and what a credit costs must be more than nothing").into());
        }
        let mj_per_credit = u64::try_from(per_credit)
            .map_err(|_| Failure::usage("no credit costs that much energy; give fewer joules"))?;
        Ok(Some(EnergyBudget { period_ms, millijoules_max, mj_per_credit }))
    }
}

fn show(classes: &[ClassEnergy]) -> Result<Answer> {
    let headings =
        &["class", ">left J", ">used J", ">held J", ">budget J", "period", "next period", ">J per credit"];
    let mut rows =
        Rows::new(headings, "no class has an energy budget; the council sets one with `stipend energy set`");
    for row in classes {
        rows.push([
            parse::text(&row.name),
            joules(row.left_mj),
            joules(row.used_mj),
            joules(row.held_mj),
            joules(row.budget.millijoules_max),
            time::duration(row.budget.period_ms),
            time::moment(row.period_ends_at),
            joules(row.budget.mj_per_credit.into()),
        ]);
    }
    Answer::new(classes, rows.finish())
}

/// Reads joules with up to three decimals as millijoules.
fn millijoules(text: &str) -> Result<u128, String> {
    let wrong = || format!("\"{text}\" is not an energy: write joules with up to 3 decimals, such as 250.5");
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits_only = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits_only(whole) || !digits_only(fraction) || fraction.len() > 3 {
        return Err(wrong());
    }
    let whole: u128 = whole.parse().map_err(|_| wrong())?;
    let fraction: u128 = format!("{fraction:0<3}").parse().map_err(|_| wrong())?;
    whole.checked_mul(MJ_PER_J).and_then(|millijoules| millijoules.checked_add(fraction)).ok_or_else(wrong)
}

/// Writes millijoules as joules with all three decimals.
fn joules(millijoules: u128) -> String {
    format!("{}.{:03}", millijoules / MJ_PER_J, millijoules % MJ_PER_J)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;
    use stipend_sdk::primitives::ClassId;

    #[test]
    fn a_class_is_shown_with_what_is_left_of_its_budget() {
        let row = ClassEnergy {
            class: ClassId::RENDER,
            name: parse::name("Render").unwrap(),
            budget: EnergyBudget {
                period_ms: 86_400_000,
                millijoules_max: 5_000_000,
                mj_per_credit: 250_500,
            },
            used_mj: 1_000_000,
            held_mj: 1_500_001,
            left_mj: 2_499_999,
            period_ends_at: 86_400_000,
        };
        let answer = show(&[row]).unwrap();
        assert_eq!(answer.json[0]["left_mj"], "2499999");
        assert_eq!(answer.json[0]["budget"]["millijoules_max"], "5000000");
        for part in ["Render", "2499.999", "1000.000", "1500.001", "5000.000", "1d", "250.500", "1970-01-02"]
        {
            assert!(answer.human.contains(part), "{part}\n{}", answer.human);
        }
    }

    #[test]
    fn what_is_no_energy_is_refused() {
        for text in ["", ".5", "1.", "-1", "1,5", "1.2345", "1e3", "340282366920938463463374607431768211455"]
        {
            assert!(millijoules(text).unwrap_err().contains("is not an energy"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn energy_that_is_written_is_read_back(energy: u128) {
            prop_assert_eq!(millijoules(&joules(energy)).unwrap(), energy);
        }
    }
}
