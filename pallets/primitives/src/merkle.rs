//! Roots over fixed-size leaves, and proofs that a leaf is under a root.
//!
//! Leaves are hashed [`CHUNK_LEAVES`] at a time: the chain hashes tens of thousands per batch, and
//! one call of the hash per chunk instead of per leaf is most of what that costs. A proof carries
//! the leaf's whole chunk and the path from the chunk to the root.
//!
//! ```text
//! chunk hash = blake2b_256(0x00 ++ leaf ++ leaf …)
//! node       = blake2b_256(0x01 ++ left ++ right); the last node of an odd level moves up as it is
//! root       = blake2b_256(0x02 ++ leaf length: u32 ++ leaf count: u64 ++ top node)
//! ```
//! The length and count under the root fix the shape of the tree: no leaf can be read as a node and
//! no proof fits two positions.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;
use sp_core::H256;
use sp_io::hashing::blake2_256;

/// Leaves under one chunk hash: a proof stays below 16 kB and hashing runs at the speed of memory.
pub const CHUNK_LEAVES: usize = 128;

/// Builds a root leaf by leaf, keeping one chunk and one hash per chunk in memory.
pub struct RootBuilder {
    leaf_len: usize,
    leaves_count: u64,
    /// Room for a whole chunk behind its 0x00; `filled` bytes of it are in use.
    chunk: Vec<u8>,
    filled: usize,
    hashes: Vec<H256>,
}

impl RootBuilder {
    /// A builder for leaves of `leaf_len` bytes.
    pub fn new(leaf_len: usize) -> Self {
        RootBuilder {
            leaf_len,
            leaves_count: 0,
            chunk: alloc::vec![0; 1 + leaf_len * CHUNK_LEAVES],
            filled: 1,
            hashes: Vec::new(),
        }
    }

    /// Appends a leaf. Its length must be the builder's.
    pub fn push(&mut self, leaf: &[u8]) {
        debug_assert_eq!(leaf.len(), self.leaf_len);
        let end = self.filled + leaf.len();
        self.chunk[self.filled..end].copy_from_slice(leaf);
        self.advance(end);
    }

    /// Appends a leaf that `write` fills in where it is to be hashed, which saves the hot path a copy.
    /// `LEN` must be the builder's leaf length.
    #[inline]
    pub fn push_with<const LEN: usize>(&mut self, write: impl FnOnce(&mut [u8; LEN])) {
        debug_assert_eq!(LEN, self.leaf_len);
        if let Some(leaf) = self.chunk[self.filled..].first_chunk_mut::<LEN>() {
            write(leaf);
        }
        self.advance(self.filled + LEN);
    }

    #[inline]
    fn advance(&mut self, filled: usize) {
        self.filled = filled;
        self.leaves_count += 1;
        if filled == self.chunk.len() {
            self.close_chunk();
        }
    }

    fn close_chunk(&mut self) {
        self.hashes.push(H256(blake2_256(&self.chunk[..self.filled])));
        self.filled = 1;
    }

    /// How many leaves were pushed.
    pub fn leaves_count(&self) -> u64 {
        self.leaves_count
    }

    /// The root over all leaves.
    pub fn finish(mut self) -> H256 {
        if self.filled > 1 {
            self.close_chunk();
        }
        let mut level = self.hashes;
        while level.len() > 1 {
            level = next_level(&level);
        }
        seal(self.leaf_len, self.leaves_count, level.first().copied().unwrap_or_default())
    }
}

fn node(left: &H256, right: &H256) -> H256 {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left.as_bytes());
    bytes[33..].copy_from_slice(right.as_bytes());
    H256(blake2_256(&bytes))
}

fn next_level(level: &[H256]) -> Vec<H256> {
    level.chunks(2).map(|pair| if pair.len() == 2 { node(&pair[0], &pair[1]) } else { pair[0] }).collect()
}

fn seal(leaf_len: usize, leaves_count: u64, top: H256) -> H256 {
    let mut bytes = Vec::with_capacity(1 + 4 + 8 + 32);
    bytes.push(2);
    bytes.extend_from_slice(&(leaf_len as u32).to_le_bytes());
    bytes.extend_from_slice(&leaves_count.to_le_bytes());
    bytes.extend_from_slice(top.as_bytes());
    H256(blake2_256(&bytes))
}

/// Shows that one leaf stands at one position under a root.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Proof {
    /// Position of the leaf, from 0.
    pub index: u64,
    /// Leaves under the root.
    pub leaves_count: u64,
    /// The leaves of the chunk that the leaf is in, one after the other.
    pub chunk: Vec<u8>,
    /// Sibling hashes from the chunk up; levels where the node moves up as it is have none.
    pub path: Vec<H256>,
}

/// Makes the proof of the leaf at `index` among `leaves` (one after the other, `leaf_len` bytes each).
///
/// `None` if there is no such leaf.
pub fn prove(leaves: &[u8], leaf_len: usize, index: u64) -> Option<Proof> {
    let leaves_count = (leaves.len().checked_div(leaf_len)?) as u64;
    if index >= leaves_count {
        return None;
    }
    let chunk_len = leaf_len * CHUNK_LEAVES;
    let mut position = index as usize / CHUNK_LEAVES;
    let chunk = leaves.chunks(chunk_len).nth(position)?.to_vec();
    let mut level: Vec<H256> = leaves.chunks(chunk_len).map(chunk_hash).collect();
    let mut path = Vec::new();
    while level.len() > 1 {
        if let Some(sibling) = level.get(position ^ 1) {
            path.push(*sibling);
        }
        level = next_level(&level);
        position /= 2;
    }
    Some(Proof { index, leaves_count, chunk, path })
}

fn chunk_hash(chunk: &[u8]) -> H256 {
    let mut bytes = Vec::with_capacity(1 + chunk.len());
    bytes.push(0);
    bytes.extend_from_slice(chunk);
    H256(blake2_256(&bytes))
}

impl Proof {
    /// Whether `leaf` is the leaf that this proof places under `root`.
    pub fn verifies(&self, root: &H256, leaf: &[u8]) -> bool {
        self.computed_root(leaf).is_some_and(|computed| computed == *root)
    }

    fn computed_root(&self, leaf: &[u8]) -> Option<H256> {
        if self.index >= self.leaves_count || leaf.is_empty() {
            return None;
        }
        let mut position = self.index / CHUNK_LEAVES as u64;
        let chunk_first = position * CHUNK_LEAVES as u64;
        let in_chunk = (self.leaves_count - chunk_first).min(CHUNK_LEAVES as u64) as usize;
        let at = (self.index - chunk_first) as usize * leaf.len();
        if self.chunk.len() != in_chunk * leaf.len() || self.chunk.get(at..at + leaf.len())? != leaf {
            return None;
        }
        let mut width = self.leaves_count.div_ceil(CHUNK_LEAVES as u64);
        let mut hash = chunk_hash(&self.chunk);
        let mut path = self.path.iter();
        while width > 1 {
            if position ^ 1 < width {
                let sibling = path.next()?;
                hash = if position.is_multiple_of(2) { node(&hash, sibling) } else { node(sibling, &hash) };
            }
            position /= 2;
            width = width.div_ceil(2);
        }
        path.next().is_none().then(|| seal(leaf.len(), self.leaves_count, hash))
    }
}
