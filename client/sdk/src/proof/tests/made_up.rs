//! A made-up chain: real headers, real keys, real signatures.

use codec::Encode;
use finality_grandpa::{Commit, Message, Precommit, SignedPrecommit};
use sp_consensus_grandpa::{localized_payload, AuthorityId, AuthoritySignature, GrandpaJustification, SetId};
use sp_core::{ed25519, Bytes, Pair, H256};
use sp_runtime::{traits::Header as _, Digest};
use stipend_runtime::Header;

use crate::proof::{Authority, Finality, ValidatorSet};

/// The chain's first block.
pub(crate) const GENESIS: H256 = H256([0x6e; 32]);

/// The round in which everything here is voted on.
const ROUND: u64 = 17;

/// A validator's vote.
pub(crate) type Vote = SignedPrecommit<H256, u32, AuthoritySignature, AuthorityId>;

/// The key of a validator.
pub(crate) fn validator(name: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[name; 32])
}

/// The validators 1 to `count`, one vote each.
pub(crate) fn set(set_id: SetId, count: u8) -> ValidatorSet {
    let authorities =
        (1..=count).map(|name| Authority { key: H256(validator(name).public().0), weight: 1 }).collect();
    ValidatorSet { genesis: GENESIS, set_id, authorities }
}

/// A child of a block; `mark` tells it from its siblings.
pub(crate) fn child(parent: &Header, mark: u8) -> Header {
    let mark = H256([mark; 32]);
    Header::new(parent.number + 1, mark, mark, parent.hash(), Digest::default())
}

/// A validator's vote for a block, as of one set.
pub(crate) fn vote(name: u8, block: &Header, set_id: SetId) -> Vote {
    vote_at(name, block.hash(), block.number, set_id)
}

/// A vote whose height may be another than its block's.
pub(crate) fn vote_at(name: u8, target_hash: H256, target_number: u32, set_id: SetId) -> Vote {
    let precommit = Precommit { target_hash, target_number };
    let payload = localized_payload(ROUND, set_id, &Message::Precommit(precommit.clone()));
    let signature = validator(name).sign(&payload).into();
    SignedPrecommit { precommit, signature, id: validator(name).public().into() }
}

/// Votes that make `block` final, with the headers between it and what was voted for.
pub(crate) fn justification(block: &Header, precommits: Vec<Vote>, votes_ancestries: Vec<Header>) -> Bytes {
    let commit = Commit { target_hash: block.hash(), target_number: block.number, precommits };
    GrandpaJustification { round: ROUND, commit, votes_ancestries }.encode().into()
}

/// The votes of the validators 1 to `count` for one block.
pub(crate) fn votes(count: u8, block: &Header, set_id: SetId) -> Vec<Vote> {
    (1..=count).map(|name| vote(name, block, set_id)).collect()
}

/// That the validators 1 to `count` of set `set_id` made the third block above `header` final.
pub(crate) fn finality(header: &Header, set_id: SetId, count: u8) -> Finality {
    let above = above(header, 3);
    Finality {
        set_id,
        justification: justification(&above[2], votes(count, &above[2], set_id), vec![]),
        headers: encoded(&above),
    }
}

/// A chain of `count` blocks above one.
pub(crate) fn above(header: &Header, count: u32) -> Vec<Header> {
    let blocks = std::iter::successors(Some(header.clone()), |parent| Some(child(parent, 1)));
    blocks.skip(1).take(count as usize).collect()
}

/// Headers as a proof carries them.
pub(crate) fn encoded(headers: &[Header]) -> Vec<Bytes> {
    headers.iter().map(|header| header.encode().into()).collect()
}
