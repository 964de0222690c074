//! Verdicts and votes.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{bounded::BoundedVec, ConstU32, H256};

use crate::{
    attestation::GpuUse,
    batch::DEBITS_MAX,
    ids::{AccountId, ClassId, Credits, Sequence},
    signing,
};

/// Names what is settled: one provider's part of one batch.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
// Accounts are hashable only off-chain.
#[cfg_attr(feature = "std", derive(Hash))]
pub struct Item {
    /// Who metered.
    pub gateway: AccountId,
    /// First sequence number of the batch.
    pub first_seq: Sequence,
    /// Who served.
    pub provider: AccountId,
}

/// Credits that go back to a wallet.
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
pub struct Refund {
    /// Whose wallet.
    pub owner: AccountId,
    /// In which class.
    pub class: ClassId,
    /// Micro-credits.
    #[serde(with = "crate::view::decimal")]
    pub amount: Credits,
}

/// Refunds of one verdict: nothing goes back to a pair of wallet and class that the batch did not debit.
pub const REFUNDS_MAX: u32 = DEBITS_MAX;

/// Refunds sorted by (owner, class), each pair once, no zero: one canonical list for one result.
pub type Refunds = BoundedVec<Refund, ConstU32<REFUNDS_MAX>>;

/// What a validator concludes of an [`Item`].
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
pub enum Verdict {
    /// The provider's root is the gateway's root, and no class misses evidence that it requires.
    #[codec(index = 0)]
    Match,
    /// Per receipt the smaller claim counts, and the difference goes back; so does what a class that requires
    /// evidence paid to a provider without it.
    #[codec(index = 1)]
    Adjust {
        /// Root over the provider's leaves, so that all votes speak of one attestation.
        provider_root: H256,
        /// Receipts on which the two differ, or that lack the evidence that a class requires.
        receipts: u32,
        /// What goes back.
        refunds: Refunds,
    },
    /// No valid attestation came in time: each class's policies decide what goes back.
    #[codec(index = 2)]
    Unattested {
        /// What goes back.
        refunds: Refunds,
    },
}

impl Verdict {
    /// The refunds of the verdict.
    pub fn refunds(&self) -> &[Refund] {
        match self {
            Verdict::Match => &[],
            Verdict::Adjust { refunds, .. } | Verdict::Unattested { refunds } => refunds,
        }
    }

    /// The verdict without its list.
    pub fn kind(&self) -> VerdictKind {
        match self {
            Verdict::Match => VerdictKind::Match,
            Verdict::Adjust { .. } => VerdictKind::Adjust,
            Verdict::Unattested { .. } => VerdictKind::Unattested,
        }
    }
}

/// The three verdicts by name.
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
pub enum VerdictKind {
    /// See [`Verdict::Match`].
    #[codec(index = 0)]
    Match,
    /// See [`Verdict::Adjust`].
    #[codec(index = 1)]
    Adjust,
    /// See [`Verdict::Unattested`].
    #[codec(index = 2)]
    Unattested,
}

/// What becomes of charges that a provider does not attest, per class.
#[derive(
    Clone,
    Copy,
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
#[serde(rename_all = "snake_case")]
pub enum UnattestedPolicy {
    /// They go back to the wallets.
    #[default]
    #[codec(index = 0)]
    Refund,
    /// They stand, and the settlement says that they were not attested.
    #[codec(index = 1)]
    Accept,
}

/// Who votes on settlements in the session under way.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct Turnout {
    /// Items settled.
    pub settled: u32,
    /// On how many of them each validator voted before they were settled.
    pub votes: Vec<(AccountId, u32)>,
}

/// One validator's vote: the argument of `settlement.vote`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Vote {
    /// What is settled.
    pub item: Item,
    /// Hash of the batch, so that a vote counts only for the batch it was cast on.
    pub batch_hash: H256,
    /// The conclusion.
    pub verdict: Verdict,
    /// What the attestation that it rests on says of the provider's GPUs; nothing without one.
    pub gpu: GpuUse,
}

impl Vote {
    /// Names what is voted for: votes agree if they are for one hash.
    pub fn verdict_hash(&self) -> H256 {
        H256(sp_io::hashing::blake2_256(&(&self.verdict, &self.gpu).encode()))
    }

    /// The 32 bytes that the validator's settlement key signs.
    pub fn signing_payload(&self, genesis: &H256) -> [u8; 32] {
        signing::payload(signing::Domain::Vote, genesis, &self.encode())
    }
}
