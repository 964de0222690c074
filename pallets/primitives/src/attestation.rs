//! What a provider signs about what it served.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;

use crate::{
    ids::{AccountId, Digest, PublicKey, Sequence, Signature},
    signing,
};

/// What serving took of a provider's GPUs, as their own counters say; absent where there is no GPU to ask.
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
pub struct GpuUse {
    /// GPU time in milliseconds.
    pub time_ms: Option<u64>,
    /// Energy in millijoules.
    pub energy_mj: Option<u64>,
}

/// A provider's statement of what it served for one gateway over one range of sequence numbers.
///
/// The root stands over [`UsageLeaf`](crate::leaf::UsageLeaf)s with the provider's own counts, for
/// exactly the sequence numbers that the gateway claimed from this provider in the range.
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
pub struct Attestation {
    /// Who served.
    pub provider: AccountId,
    /// For whom.
    pub gateway: AccountId,
    /// First sequence number of the gateway's batch.
    pub first_seq: Sequence,
    /// Last sequence number of the gateway's batch.
    pub last_seq: Sequence,
    /// How many of the range's receipts are this provider's.
    pub count: u32,
    /// Sum of [`Usage::input`](crate::cost::Usage::input).
    pub input: u64,
    /// Sum of [`Usage::cached_input`](crate::cost::Usage::cached_input).
    pub cached_input: u64,
    /// Sum of [`Usage::output`](crate::cost::Usage::output).
    pub output: u64,
    /// Root over the provider's leaves.
    pub root: H256,
    /// GPU time of the range, in milliseconds; absent where there is no GPU to ask.
    pub gpu_time_ms: Option<u64>,
    /// Energy of the range, in millijoules; absent where there is no GPU to ask.
    pub energy_mj: Option<u64>,
}

impl Attestation {
    /// What the range took of the provider's GPUs.
    pub fn gpu_use(&self) -> GpuUse {
        GpuUse { time_ms: self.gpu_time_ms, energy_mj: self.energy_mj }
    }

    /// The 32 bytes that the provider's key signs.
    pub fn signing_payload(&self, genesis: &H256) -> [u8; 32] {
        signing::payload(signing::Domain::Attestation, genesis, &self.encode())
    }
}

/// An attestation and its provider's signature: the body that an attestor answers with.
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
pub struct SignedAttestation {
    /// What is signed.
    pub attestation: Attestation,
    /// Signature over [`Attestation::signing_payload`], in hex.
    #[serde(with = "crate::view::hex_64")]
    pub signature: Signature,
}

impl SignedAttestation {
    /// Whether the signature is `key`'s, for this chain.
    pub fn verifies(&self, genesis: &H256, key: &PublicKey) -> bool {
        signing::verify(&self.attestation.signing_payload(genesis), &self.signature, key)
    }
}

/// A gateway tells a provider which of its requests stand where in a batch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Claim {
    /// Who metered.
    pub gateway: AccountId,
    /// To whom it is said.
    pub provider: AccountId,
    /// First sequence number of the batch.
    pub first_seq: Sequence,
    /// Last sequence number of the batch.
    pub last_seq: Sequence,
    /// The provider's receipts in the batch, in the order of their numbers.
    pub requests: alloc::vec::Vec<(Sequence, Digest)>,
}

impl Claim {
    /// The 32 bytes that the gateway signs.
    pub fn signing_payload(&self, genesis: &H256) -> [u8; 32] {
        signing::payload(signing::Domain::Claim, genesis, &self.encode())
    }
}

/// A claim and its gateway's signature: the SCALE-encoded body of `POST /v1/claims`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct SignedClaim {
    /// What is signed.
    pub claim: Claim,
    /// The gateway's signature over [`Claim::signing_payload`].
    pub signature: Signature,
}
