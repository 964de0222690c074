//! An outcome as the chain keeps it, and sums over outcomes.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;

use super::Record;
use crate::{
    ids::{AccountId, ClassId, Credits, EntitlementId, Moment, ProgramId},
    view::decimal,
};

/// What became of an outcome.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody contested it. It counts, and for good once its window is closed.
    #[codec(index = 0)]
    Open,
    /// It is contested, and counts until the council decides.
    #[codec(index = 1)]
    Contested,
    /// It was contested, and the council let it stand.
    #[codec(index = 2)]
    Upheld,
    /// Its evaluator withdrew it.
    #[codec(index = 3)]
    Withdrawn,
    /// The council took it back.
    #[codec(index = 4)]
    Overturned,
}

impl Standing {
    /// Whether the outcome counts no longer.
    pub fn is_reverted(self) -> bool {
        matches!(self, Standing::Withdrawn | Standing::Overturned)
    }
}

/// Who says that an outcome is none.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct Contest {
    /// Who.
    pub by: AccountId,
    /// Hash of the reasons.
    pub reason: H256,
}

/// An outcome, what it earned, and what became of that.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct Outcome {
    /// What its evaluator said.
    #[serde(flatten)]
    pub record: Record,
    /// Who recorded it.
    pub evaluator: AccountId,
    /// The version of the kind's rule that it earned by.
    pub rule: u32,
    /// What was earned.
    pub class: ClassId,
    /// The budget that paid.
    pub program: ProgramId,
    /// When it was recorded (Unix time, ms).
    pub recorded_at: Moment,
    /// First moment at which it can be contested and withdrawn no longer (Unix time, ms); or when the council
    /// decided, if that was later.
    pub closes_at: Moment,
    /// Micro-credits earned.
    #[serde(with = "decimal")]
    pub earned: Credits,
    /// Micro-credits of them that were minted. The rest paid what the wallet owed.
    #[serde(with = "decimal")]
    pub minted: Credits,
    /// What was minted; `None`: everything paid a debt.
    pub entitlement: Option<EntitlementId>,
    /// Micro-credits taken back after it was reverted.
    #[serde(with = "decimal")]
    pub taken: Credits,
    /// Micro-credits that had expired or were revoked by others when it was reverted: nobody used them.
    #[serde(with = "decimal")]
    pub lapsed: Credits,
    /// Micro-credits that were used or reserved when it was reverted and did not come back since.
    #[serde(with = "decimal")]
    pub owed: Credits,
    /// What became of it.
    pub standing: Standing,
    /// Who contested it, and why.
    pub contest: Option<Contest>,
}

/// Sums over outcomes: `minted - taken - lapsed = earned + owed`, over all that a wallet has in a class.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct Sums {
    /// Micro-credits earned by outcomes that were not reverted.
    #[serde(with = "decimal")]
    pub earned: Credits,
    /// Micro-credits minted, whatever became of them.
    #[serde(with = "decimal")]
    pub minted: Credits,
    /// Micro-credits taken back.
    #[serde(with = "decimal")]
    pub taken: Credits,
    /// Micro-credits of reverted outcomes that expired or were revoked by others.
    #[serde(with = "decimal")]
    pub lapsed: Credits,
}

/// What a wallet earned of a class, and what it owes.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct MeritAccount {
    /// Sums over all its outcomes, those that are forgotten included.
    #[serde(flatten)]
    pub sums: Sums,
    /// Micro-credits that it used of outcomes which were reverted: its next outcomes pay them first.
    #[serde(with = "decimal")]
    pub owed: Credits,
}
