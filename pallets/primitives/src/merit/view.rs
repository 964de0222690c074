//! What the runtime API answers about merit, which is also what JSON-RPC shows.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

use super::{DatedRule, KindId, MeritAccount, Outcome, OutcomeId, Sums};
use crate::{
    ids::{ClassId, Credits, Moment, Name},
    view::{decimal, text},
};

/// A kind of outcome.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct KindView {
    /// Its number.
    pub id: KindId,
    /// Its name.
    #[serde(with = "text")]
    pub name: Name,
    /// What it earns, for ever.
    pub class: ClassId,
    /// The rule by which an outcome recorded now earns; `None`: the first one is still to come.
    pub in_force: Option<DatedRule>,
    /// The next rule.
    pub announced: Option<DatedRule>,
    /// Outcomes ever recorded.
    pub outcomes: u64,
    /// Outcomes that were reverted.
    pub reverted: u64,
    /// Sums over all of them.
    #[serde(flatten)]
    pub sums: Sums,
}

/// One outcome with its number.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct OutcomeView {
    /// Its number.
    pub id: OutcomeId,
    /// The outcome.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What a wallet earned.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct WalletMerit {
    /// Per class, by number.
    pub classes: Vec<(ClassId, MeritAccount)>,
    /// The outcomes that the chain remembers, newest first.
    pub outcomes: Vec<OutcomeView>,
}

/// What an evaluator's outcomes of one kind may earn in this period.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct EvaluatorUse {
    /// The kind.
    pub kind: KindId,
    /// Its name.
    #[serde(with = "text")]
    pub name: Name,
    /// Micro-credits in a period.
    #[serde(with = "decimal")]
    pub cap: Credits,
    /// Micro-credits that they earned, whatever became of them.
    #[serde(with = "decimal")]
    pub awarded: Credits,
    /// Micro-credits that they can still earn.
    #[serde(with = "decimal")]
    pub left: Credits,
    /// First moment of the next period (Unix time, ms).
    pub period_ends_at: Moment,
}
