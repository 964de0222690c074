//! Counting votes, as `pallets/settlement/src/quorum.rs` does. `tests/conformance.rs` holds the two
//! against each other.

use crate::state::{Verdict, Vote, Votes};

/// Votes that one verdict needs.
pub fn quorum(authorities_count: u32) -> u32 {
    authorities_count * 2 / 3 + 1
}

/// The votes on one item, seen by a set of validators.
#[derive(Clone, Copy, Debug)]
pub struct Tally<'a> {
    /// A bit for each validator in force.
    pub set: u8,
    /// The votes.
    pub votes: &'a Votes,
}

impl Tally<'_> {
    /// Validators in force.
    pub fn authorities_count(&self) -> u32 {
        self.set.count_ones()
    }

    fn counting(&self) -> impl Iterator<Item = &Vote> {
        let set = self.set;
        self.votes
            .iter()
            .enumerate()
            .filter(move |(validator, _)| set >> validator & 1 == 1)
            .filter_map(|(_, vote)| vote.as_ref())
    }

    /// Votes of validators in force.
    pub fn votes_count(&self) -> u32 {
        self.counting().count() as u32
    }

    /// Votes for one verdict.
    pub fn count(&self, verdict: Verdict) -> u32 {
        self.counting().filter(|vote| vote.verdict == verdict).map(|vote| 1 + u32::from(vote.repeats)).sum()
    }

    /// Votes for the attested verdict that has most.
    pub fn leader(&self) -> u32 {
        self.counting()
            .filter(|vote| vote.verdict != Verdict::Unattested)
            .map(|vote| self.count(vote.verdict))
            .max()
            .unwrap_or(0)
    }

    /// Whether no attested verdict can reach the quorum any more, even if all who have not voted
    /// agreed on one.
    pub fn attested_is_out_of_reach(&self) -> bool {
        let missing = self.authorities_count() - self.votes_count();
        self.leader() + missing < quorum(self.authorities_count())
    }
}
