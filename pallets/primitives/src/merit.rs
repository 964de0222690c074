//! Outcomes: what compute led to, and what that earns.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{bounded::BoundedVec, ConstU32, H256};
use sp_io::hashing::blake2_256;

use crate::{
    ids::{AccountId, Credits, Moment, ProgramId},
    view::decimal,
};

mod awards;
mod outcome;
mod view;

pub use awards::{Awards, TakenBack, ISSUER};
pub use outcome::{Contest, MeritAccount, Outcome, Standing, Sums};
pub use view::{EvaluatorUse, KindView, OutcomeView, WalletMerit};

/// Identifies a kind of outcome, for ever.
pub type KindId = u16;

/// Identifies one outcome, for ever: ids are never used again.
pub type OutcomeId = u64;

/// Receipts that an outcome names one by one. More are named by one hash over all of them.
pub const RECEIPTS_MAX: u32 = 16;

/// What separates the hash over many receipts from every other hash.
const RECEIPTS_DOMAIN: &[u8] = b"stipend/merit/receipts";

/// What an outcome of a kind earns, and within which limits.
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
pub struct Rule {
    /// The budget that pays; its class is what is earned.
    pub program: ProgramId,
    /// Micro-credits for one unit of weight.
    #[serde(with = "decimal")]
    pub award: Credits,
    /// Micro-credits that one wallet can earn in a period.
    #[serde(with = "decimal")]
    pub wallet_cap: Credits,
    /// Micro-credits that the outcomes of one evaluator can earn in a period, all wallets together: what its
    /// stolen key is worth.
    #[serde(with = "decimal")]
    pub evaluator_cap: Credits,
    /// Length of a period in ms. Periods follow each other from the Unix epoch on.
    pub period_ms: Moment,
    /// How long an outcome can be contested or withdrawn, in ms.
    pub window_ms: Moment,
    /// How long what was earned can be used, in ms; at least as long as the window.
    pub lasts_ms: Moment,
    /// First moment at which nothing new counts (Unix time, ms).
    pub sunset: Moment,
}

impl Rule {
    /// What an outcome of this weight earns; `None`: more than can be counted.
    pub fn earned(&self, weight: u32) -> Option<Credits> {
        self.award.checked_mul(weight.into())
    }
}

/// A rule and when it holds.
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
pub struct DatedRule {
    /// Its number among the kind's rules: 1, 2, 3 …
    pub version: u32,
    /// When it was announced (Unix time, ms).
    pub announced_at: Moment,
    /// First moment at which it holds (Unix time, ms); it holds until the next one does.
    pub from: Moment,
    /// The rule.
    pub rule: Rule,
}

/// Where an outcome came from.
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
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// From these receipts, each id once, in ascending order.
    #[codec(index = 0)]
    Receipts(BoundedVec<H256, ConstU32<RECEIPTS_MAX>>),
    /// From more receipts than stand here.
    #[codec(index = 1)]
    ManyReceipts {
        /// [`hash_of_receipts`].
        hash: H256,
        /// How many.
        count: u32,
    },
    /// From all requests under a purpose tag: BLAKE2b-256 of the tag.
    #[codec(index = 2)]
    Purpose(H256),
}

impl Source {
    /// Receipts by their ids, in any order; `None` if there are none.
    pub fn of_receipts(mut ids: Vec<[u8; 32]>) -> Option<Source> {
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            return None;
        }
        let count = u32::try_from(ids.len()).ok()?;
        let hash = hash_of_receipts(&ids);
        let few = BoundedVec::try_from(ids.into_iter().map(H256).collect::<Vec<_>>());
        Some(few.map_or(Source::ManyReceipts { hash, count }, Source::Receipts))
    }

    /// A purpose tag.
    pub fn of_purpose(tag: &str) -> Source {
        Source::Purpose(H256(blake2_256(tag.as_bytes())))
    }

    /// Whether there is one way only to say this.
    pub fn is_canonical(&self) -> bool {
        match self {
            Source::Receipts(ids) => !ids.is_empty() && ids.windows(2).all(|pair| pair[0] < pair[1]),
            Source::ManyReceipts { count, .. } => *count > RECEIPTS_MAX,
            Source::Purpose(_) => true,
        }
    }

    /// What backs at most one outcome of a kind: each receipt, or the hash over many. A purpose backs as many as
    /// like.
    pub fn backing(&self) -> &[H256] {
        match self {
            Source::Receipts(ids) => ids,
            Source::ManyReceipts { hash, .. } => core::slice::from_ref(hash),
            Source::Purpose(_) => &[],
        }
    }
}

/// Names many receipts: BLAKE2b-256 over a domain and their ids in ascending order, each once.
pub fn hash_of_receipts(sorted: &[[u8; 32]]) -> H256 {
    H256(blake2_256(&[RECEIPTS_DOMAIN, sorted.as_flattened()].concat()))
}

/// What an evaluator says.
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
pub struct Record {
    /// What kind of outcome it is.
    pub kind: KindId,
    /// Whose compute led to it.
    pub wallet: AccountId,
    /// How much of it.
    pub weight: u32,
    /// Hash of what shows it: a commit, a survey's answer, a report. Counts once per kind, for ever.
    pub evidence: H256,
    /// Where it came from.
    pub source: Source,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_in_any_order_are_one_source() {
        let ids: Vec<[u8; 32]> = (0..RECEIPTS_MAX as u8 + 1).map(|id| [id; 32]).collect();
        for count in [1, RECEIPTS_MAX as usize, ids.len()] {
            let mut mixed: Vec<_> = ids[..count].iter().rev().copied().collect();
            mixed.push(ids[0]);
            let source = Source::of_receipts(mixed);
            assert_eq!(source, Source::of_receipts(ids[..count].to_vec()));
            let source = source.expect("there are some");
            assert!(source.is_canonical());
            assert_eq!(source.backing().len(), if count > RECEIPTS_MAX as usize { 1 } else { count });
        }
        assert_eq!(Source::of_receipts(Vec::new()), None);
    }

    #[test]
    fn what_can_be_said_in_two_ways_is_not_canonical() {
        let ids = |ids: &[u8]| {
            let ids = ids.iter().map(|id| H256([*id; 32])).collect();
            Source::Receipts(BoundedVec::truncate_from(ids))
        };
        for source in [ids(&[]), ids(&[2, 1]), ids(&[1, 1])] {
            assert!(!source.is_canonical(), "{source:?}");
        }
        assert!(!Source::ManyReceipts { hash: H256::zero(), count: RECEIPTS_MAX }.is_canonical());
        assert!(Source::of_purpose("thesis").is_canonical());
    }
}
