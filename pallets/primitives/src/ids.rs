//! Identifiers and units.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
pub use sp_core::crypto::AccountId32 as AccountId;
use sp_core::{bounded::BoundedVec, ConstU32, H256};

/// An amount of compute: a count of micro-credits (10^-6 credit). Never a float.
pub type Credits = u128;

/// Micro-credits in one credit, the unit that people read.
pub const MICRO_CREDITS_PER_CREDIT: Credits = 1_000_000;

/// Unix time in milliseconds, as `pallet-timestamp` keeps it.
pub type Moment = u64;

/// Height of a block.
pub type BlockNumber = u32;

/// Identifies one entitlement, for ever: ids are never used again.
pub type EntitlementId = u64;

/// Identifies a program (a budget pool of one class).
pub type ProgramId = u32;

/// Identifies a basket (a template of several grants).
pub type BasketId = u32;

/// Position of a receipt in the sequence of one gateway: 0, 1, 2 … without a gap.
pub type Sequence = u64;

/// Version of a price book: 1, 2, 3 …
pub type BookVersion = u32;

/// Bytes of a request digest.
pub const DIGEST_LEN: usize = 16;

/// Names one request to gateway and provider alike, and commits to what was asked.
///
/// The gateway makes it: BLAKE2b-128 keyed with a secret of its own, over a nonce and the request's
/// body. Who has the secret can show which prompt it stands for; nobody else learns a thing from it.
pub type Digest = [u8; DIGEST_LEN];

/// BLAKE2b-256 of the API key's text as the caller presents it.
pub type KeyHash = H256;

/// An ed25519 public key.
pub type PublicKey = [u8; 32];

/// An ed25519 signature.
pub type Signature = [u8; 64];

/// The ed25519 public key by which a node is known in the network.
pub type NodeKey = H256;

/// Nodes of the network at most: more than a company runs, and a list that is read in a millisecond.
pub const NODES_MAX: u32 = 256;

/// Bytes of a class, model or program name: fits a table column and a Prometheus label.
pub const NAME_LEN_MAX: u32 = 64;

/// A name in UTF-8.
pub type Name = BoundedVec<u8, ConstU32<NAME_LEN_MAX>>;

/// Bytes of a service's address.
pub const ENDPOINT_LEN_MAX: u32 = 256;

/// A service's address: `http://` or `https://`, host, optional port, no path.
pub type Endpoint = BoundedVec<u8, ConstU32<ENDPOINT_LEN_MAX>>;

/// What an entitlement buys. The registry of classes is open; four are there from genesis.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
    Default,
)]
#[serde(transparent)]
pub struct ClassId(pub u16);

impl ClassId {
    /// General use.
    pub const INNOVATION: ClassId = ClassId(0);
    /// Queue priority and premium models: the class that priority fees are paid in.
    pub const PRIORITY: ClassId = ClassId(1);
    /// Images and video.
    pub const RENDER: ClassId = ClassId(2);
    /// Models that reason at length.
    pub const REASONING: ClassId = ClassId(3);
}

/// A model, by the number that the price books give it. A number never changes its name.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
    Default,
)]
#[serde(transparent)]
pub struct ModelId(pub u16);

impl ModelId {
    /// What an attestor writes for a request that it never metered. No price book has it.
    pub const UNKNOWN: ModelId = ModelId(u16::MAX);
}

/// What an account may do. One account can have several roles.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Grants roles, publishes prices, registers classes.
    #[codec(index = 0)]
    Council,
    /// Mints and revokes entitlements (HR).
    #[codec(index = 1)]
    Issuer,
    /// Reserves credits and submits batches of receipts.
    #[codec(index = 2)]
    Gateway,
    /// Serves inference and attests what it served.
    #[codec(index = 3)]
    Provider,
    /// Makes blocks and votes on settlements.
    #[codec(index = 4)]
    Validator,
    /// Records outcomes.
    #[codec(index = 5)]
    Evaluator,
    /// Reads everything, changes nothing.
    #[codec(index = 6)]
    Auditor,
}
