//! What a book keeps and answers with.

use bytes::Bytes;
use stipend_primitives::{
    attestation::{Claim, SignedAttestation},
    cost::Usage,
    leaf::{UsageLeaf, USAGE_LEAF_LEN},
    ModelId, Moment,
};

use crate::gpu::Share;

/// What a request used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Metered {
    pub(crate) model: ModelId,
    pub(crate) usage: Usage,
    pub(crate) at_ms: Moment,
    /// Where its record stands in the log.
    pub(crate) position: u64,
    /// What the GPUs did for it; unknown until they are read, and after a restart.
    pub(crate) gpu: Share,
}

/// What a claim comes to.
pub(crate) struct Resolved {
    pub(crate) leaves: Vec<UsageLeaf>,
    /// Requests that were never metered.
    pub(crate) unknown_count: usize,
    /// What the GPUs did for all of them.
    pub(crate) gpu: Share,
}

/// A claimed range and its answer.
pub(crate) struct Range {
    pub(crate) signed: SignedAttestation,
    pub(crate) leaves: Bytes,
    pub(crate) at_ms: Moment,
    /// Where its record stands in the log.
    pub(crate) position: u64,
}

/// How a claim stands to the ranges known.
pub(crate) enum Standing {
    /// Nothing speaks against it.
    New,
    /// It is there, as claimed.
    Same,
    /// It contradicts what is there.
    Conflict(&'static str),
}

/// Why a request cannot begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CannotBegin {
    /// Its digest was used.
    Repeated,
    /// Too many requests wait to be claimed.
    Full,
}

impl Range {
    pub(crate) fn leaves(&self) -> impl ExactSizeIterator<Item = UsageLeaf> + '_ {
        self.leaves.as_chunks::<USAGE_LEAF_LEN>().0.iter().map(UsageLeaf::from_bytes)
    }

    pub(crate) fn is_of(&self, claim: &Claim) -> bool {
        let leaves = self.leaves().map(|leaf| (leaf.seq, leaf.digest));
        self.signed.attestation.last_seq == claim.last_seq && leaves.eq(claim.requests.iter().copied())
    }
}
