//! Checking that validators made a block final, by nothing but their signatures.
//!
//! A GRANDPA validator signs precommits: votes for one block and with it for every block below. More
//! than two thirds of a set's votes for one block or for its descendants make that block final, and a
//! justification is these votes. A node keeps one only every few hundred blocks; headers lead from any
//! other block up to the next one that has it.

use finality_grandpa::{validate_commit, Message};
use serde::{Deserialize, Serialize};
use sp_consensus_grandpa::{check_message_signature, AuthorityId, GrandpaJustification, SetId};
use sp_core::{ed25519, Bytes, H256};
use stipend_runtime::Header;

use super::{ancestry::Ancestry, error::ProofError, read, validators::ValidatorSet};

/// Shows that a block is final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Finality {
    /// Number of the validator set that signed.
    pub set_id: SetId,
    /// SCALE-encoded headers of the blocks above the one in question up to the one that was signed,
    /// lowest first; none if it was signed itself.
    pub headers: Vec<Bytes>,
    /// SCALE-encoded GRANDPA justification of the last of these blocks.
    pub justification: Bytes,
}

impl Finality {
    /// Checks that `set` made the block of `header` final.
    pub fn verify(&self, header: &Header, set: &ValidatorSet) -> Result<(), ProofError> {
        if self.set_id != set.set_id {
            return Err(ProofError::OtherSet { expected: set.set_id, found: self.set_id });
        }
        let top = self.top(header)?;
        let justification = justification(&self.justification)?;
        let commit = &justification.commit;
        if (commit.target_hash, commit.target_number) != (top.hash(), top.number) {
            return Err(ProofError::OtherBlockSigned { led_to: top.number, signed: commit.target_number });
        }
        // Before anything is made of what was signed: from here on every vote is a validator's.
        check_signatures(&justification, set)?;
        let (signed, total) = set.weight_of(commit.precommits.iter().map(|vote| &vote.id));
        let ancestry = Ancestry::new(&top, &justification).ok_or(ProofError::VotesDisagree)?;
        match validate_commit(commit, &set.voters()?, &ancestry) {
            Ok(result) if result.is_valid() => Ok(()),
            _ if u128::from(signed) * 3 <= u128::from(total) * 2 => {
                Err(ProofError::TooFewSigned { signed, total })
            }
            _ => Err(ProofError::VotesDisagree),
        }
    }

    /// The header that the others lead to from `header`.
    fn top(&self, header: &Header) -> Result<Header, ProofError> {
        let mut top = header.clone();
        for bytes in &self.headers {
            let next: Header = read("headers", bytes)?;
            if next.parent_hash != top.hash() || Some(next.number) != top.number.checked_add(1) {
                return Err(ProofError::BrokenChain { block: next.number });
            }
            top = next;
        }
        Ok(top)
    }
}

/// Reads a justification without believing it.
pub(crate) fn justification(bytes: &[u8]) -> Result<GrandpaJustification<Header>, ProofError> {
    read("justification", bytes)
}

/// The set under whose number the votes were signed: `newest` or one before it. A justification does
/// not say, but its signatures hold under one number alone.
pub(crate) fn signed_under(justification: &GrandpaJustification<Header>, newest: SetId) -> Option<SetId> {
    (0..=newest).rev().find(|set_id| {
        justification.commit.precommits.first().is_some_and(|vote| {
            let message = Message::Precommit(vote.precommit.clone());
            check_message_signature(&message, &vote.id, &vote.signature, justification.round, *set_id)
                .is_valid()
        })
    })
}

/// Checks that every vote is signed, and by one of the set.
fn check_signatures(
    justification: &GrandpaJustification<Header>,
    set: &ValidatorSet,
) -> Result<(), ProofError> {
    let voters = set.voters()?;
    for vote in &justification.commit.precommits {
        if !voters.contains(&vote.id) {
            return Err(ProofError::Stranger(key(&vote.id)));
        }
        let message = Message::Precommit(vote.precommit.clone());
        let signature =
            check_message_signature(&message, &vote.id, &vote.signature, justification.round, set.set_id);
        if !signature.is_valid() {
            return Err(ProofError::BadSignature(key(&vote.id)));
        }
    }
    Ok(())
}

fn key(id: &AuthorityId) -> H256 {
    H256(ed25519::Public::from(id.clone()).0)
}
