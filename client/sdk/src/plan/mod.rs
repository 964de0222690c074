//! Plans: recurring grants, vesting, milestones, as sets of dated grants that are made at once.
//!
//! A grant on the chain has a first moment of use and an end, so a plan needs nothing of the chain: its
//! parts are minted together out of the program's budget, and each becomes usable when its time comes.
//! Months are those of the calendar in UTC, counted from the plan's first moment
//! ([`months_after`](crate::calendar::months_after)). Amounts are integers that add up to the whole.

use pallet_entitlements::SLICES_MAX;
use stipend_primitives::{mint::Grant, Credits, Moment, ProgramId, MICRO_CREDITS_PER_CREDIT};

use crate::calendar::months_after;

#[cfg(test)]
mod tests;

/// Parts of one plan: a wallet has room for as many entitlements of a class that still hold credits.
pub const PARTS_MAX: usize = SLICES_MAX as usize;

/// Months that a plan lasts: a working life.
pub const MONTHS_MAX: u32 = 600;

/// When an owner may use how much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// A part at the beginning of every month.
    Monthly {
        /// How much.
        amount: Monthly,
        /// How many months.
        months: u32,
        /// First moment of the first month.
        start: Moment,
        /// What becomes of what a month leaves.
        unused: Unused,
    },
    /// An amount of which an equal part becomes usable after every month.
    Vesting {
        /// Micro-credits in all.
        whole: Credits,
        /// Months until all of it is vested.
        months: u32,
        /// Months before which nothing is vested; what these months would have brought comes at their
        /// end, in one part. With as many as `months`, all of it comes at once.
        cliff: u32,
        /// First moment of the first month.
        start: Moment,
        /// First moment at which whatever is left expires; `None`: never.
        end: Option<Moment>,
    },
    /// Awards, each at its own time.
    Milestones {
        /// First moment of use and micro-credits of each.
        awards: Vec<(Moment, Credits)>,
        /// First moment at which whatever is left expires; `None`: never.
        end: Option<Moment>,
    },
}

/// How much comes every month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monthly {
    /// So many micro-credits every month.
    Each(Credits),
    /// So many micro-credits in all, in equal parts.
    InAll(Credits),
}

/// What becomes of what a month leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unused {
    /// It expires with the month.
    EndsWithMonth,
    /// It stays usable until this moment; `None`: for ever.
    RollsOver(Option<Moment>),
}

/// One grant of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Micro-credits.
    pub amount: Credits,
    /// First moment of use.
    pub valid_from: Moment,
    /// First moment at which it is expired; `None`: never.
    pub valid_until: Option<Moment>,
}

impl Part {
    /// The grant that makes this part, out of a program.
    pub fn grant(self, program: ProgramId) -> Grant {
        let Part { amount, valid_from, valid_until } = self;
        Grant::One { program, amount, valid_from: Some(valid_from), valid_until }
    }
}

/// Why a plan cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// It has no month or no award.
    #[error("the plan has no part; give it at least one month or one award")]
    Empty,
    /// It is too long.
    #[error("a plan lasts {MONTHS_MAX} months at most")]
    TooLong,
    /// It has too many parts.
    #[error("the plan has {0} parts, and a wallet has room for {PARTS_MAX} of a class; make the rest of it when some of these are used up, or take a longer cliff")]
    TooManyParts(usize),
    /// The cliff is beyond the plan.
    #[error("the cliff of {cliff} months is longer than the plan of {months}; shorten the cliff")]
    CliffTooLong {
        /// Months before which nothing is vested.
        cliff: u32,
        /// Months of the plan.
        months: u32,
    },
    /// A part would hold nothing.
    #[error("a part of the plan would hold nothing: {} credits in {parts} parts; grant more, or in fewer parts", credits(*.whole))]
    NothingInPart {
        /// Micro-credits in all.
        whole: Credits,
        /// How many parts.
        parts: usize,
    },
    /// More credits than can be counted.
    #[error("the parts add up to more credits than the chain can count")]
    TooMuch,
    /// A part's time is beyond the calendar.
    #[error("the plan reaches beyond the year 9999; begin earlier or take fewer months")]
    BeyondCalendar,
    /// What is granted would end before it begins.
    #[error("part {part} would expire before it can be used; let the plan end later")]
    EndsTooEarly {
        /// Its number, from 1.
        part: usize,
    },
}

impl Plan {
    /// The parts, in the order in which they become usable.
    ///
    /// An amount that does not divide evenly is rounded down in every part, and what remains, less than a
    /// micro-credit per part, is in the last one.
    pub fn parts(&self) -> Result<Vec<Part>, PlanError> {
        let parts = match self {
            Plan::Monthly { amount, months, start, unused } => monthly(*amount, *months, *start, *unused)?,
            Plan::Vesting { whole, months, cliff, start, end } => {
                vesting(*whole, *months, *cliff, *start, *end)?
            }
            Plan::Milestones { awards, end } => milestones(awards, *end),
        };
        check(&parts)?;
        Ok(parts)
    }
}

fn monthly(amount: Monthly, months: u32, start: Moment, unused: Unused) -> Result<Vec<Part>, PlanError> {
    count_months(months)?;
    let amounts = match amount {
        Monthly::Each(each) => vec![each; months as usize],
        Monthly::InAll(whole) => equal_parts(whole, months),
    };
    let part = |(month, amount): (u32, Credits)| -> Result<Part, PlanError> {
        let end = month_end(start, month)?;
        let valid_until = match unused {
            Unused::EndsWithMonth => Some(end),
            Unused::RollsOver(end) => end,
        };
        Ok(Part { amount, valid_from: month_end(start, month - 1)?, valid_until })
    };
    (1..).zip(amounts).map(part).collect()
}

fn vesting(
    whole: Credits,
    months: u32,
    cliff: u32,
    start: Moment,
    end: Option<Moment>,
) -> Result<Vec<Part>, PlanError> {
    count_months(months)?;
    if cliff > months {
        return Err(PlanError::CliffTooLong { cliff, months });
    }
    // What the months up to the cliff bring comes in one part; without a cliff that is the first month.
    let first = cliff.max(1);
    let by_month = equal_parts(whole, months);
    let (at_cliff, after) = by_month.split_at(first as usize);
    let amounts = std::iter::once(at_cliff.iter().sum::<Credits>()).chain(after.iter().copied());
    let part = |(month, amount): (u32, Credits)| -> Result<Part, PlanError> {
        Ok(Part { amount, valid_from: month_end(start, month)?, valid_until: end })
    };
    (first..).zip(amounts).map(part).collect()
}

fn milestones(awards: &[(Moment, Credits)], end: Option<Moment>) -> Vec<Part> {
    let part = |(valid_from, amount): &(Moment, Credits)| Part {
        amount: *amount,
        valid_from: *valid_from,
        valid_until: end,
    };
    let mut parts: Vec<Part> = awards.iter().map(part).collect();
    parts.sort_by_key(|part| part.valid_from);
    parts
}

/// The moment at which so many months of a plan are over.
fn month_end(start: Moment, months: u32) -> Result<Moment, PlanError> {
    months_after(start, months).ok_or(PlanError::BeyondCalendar)
}

fn count_months(months: u32) -> Result<(), PlanError> {
    match months {
        0 => Err(PlanError::Empty),
        months if months > MONTHS_MAX => Err(PlanError::TooLong),
        _ => Ok(()),
    }
}

/// Parts that differ by nothing but the remainder, which is in the last one.
fn equal_parts(whole: Credits, count: u32) -> Vec<Credits> {
    let each = whole / Credits::from(count);
    let mut parts = vec![each; count as usize];
    if let Some(last) = parts.last_mut() {
        *last += whole % Credits::from(count);
    }
    parts
}

fn check(parts: &[Part]) -> Result<(), PlanError> {
    if parts.is_empty() {
        return Err(PlanError::Empty);
    }
    if parts.len() > PARTS_MAX {
        return Err(PlanError::TooManyParts(parts.len()));
    }
    let whole = parts.iter().try_fold(0, |sum: Credits, part| sum.checked_add(part.amount));
    let whole = whole.ok_or(PlanError::TooMuch)?;
    if parts.iter().any(|part| part.amount == 0) {
        return Err(PlanError::NothingInPart { whole, parts: parts.len() });
    }
    match parts.iter().position(|part| part.valid_until.is_some_and(|end| end <= part.valid_from)) {
        Some(at) => Err(PlanError::EndsTooEarly { part: at + 1 }),
        None => Ok(()),
    }
}

/// Credits with all six decimals.
fn credits(micro: Credits) -> String {
    format!("{}.{:06}", micro / MICRO_CREDITS_PER_CREDIT, micro % MICRO_CREDITS_PER_CREDIT)
}
