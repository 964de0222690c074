//! What the pallet keeps, and what it needs of the runtime.

use alloc::string::String;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::BoundedVec;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{ConstU32, H256};
use stipend_primitives::{
    attestation::GpuUse,
    batch::SignedBatch,
    settlement::{Refunds, VerdictKind},
    view::hex_32,
    AccountId, Credits, PublicKey,
};

/// Authorities whose votes are kept for one item: far more validators than a company runs, and the
/// votes on one item stay below 7 kB.
pub const AUTHORITIES_MAX: u32 = 100;

/// How often a validator may change its mind on one item, besides giving up. Two changes are honest (the attestation
/// comes late, then turns out to be one of two); the rest is slack, and then it is a flood.
pub const VOTE_CHANGES_MAX: u8 = 8;

/// Refunds paid in the block of the quorum; a longer list is paid over the next blocks, as their
/// weight allows. These many cost a fraction of a block.
pub const REFUNDS_AT_ONCE_MAX: u32 = 2_048;

/// A validator's vote on an open item.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct VoteRecord {
    /// The validator's settlement key.
    pub validator: PublicKey,
    /// Hash of the verdict that it voted for.
    pub verdict_hash: H256,
    /// Which kind of verdict that is.
    pub kind: VerdictKind,
    /// How often it changed its mind.
    pub changes: u8,
}

/// The votes on an open item, at most one per validator.
pub type VoteRecords = BoundedVec<VoteRecord, ConstU32<AUTHORITIES_MAX>>;

/// Who voted in the session under way.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct SessionTurnout {
    /// Items settled.
    pub settled: u32,
    /// On how many of them each authority voted before they were settled, in the authorities' order.
    pub votes: BoundedVec<u32, ConstU32<AUTHORITIES_MAX>>,
}

/// A verdict of the quorum whose refunds are not all paid yet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct QueuedRefunds {
    /// Which kind of verdict it is.
    pub kind: VerdictKind,
    /// Refunds still to pay.
    pub refunds: Refunds,
    /// What the provider's GPUs took, by the attestation that the quorum agreed on.
    pub gpu: GpuUse,
    /// Micro-credits given back so far.
    pub refunded: Credits,
}

/// A provider in the chain specification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisProvider {
    /// The provider's account.
    pub account: AccountId,
    /// The key that its attestations are signed with, in hex.
    #[serde(with = "hex_32")]
    pub key: PublicKey,
    /// Where its attestor answers: `http://` or `https://`, host, optional port.
    pub endpoint: String,
}

/// Finds a batch in an extrinsic of a block.
///
/// The off-chain worker needs the batch itself to compute refunds, and only the runtime knows what
/// its extrinsics look like.
pub trait ExtractBatch {
    /// The batch that `extrinsic` submits; `None` if it is another transaction. `extrinsic` is the
    /// SCALE encoding of the block's extrinsic, its length in front.
    fn extract(extrinsic: &[u8]) -> Option<SignedBatch>;
}
