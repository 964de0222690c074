//! Roots and proofs: every leaf proves, nothing else does.
#![allow(missing_docs, clippy::unwrap_used)]

use proptest::prelude::*;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use stipend_primitives::merkle::{prove, Proof, RootBuilder, CHUNK_LEAVES};

/// The tree as the module's documentation writes it down, recursively and without a builder.
fn root_by_definition(leaves: &[Vec<u8>], leaf_len: usize) -> H256 {
    let hash = |tag: u8, parts: &[&[u8]]| H256(blake2_256(&[&[tag], parts.concat().as_slice()].concat()));
    let mut level: Vec<H256> =
        leaves.chunks(CHUNK_LEAVES).map(|chunk| hash(0, &[chunk.concat().as_slice()])).collect();
    while level.len() > 1 {
        level = level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => hash(1, &[left.as_bytes(), right.as_bytes()]),
                odd => odd[0],
            })
            .collect();
    }
    let top = level.first().copied().unwrap_or_default();
    let len = (leaf_len as u32).to_le_bytes();
    let count = (leaves.len() as u64).to_le_bytes();
    hash(2, &[&len, &count, top.as_bytes()])
}

fn leaves(count: usize, leaf_len: usize, seed: u64) -> Vec<Vec<u8>> {
    let leaf = |index: usize| {
        let bytes = (0..)
            .flat_map(|block: u64| blake2_256(&[seed, index as u64, block].map(u64::to_le_bytes).concat()));
        bytes.take(leaf_len).collect()
    };
    (0..count).map(leaf).collect()
}

fn built(leaves: &[Vec<u8>], leaf_len: usize) -> H256 {
    let mut builder = RootBuilder::new(leaf_len);
    leaves.iter().for_each(|leaf| builder.push(leaf));
    assert_eq!(builder.leaves_count(), leaves.len() as u64);
    builder.finish()
}

#[test]
fn every_leaf_of_every_shape_up_to_1000_leaves_proves() {
    let all = leaves(1000, 38, 1);
    // Every count near a chunk's or a level's edge, and a stride through the others.
    let edges =
        (0..=8).flat_map(|chunks| (0..5).map(move |off| (chunks * CHUNK_LEAVES + off).saturating_sub(2)));
    let counts: std::collections::BTreeSet<usize> =
        edges.chain((0..1000).step_by(61)).filter(|count| *count <= 1000).collect();
    for count in counts {
        let leaves = &all[..count];
        let root = built(leaves, 38);
        assert_eq!(root, root_by_definition(leaves, 38), "{count} leaves");
        let bytes = leaves.concat();
        for (index, leaf) in leaves.iter().enumerate() {
            let proof = prove(&bytes, 38, index as u64).unwrap();
            assert!(proof.verifies(&root, leaf), "leaf {index} of {count}");
        }
        assert_eq!(prove(&bytes, 38, count as u64), None);
    }
}

#[test]
fn roots_of_different_counts_differ() {
    let all = leaves(600, 38, 2);
    let roots: std::collections::BTreeSet<H256> = (0..=600).map(|count| built(&all[..count], 38)).collect();
    assert_eq!(roots.len(), 601);
}

#[test]
fn nothing_proves_under_an_empty_root() {
    let root = built(&[], 38);
    assert_eq!(prove(&[], 38, 0), None);
    let empty = Proof { index: 0, leaves_count: 0, chunk: Vec::new(), path: Vec::new() };
    assert!(!empty.verifies(&root, &[0; 38]));
    assert!(!empty.verifies(&root, &[]));
}

#[test]
fn a_length_of_zero_proves_nothing() {
    assert_eq!(prove(&[1, 2, 3], 0, 0), None);
}

proptest! {
    #[test]
    fn a_root_is_what_the_definition_says(count in 0..1000usize, leaf_len in 1..120usize, seed: u64) {
        let leaves = leaves(count, leaf_len, seed);
        prop_assert_eq!(built(&leaves, leaf_len), root_by_definition(&leaves, leaf_len));
    }

    #[test]
    fn a_leaf_written_in_place_counts_like_one_that_is_pushed(count in 0..600usize, seed: u64) {
        let leaves = leaves(count, 38, seed);
        let mut builder = RootBuilder::new(38);
        for leaf in &leaves {
            builder.push_with::<38>(|bytes| bytes.copy_from_slice(leaf));
        }
        prop_assert_eq!(builder.finish(), built(&leaves, 38));
    }

    #[test]
    fn any_tampering_breaks_a_proof(
        count in 1..1000usize,
        pick: prop::sample::Index,
        byte: prop::sample::Index,
        bit in 0..8u8,
        seed: u64,
    ) {
        let leaves = leaves(count, 38, seed);
        let index = pick.index(count);
        let (root, leaf) = (built(&leaves, 38), &leaves[index]);
        let proof = prove(&leaves.concat(), 38, index as u64).unwrap();
        prop_assert!(proof.verifies(&root, leaf));

        let flip = |bytes: &mut [u8]| {
            let at = byte.index(bytes.len());
            bytes[at] ^= 1 << bit;
        };
        let mut other_leaf = leaf.clone();
        flip(&mut other_leaf);
        prop_assert!(!proof.verifies(&root, &other_leaf), "another leaf");
        prop_assert!(!proof.verifies(&root, &leaf[..37]), "a shorter leaf");

        let mut other_root = root;
        flip(other_root.as_bytes_mut());
        prop_assert!(!proof.verifies(&other_root, leaf), "another root");

        let mut other = proof.clone();
        flip(&mut other.chunk);
        prop_assert!(!other.verifies(&root, leaf), "a changed chunk");

        for step in 0..proof.path.len() {
            let mut other = proof.clone();
            flip(other.path[step].as_bytes_mut());
            prop_assert!(!other.verifies(&root, leaf), "a changed path");
            let mut other = proof.clone();
            other.path.remove(step);
            prop_assert!(!other.verifies(&root, leaf), "a shorter path");
        }
        let mut other = proof.clone();
        other.path.push(H256::zero());
        prop_assert!(!other.verifies(&root, leaf), "a longer path");

        for leaves_count in [proof.leaves_count + 1, proof.leaves_count - 1, u64::MAX] {
            prop_assert!(!Proof { leaves_count, ..proof.clone() }.verifies(&root, leaf), "another count");
        }
    }

    #[test]
    fn a_proof_fits_one_position_only(count in 2..1000usize, pick: prop::sample::Index, other: prop::sample::Index, seed: u64) {
        let (index, other) = (pick.index(count), other.index(count));
        prop_assume!(index != other);
        let leaves = leaves(count, 38, seed);
        let root = built(&leaves, 38);
        let proof = prove(&leaves.concat(), 38, index as u64).unwrap();
        let moved = Proof { index: other as u64, ..proof.clone() };
        prop_assert!(!moved.verifies(&root, &leaves[index]));
        prop_assert!(!proof.verifies(&root, &leaves[other]));
    }

    #[test]
    fn no_proof_from_outside_makes_the_verifier_panic(
        index: u64,
        leaves_count: u64,
        chunk in prop::collection::vec(any::<u8>(), 0..300),
        path in prop::collection::vec(any::<[u8; 32]>().prop_map(H256), 0..70),
        leaf in prop::collection::vec(any::<u8>(), 0..50),
        root in any::<[u8; 32]>().prop_map(H256),
    ) {
        let proof = Proof { index, leaves_count, chunk, path };
        prop_assert!(!proof.verifies(&root, &leaf));
    }
}
