//! What the pallet stores besides what everybody sees, and every bound with its reason.

use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::traits::ConstU32;
use scale_info::TypeInfo;
use sp_core::bounded::BoundedVec;
use stipend_primitives::{
    merit::{OutcomeId, Record},
    ClassId, Credits, Moment, Name,
};

const HOUR_MS: Moment = 3_600_000;

/// Kinds of outcomes: several for each team of a large company, and listed in one answer.
pub const KINDS_MAX: u32 = 256;

/// Outcomes in one `record_many`: less than a quarter of a block, were each backed by as many receipts as can be.
pub const RECORDS_MAX: u32 = 256;

/// Outcomes in one `decide`: the council's answer to a storm, in a call that half a block holds.
pub const DECIDED_MAX: u32 = 256;

/// Contests of one account that are open at a time: whoever contests everything keeps nobody else from it.
pub const CONTESTS_MAX: u32 = 1_024;

/// Contests in one answer: about 400 kB.
pub const CONTESTS_PAGE_MAX: u32 = 1_024;

/// Outcomes of one wallet in one answer, newest first: about 400 kB.
pub const OUTCOMES_PAGE_MAX: usize = 1_024;

/// Outcomes that the sweep looks at in a block: ten thousand in a quarter of an hour, and two milliseconds.
pub const SWEEP_MAX: u32 = 16;

/// The shortest period of a rule's caps: a cap that is new every minute bounds nothing.
pub const PERIOD_MIN_MS: Moment = HOUR_MS;

/// The longest window: whoever earned something knows within a quarter that it is theirs.
pub const WINDOW_MAX_MS: Moment = 90 * 24 * HOUR_MS;

/// Outcomes to record.
pub type Records = BoundedVec<Record, ConstU32<RECORDS_MAX>>;

/// Outcomes that the council decides on.
pub type Decided = BoundedVec<OutcomeId, ConstU32<DECIDED_MAX>>;

/// A kind of outcome, and sums over its outcomes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Kind {
    /// Its name, for ever.
    pub name: Name,
    /// What it earns, for ever.
    pub class: ClassId,
    /// The version given last.
    pub last_version: u32,
    /// The rule that holds, unless the announced one does by now; `None`: the first is still announced.
    pub in_force: Option<u32>,
    /// The rule announced last.
    pub announced: Option<u32>,
    /// Over all outcomes.
    pub all: Tally,
    /// Over those that are forgotten: what is remembered is the rest.
    pub forgotten: Tally,
}

/// Sums over outcomes of a kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Tally {
    /// How many.
    pub outcomes: u64,
    /// How many of them were reverted.
    pub reverted: u64,
    /// What they earned, and what became of it.
    pub sums: stipend_primitives::merit::Sums,
}

/// What an evaluator's outcomes, or a wallet's, earned in a period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Use {
    /// First moment of the next period. Another rule does not end a period early.
    #[codec(compact)]
    pub ends_at: Moment,
    /// Micro-credits earned in the period. Nothing that is reverted lowers it.
    #[codec(compact)]
    pub awarded: Credits,
    /// The largest cap under which some of them were earned: `awarded` never exceeds it.
    #[codec(compact)]
    pub ceiling: Credits,
}
