//! The validators whose signatures are believed.

use std::collections::BTreeMap;

use finality_grandpa::voter_set::VoterSet;
use serde::{Deserialize, Serialize};
use sp_consensus_grandpa::{AuthorityId, AuthorityList, AuthorityWeight, SetId};
use sp_core::{ed25519, H256};
use sp_runtime::traits::{BlakeTwo256, Hash};

use super::error::ProofError;

/// A chain's validators during one span of blocks: what whoever checks a proof has to trust.
///
/// Every change of the validators or of their keys makes a new set with the next number. A proof holds
/// against exactly the set that signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ValidatorSet {
    /// Hash of the chain's first block.
    pub genesis: H256,
    /// Number of the set: it counts the changes since genesis.
    pub set_id: SetId,
    /// Who votes on what is final.
    pub authorities: Vec<Authority>,
}

/// A validator as GRANDPA knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    /// ed25519 public key that signs votes: the `grandpa` part of the validator's session keys.
    pub key: H256,
    /// How much its vote counts; 1 for everybody on a Stipend chain.
    pub weight: AuthorityWeight,
}

impl ValidatorSet {
    /// The set as a chain's runtime tells it.
    pub(crate) fn new(genesis: H256, set_id: SetId, authorities: AuthorityList) -> Self {
        let authority = |(id, weight): (AuthorityId, AuthorityWeight)| Authority {
            key: H256(ed25519::Public::from(id).0),
            weight,
        };
        ValidatorSet { genesis, set_id, authorities: authorities.into_iter().map(authority).collect() }
    }

    /// A hash over all of it, short enough to be compared over the telephone.
    pub fn fingerprint(&self) -> H256 {
        let authorities: Vec<_> = self.authorities.iter().map(|one| (one.key, one.weight)).collect();
        BlakeTwo256::hash_of(&(self.genesis, self.set_id, authorities))
    }

    /// The set as GRANDPA counts votes.
    pub(super) fn voters(&self) -> Result<VoterSet<AuthorityId>, ProofError> {
        let voters = VoterSet::new(self.authorities.iter().map(|one| (one.id(), one.weight)));
        // A key named twice or without weight would be merged or dropped in silence.
        voters.filter(|voters| voters.len().get() == self.authorities.len()).ok_or(ProofError::BadSet)
    }

    /// Weight of the validators among `signers`, each counted once, and of all.
    pub(super) fn weight_of<'a>(
        &self,
        signers: impl Iterator<Item = &'a AuthorityId>,
    ) -> (AuthorityWeight, AuthorityWeight) {
        let weights: BTreeMap<AuthorityId, AuthorityWeight> =
            self.authorities.iter().map(|one| (one.id(), one.weight)).collect();
        let signed: BTreeMap<&AuthorityId, &AuthorityWeight> =
            signers.filter_map(|signer| weights.get_key_value(signer)).collect();
        (signed.into_values().sum(), weights.values().sum())
    }
}

impl Authority {
    fn id(&self) -> AuthorityId {
        ed25519::Public::from_raw(self.key.0).into()
    }
}
