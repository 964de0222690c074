//! What is known of the hardware behind a provider's key, and what the classes ask of it.

use alloc::{string::String, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::H256;

use crate::ids::{AccountId, BlockNumber, ClassId};

/// Where a provider's key is used, as far as the validators know in one block.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
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
#[serde(rename_all = "snake_case")]
pub enum EvidenceLevel {
    /// Nobody knows: there is no evidence in force.
    #[default]
    #[codec(index = 0)]
    Software,
    /// More than two thirds of the validators verified evidence of a GPU in confidential mode, and it
    /// has not run out.
    #[codec(index = 1)]
    Hardware,
}

/// What a class asks of the providers that its credits pay.
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
pub enum EvidencePolicy {
    /// Nothing.
    #[default]
    #[codec(index = 0)]
    None,
    /// Providers with evidence are the better choice; others are paid all the same.
    #[codec(index = 1)]
    Preferred,
    /// Whatever a provider without evidence charged goes back.
    #[codec(index = 2)]
    Required,
}

/// Everything that the chain knows of evidence in one block.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct EvidenceStatus {
    /// Whose tokens count; `None`: nobody's, so there is no evidence.
    pub trust: Option<TrustView>,
    /// The classes that ask for something, by number.
    pub classes: Vec<ClassEvidence>,
    /// Every registered provider, by account.
    pub providers: Vec<ProviderEvidence>,
}

/// Whose tokens count.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct TrustView {
    /// The issuer that tokens must name.
    pub issuer: String,
    /// Where the validators find the issuer's keys; `None`: the council hands them over.
    pub source: Option<String>,
    /// Blocks from one round to the next.
    pub period: BlockNumber,
    /// How many keys are in force.
    pub keys: u32,
    /// Block of the round in which the validators found them; `None`: they are the council's.
    pub keys_of_round: Option<BlockNumber>,
}

/// What a class asks for.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct ClassEvidence {
    /// The class.
    pub class: ClassId,
    /// What it asks for.
    pub policy: EvidencePolicy,
}

/// What is known of one provider.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct ProviderEvidence {
    /// The provider.
    pub provider: AccountId,
    /// Its level in this block.
    pub level: EvidenceLevel,
    /// The evidence in force; `None` at the level software.
    pub evidence: Option<EvidenceInForce>,
}

/// Evidence that has not run out.
#[derive(
    Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, Serialize, Deserialize,
)]
pub struct EvidenceInForce {
    /// Block that it was asked for at: its nonce is made from this block's hash.
    pub round: BlockNumber,
    /// First block in which it counts no longer.
    pub until: BlockNumber,
    /// How many GPUs were attested.
    pub devices: u32,
    /// Hash over the sorted ids and models of the GPUs: the same machine has the same.
    pub digest: H256,
}
