//! Counting votes.

use sp_core::H256;
use stipend_primitives::{settlement::VerdictKind, PublicKey};

use crate::{crypto::AuthorityId, types::VoteRecord};

/// Votes that one verdict needs: the smallest number above two thirds of the authorities.
///
/// No authorities never agree: they would still need one vote.
pub fn quorum(authorities_count: u32) -> u32 {
    (u64::from(authorities_count) * 2 / 3 + 1) as u32
}

/// Whether a vote is an authority's.
pub(crate) fn is_voter(authority: &AuthorityId, record: &VoteRecord) -> bool {
    let key: &[u8] = authority.as_ref();
    key == record.validator.as_slice()
}

/// Whether `validator` is one of `authorities`.
pub fn is_authority(authorities: &[AuthorityId], validator: &PublicKey) -> bool {
    authorities.iter().any(|authority| {
        let key: &[u8] = authority.as_ref();
        key == validator.as_slice()
    })
}

/// The votes on one item, seen by the authorities of now: votes of former ones do not count.
pub struct Tally<'a> {
    authorities: &'a [AuthorityId],
    records: &'a [VoteRecord],
}

impl<'a> Tally<'a> {
    /// Counts `records` for `authorities`.
    pub fn new(authorities: &'a [AuthorityId], records: &'a [VoteRecord]) -> Self {
        Tally { authorities, records }
    }

    fn counting(&self) -> impl Iterator<Item = &'a VoteRecord> + '_ {
        self.records.iter().filter(|record| is_authority(self.authorities, &record.validator))
    }

    /// The vote of one validator.
    pub fn vote_of(&self, validator: &PublicKey) -> Option<&'a VoteRecord> {
        self.records.iter().find(|record| record.validator == *validator)
    }

    /// Votes for one verdict.
    pub fn count(&self, verdict_hash: &H256) -> u32 {
        self.counting().filter(|record| record.verdict_hash == *verdict_hash).count() as u32
    }

    /// Whether one verdict has the quorum.
    pub fn has_quorum(&self, verdict_hash: &H256) -> bool {
        self.count(verdict_hash) >= quorum(self.authorities.len() as u32)
    }

    /// Whether no verdict that rests on an attestation can reach the quorum any more, even if all
    /// who have not voted agreed on one.
    ///
    /// Votes for [`VerdictKind::Unattested`] are taken as final here: the more validators join them,
    /// the longer this holds, and they converge instead of swinging.
    pub fn attested_is_out_of_reach(&self) -> bool {
        let authorities_count = self.authorities.len() as u32;
        let missing = authorities_count.saturating_sub(self.counting().count() as u32);
        self.leader() + missing < quorum(authorities_count)
    }

    /// Whether not all votes are for one verdict that rests on an attestation.
    pub fn is_split(&self) -> bool {
        self.leader() < self.counting().count() as u32
    }

    /// Votes for the verdict that most of those who saw an attestation agree on.
    fn leader(&self) -> u32 {
        let attested = self.counting().filter(|record| record.kind != VerdictKind::Unattested);
        attested.map(|record| self.count(&record.verdict_hash)).max().unwrap_or(0)
    }
}
