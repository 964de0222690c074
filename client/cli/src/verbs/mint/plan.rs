//! `stipend mint plan`: recurring grants, vesting, milestones and raises.

use anyhow::Result;
use clap::{Args, Subcommand};
use stipend_sdk::{
    plan::{Monthly, Plan, Unused},
    primitives::{AccountId, Credits, Moment, ProgramId},
};

use crate::{
    amount,
    context::Context,
    failure::Failure,
    mint_many::{self, Row, Sending, Source},
    output::Answer,
    time,
    who::Who,
};

/// Plans. Months are those of the calendar in UTC, counted from --from; a month after the 31st of January
/// is the last of February.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Credits that come anew every month; what a month leaves expires with it, or rolls over.
    Monthly {
        #[command(flatten)]
        grantees: Grantees,
        /// Credits of each month.
        #[arg(long, value_parser = amount::parse, required_unless_present = "total")]
        amount: Option<Credits>,
        /// Credits in all, in equal parts; what does not divide evenly is in the last one.
        #[arg(long, value_parser = amount::parse, conflicts_with = "amount")]
        total: Option<Credits>,
        #[command(flatten)]
        months: Months,
        /// Keep what a month leaves, for ever or until --until.
        #[arg(long)]
        rollover: bool,
        /// First moment at which what rolled over expires.
        #[arg(long, value_name = "DATE", value_parser = time::parse_date, requires = "rollover")]
        until: Option<Moment>,
        #[command(flatten)]
        sending: Sending,
    },
    /// Credits that become usable little by little: an equal part after every month, nothing before the
    /// cliff.
    Vesting {
        #[command(flatten)]
        grantees: Grantees,
        /// Credits in all; what does not divide evenly is in the last part.
        #[arg(long, value_parser = amount::parse)]
        amount: Credits,
        #[command(flatten)]
        months: Months,
        /// Months before which nothing can be used; their parts come together at their end.
        #[arg(long, value_name = "COUNT", default_value_t = 0)]
        cliff: u32,
        /// First moment at which what is left expires; never if it is not given.
        #[arg(long, value_name = "DATE", value_parser = time::parse_date)]
        until: Option<Moment>,
        #[command(flatten)]
        sending: Sending,
    },
    /// Awards, each usable from its own date on.
    Milestones {
        #[command(flatten)]
        grantees: Grantees,
        /// When and how much: DATE:CREDITS, such as 2027-06-30:500. May be repeated.
        #[arg(long = "award", value_name = "DATE:CREDITS", value_parser = parse_award, required = true)]
        awards: Vec<(Moment, Credits)>,
        /// First moment at which what is left expires; never if it is not given.
        #[arg(long, value_name = "DATE", value_parser = time::parse_date)]
        until: Option<Moment>,
        #[command(flatten)]
        sending: Sending,
    },
    /// More credits for some months, on top of whatever else was granted; each month's end with it.
    Raise {
        #[command(flatten)]
        grantees: Grantees,
        /// Credits of each month.
        #[arg(long, value_parser = amount::parse)]
        amount: Credits,
        #[command(flatten)]
        months: Months,
        #[command(flatten)]
        sending: Sending,
    },
}

/// Who is granted out of what.
#[derive(Args, Debug)]
pub(crate) struct Grantees {
    /// Who receives, each the whole plan.
    #[arg(required = true, value_name = "OWNER")]
    owners: Vec<Who>,
    /// The program that pays; it fixes the class.
    #[arg(long)]
    program: ProgramId,
}

/// When, and for how long.
#[derive(Args, Debug)]
pub(crate) struct Months {
    /// First moment of the first month.
    #[arg(long, value_name = "DATE", value_parser = time::parse_date)]
    from: Moment,
    /// How many months.
    #[arg(long, value_name = "COUNT")]
    months: u32,
}

impl Verb {
    pub(super) async fn run(self, context: &Context) -> Result<Answer> {
        let (grantees, plan, sending) = self.plan();
        let owners = grantees.owners.iter().map(|who| context.account(who)).collect::<Result<Vec<_>>>()?;
        let rows = rows(&plan, grantees.program, &owners)?;
        mint_many::run(context, Source::Plan, &rows, sending).await
    }

    fn plan(self) -> (Grantees, Plan, Sending) {
        match self {
            Verb::Monthly { grantees, amount, total, months, rollover, until, sending } => {
                let amount = match total {
                    Some(total) => Monthly::InAll(total),
                    None => Monthly::Each(amount.unwrap_or_default()),
                };
                let unused = if rollover { Unused::RollsOver(until) } else { Unused::EndsWithMonth };
                let Months { from: start, months } = months;
                (grantees, Plan::Monthly { amount, months, start, unused }, sending)
            }
            Verb::Vesting { grantees, amount: whole, months, cliff, until: end, sending } => {
                let Months { from: start, months } = months;
                (grantees, Plan::Vesting { whole, months, cliff, start, end }, sending)
            }
            Verb::Milestones { grantees, awards, until: end, sending } => {
                (grantees, Plan::Milestones { awards, end }, sending)
            }
            Verb::Raise { grantees, amount, months, sending } => {
                let Months { from: start, months } = months;
                let (amount, unused) = (Monthly::Each(amount), Unused::EndsWithMonth);
                (grantees, Plan::Monthly { amount, months, start, unused }, sending)
            }
        }
    }
}

/// The grants of a plan for each owner, numbered through.
fn rows(plan: &Plan, program: ProgramId, owners: &[AccountId]) -> Result<Vec<Row>> {
    let parts = plan.parts().map_err(|error| Failure::usage(error.to_string()))?;
    if let Some(twice) = owners.iter().enumerate().find(|(at, owner)| owners[..*at].contains(owner)) {
        let message = format!("{} is named twice", crate::parse::address(twice.1));
        return Err(Failure::usage(message).into());
    }
    let of_owners = owners.iter().flat_map(|owner| parts.iter().map(move |part| (owner, part)));
    let row = |(line, (owner, part)): (u64, (&AccountId, &stipend_sdk::plan::Part))| Row {
        line,
        owner: owner.clone(),
        grant: part.grant(program),
    };
    Ok((1..).zip(of_owners).map(row).collect())
}

fn parse_award(text: &str) -> Result<(Moment, Credits), String> {
    // A UTC time has colons of its own.
    let (date, credits) = text
        .rsplit_once(':')
        .ok_or_else(|| format!("\"{text}\" is not an award: write DATE:CREDITS, such as 2027-06-30:500"))?;
    Ok((time::parse_date(date)?, amount::parse(credits)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::parse;
    use stipend_sdk::primitives::mint::Grant;

    #[test]
    fn every_owner_gets_every_part_and_all_are_numbered() {
        let owners = ["//Dave", "//Eve"].map(|name| parse::account(name).unwrap());
        let plan = Plan::Vesting { whole: 5, months: 2, cliff: 0, start: 0, end: None };
        let rows = rows(&plan, 7, &owners).unwrap();
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert_eq!(rows[2].owner, owners[1]);
        assert!(matches!(rows[3].grant, Grant::One { program: 7, amount: 3, .. }));
    }

    #[test]
    fn an_owner_named_twice_and_a_plan_that_cannot_be_are_refused() {
        let dave = parse::account("//Dave").unwrap();
        let plan = |months| Plan::Vesting { whole: 50, months, cliff: 0, start: 0, end: None };
        let twice = rows(&plan(2), 0, &[dave.clone(), dave.clone()]).unwrap_err();
        assert!(twice.to_string().contains("named twice"));
        assert!(rows(&plan(0), 0, &[dave]).unwrap_err().to_string().contains("no part"));
    }

    #[test]
    fn an_award_is_a_date_and_credits() {
        let june = time::parse_date("2027-06-30").unwrap();
        assert_eq!(parse_award("2027-06-30:500.5").unwrap(), (june, 500_500_000));
        assert_eq!(parse_award("2027-06-30T00:00:01Z:1").unwrap(), (june + 1_000, 1_000_000));
        for wrong in ["500", "2027-06-30", ":1", "2027-06-30:", "2027-06-31:1"] {
            assert!(parse_award(wrong).is_err(), "{wrong}");
        }
    }
}
