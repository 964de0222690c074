//! The blocks between what validators voted for and what their votes make final.

use std::collections::{HashMap, HashSet};

use finality_grandpa::{Chain, Error};
use sp_consensus_grandpa::GrandpaJustification;
use sp_core::H256;
use stipend_primitives::BlockNumber;
use stipend_runtime::Header;

/// The headers in a justification, by hash.
///
/// Validators vote for the newest block they know, so their votes may be for different descendants of
/// the block that all of them make final. The justification then has the headers between.
#[derive(Default)]
pub(super) struct Ancestry {
    parents: HashMap<H256, H256>,
    heights: HashMap<H256, BlockNumber>,
}

impl Ancestry {
    /// The ancestry of the votes for `target`, or `None` if it contradicts itself.
    ///
    /// The library that counts votes takes the height in a vote for the block's own and trusts its
    /// caller with that; here it is checked.
    pub(super) fn new(target: &Header, justification: &GrandpaJustification<Header>) -> Option<Self> {
        let mut ancestry = Ancestry::default();
        ancestry.place(target.hash(), target.number)?;
        for header in &justification.votes_ancestries {
            let hash = header.hash();
            ancestry.place(hash, header.number)?;
            ancestry.place(header.parent_hash, header.number.checked_sub(1)?)?;
            if ancestry.parents.insert(hash, header.parent_hash).is_some() {
                return None;
            }
        }
        let votes = || justification.commit.precommits.iter().map(|vote| &vote.precommit);
        let are_placed =
            votes().all(|vote| ancestry.heights.get(&vote.target_hash) == Some(&vote.target_number));
        // A header that leads to no vote proves nothing, and whoever adds one could as well change it.
        let needed: HashSet<H256> =
            votes().map(|vote| vote.target_hash).chain(ancestry.parents.values().copied()).collect();
        let are_needed = ancestry.parents.keys().all(|hash| needed.contains(hash));
        (are_placed && are_needed).then_some(ancestry)
    }

    /// Notes a block's height; `None` if it was said to be another.
    fn place(&mut self, hash: H256, height: BlockNumber) -> Option<()> {
        (*self.heights.entry(hash).or_insert(height) == height).then_some(())
    }
}

impl Chain<H256, BlockNumber> for Ancestry {
    fn ancestry(&self, base: H256, block: H256) -> Result<Vec<H256>, Error> {
        let mut route = Vec::new();
        let mut current = block;
        while current != base {
            current = *self.parents.get(&current).ok_or(Error::NotDescendent)?;
            route.push(current);
        }
        // The base itself is no part of its descendant's ancestry.
        route.pop();
        Ok(route)
    }
}
