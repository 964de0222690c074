//! What the pallet keeps, and what validators report.

use alloc::string::String;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::BoundedVec;
use pallet_settlement::types::AUTHORITIES_MAX;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{ConstU32, H256};
use stipend_evidence_token::{KeySet, Policy, DEVICES_MAX};
use stipend_primitives::{evidence::EvidencePolicy, signing, AccountId, BlockNumber, ClassId, PublicKey};

/// Blocks from one round to the next at least: one until the hash of the round's block is known, the rest
/// for the answers and the votes.
pub const PERIOD_MIN: BlockNumber = 10;

/// Blocks from one round to the next at most: evidence then lasts for an hour, as NVIDIA's tokens do, and
/// the hashes of so many blocks are known.
pub const PERIOD_MAX: BlockNumber = 1_200;

/// Blocks from one round to the next unless the council says otherwise: ten minutes.
pub const PERIOD_DEFAULT: BlockNumber = 600;

/// Rounds that evidence lasts: one may fail, and a second one, before a provider loses it.
pub const ROUNDS_IN_FORCE: BlockNumber = 3;

/// Classes that can ask for something: as many as the registry holds.
pub const CLASSES_MAX: u32 = 32;

/// Bytes of the address of a key set: that of NVIDIA's has 66.
pub const SOURCE_LEN_MAX: u32 = 256;

/// The address of a JSON Web Key Set.
pub type SourceUrl = BoundedVec<u8, ConstU32<SOURCE_LEN_MAX>>;

/// The GPUs of one provider: the BLAKE2b-256 hashes of their unique ids, ascending.
pub type Devices = BoundedVec<H256, ConstU32<{ DEVICES_MAX as u32 }>>;

/// Whose tokens count, and how often they are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Trust {
    /// What tokens must satisfy; their issuer's name among it.
    pub policy: Policy,
    /// Where the validators find the issuer's keys (`https://`); `None`: the council hands them over.
    pub source: Option<SourceUrl>,
    /// Blocks from one round to the next.
    pub period: BlockNumber,
}

/// The trust in force.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct TrustRecord {
    /// What the council trusts.
    pub trust: Trust,
    /// Block in which its policy was set: evidence of rounds up to then counts no longer.
    pub since: BlockNumber,
}

/// The keys in force.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct KeysRecord {
    /// The keys.
    pub keys: KeySet,
    /// Round in which the validators found them; `None`: they are the council's.
    pub round: Option<BlockNumber>,
}

/// Evidence that the validators found.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct EvidenceRecord {
    /// Block of the round.
    pub round: BlockNumber,
    /// First block in which it counts no longer.
    pub until: BlockNumber,
    /// Hash over the sorted ids and models of the GPUs.
    pub digest: H256,
    /// The GPUs.
    pub devices: Devices,
}

/// What a class asks of providers.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct ClassRule {
    /// The class.
    pub class: ClassId,
    /// What it asks of batches that come in block `since` or later.
    pub policy: EvidencePolicy,
    /// First block of the policy.
    pub since: BlockNumber,
    /// What it asked of the batches before: a batch is settled by the rule of its own block.
    pub before: EvidencePolicy,
}

impl ClassRule {
    /// What the class asked of batches that came in block `at`.
    pub fn policy_at(&self, at: BlockNumber) -> EvidencePolicy {
        if at >= self.since {
            self.policy
        } else {
            self.before
        }
    }
}

/// What validators report in a round: the argument of `report`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Finding {
    /// A provider has valid evidence.
    #[codec(index = 0)]
    Evidence {
        /// The provider.
        provider: AccountId,
        /// Block of the round.
        round: BlockNumber,
        /// What the evidence answered: made from the provider's key and the hash of the round's block.
        nonce: [u8; 32],
        /// Hash over the sorted ids and models of the GPUs.
        digest: H256,
        /// The GPUs.
        devices: Devices,
    },
    /// The issuer publishes these keys.
    #[codec(index = 1)]
    Keys {
        /// Block of the round.
        round: BlockNumber,
        /// Where they were found.
        source: SourceUrl,
        /// The keys, sorted by id.
        keys: KeySet,
    },
}

impl Finding {
    /// Block of the round.
    pub fn round(&self) -> BlockNumber {
        match self {
            Finding::Evidence { round, .. } | Finding::Keys { round, .. } => *round,
        }
    }

    /// What it is about.
    pub fn subject(&self) -> Subject {
        match self {
            Finding::Evidence { provider, .. } => Subject::Evidence(provider.clone()),
            Finding::Keys { .. } => Subject::Keys,
        }
    }

    /// Names the finding: votes agree if they are for one hash.
    pub fn hash(&self) -> H256 {
        H256(sp_io::hashing::blake2_256(&self.encode()))
    }

    /// The 32 bytes that the validator's settlement key signs.
    pub fn signing_payload(&self, genesis: &H256) -> [u8; 32] {
        signing::payload(signing::Domain::Finding, genesis, &self.encode())
    }

    /// How many GPUs and how many keys it names.
    pub(crate) fn counts(&self) -> (u32, u32) {
        match self {
            Finding::Evidence { devices, .. } => (devices.len() as u32, 0),
            Finding::Keys { keys, .. } => (0, keys.keys().len() as u32),
        }
    }
}

/// What findings are about.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Subject {
    /// The evidence of a provider.
    #[codec(index = 0)]
    Evidence(AccountId),
    /// The keys of the issuer.
    #[codec(index = 1)]
    Keys,
}

/// A validator's vote on a subject.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct FindingVote {
    /// The validator's settlement key.
    pub validator: PublicKey,
    /// Hash of the finding that it reported.
    pub finding_hash: H256,
}

/// The votes on a subject in one round, one per validator.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct FindingVotes {
    /// Block of the round.
    pub round: BlockNumber,
    /// The votes.
    pub votes: BoundedVec<FindingVote, ConstU32<AUTHORITIES_MAX>>,
}

/// What is trusted from the first block on, in the chain specification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenesisTrust {
    /// The issuer that tokens must name.
    pub issuer: String,
    /// Address of its key set; left out: the council hands keys over.
    #[serde(default)]
    pub source: Option<String>,
    /// Blocks from one round to the next.
    #[serde(default = "period_default")]
    pub period: BlockNumber,
}

fn period_default() -> BlockNumber {
    PERIOD_DEFAULT
}

impl GenesisTrust {
    /// The same as the state keeps it; `None` if a text is too long.
    pub(crate) fn trust(&self) -> Option<Trust> {
        let bytes = |text: &String| text.as_bytes().to_vec();
        let source = match &self.source {
            Some(source) => Some(SourceUrl::try_from(bytes(source)).ok()?),
            None => None,
        };
        let issuer = BoundedVec::try_from(bytes(&self.issuer)).ok()?;
        Some(Trust { policy: Policy { issuer, ..Policy::default() }, source, period: self.period })
    }
}
