//! Checking that a receipt is on the chain, without trusting who says so.
//!
//! A block's header commits to every batch in the block. A proof carries the header, and the path
//! from the receipt to the commitment. What remains to be trusted is the hash of the finalised
//! block: take it from a node of your own, or from several.

use codec::DecodeAll;
use sp_core::H256;
use sp_runtime::DigestItem;
use stipend_primitives::{
    leaf::{BatchCommitment, ReceiptLeaf, COMMITMENT_TAG},
    merkle, AccountId, BlockNumber, Sequence,
};
use stipend_rpc::ReceiptProof;
use stipend_runtime::Header;

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A part of the proof cannot be read.
    #[error(
        "the proof's {part} cannot be read ({cause}); it was cut or changed on its way: ask for it again"
    )]
    Unreadable {
        /// Which part.
        part: &'static str,
        /// What did not fit.
        cause: String,
    },
    /// The header is not the finalised block's.
    #[error("the proof's header has the hash {found:?}, but the finalised block is {expected:?}; the proof is of another chain or forged")]
    OtherBlock {
        /// The finalised block that was asked about.
        expected: H256,
        /// The header in the proof.
        found: H256,
    },
    /// The block commits to no such receipt.
    #[error("block {block} commits to no batch of the gateway with receipt {seq}; ask for the receipt's own block")]
    NotCommitted {
        /// The block.
        block: BlockNumber,
        /// The receipt that was asked about.
        seq: Sequence,
    },
    /// The receipt is another one.
    #[error("the proof is of receipt {found}, not of receipt {expected}")]
    OtherReceipt {
        /// The receipt that was asked about.
        expected: Sequence,
        /// The receipt in the proof.
        found: Sequence,
    },
    /// The receipt does not lead to the committed root.
    #[error("the receipt does not lead to the root in the header; the receipt or its proof was changed")]
    NotUnderRoot,
    /// The block is not finalised.
    #[error("block {0} is not finalised yet; try again in a few seconds")]
    NotFinalised(BlockNumber),
    /// The node that was asked which blocks are finalised did not say.
    #[error("cannot tell whether the block is finalised: {0}")]
    Node(String),
}

/// A receipt that the chain committed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedReceipt {
    /// The receipt.
    pub receipt: ReceiptLeaf,
    /// The batch that it came in.
    pub commitment: BatchCommitment,
    /// The block that the batch came in.
    pub block_number: BlockNumber,
    /// That block's hash.
    pub block_hash: H256,
}

/// Reads a proof's header without believing it yet: tells which block to look up.
pub fn header(proof: &ReceiptProof) -> Result<Header, ProofError> {
    read("header", &proof.header)
}

/// Checks that receipt `seq` of `gateway` is what `proof` says, under the commitment in the header
/// of the block `finalised`.
///
/// Pure: the one thing to be trusted is `finalised`, the hash of a finalised block.
pub fn verify(
    proof: &ReceiptProof,
    finalised: H256,
    gateway: &AccountId,
    seq: Sequence,
) -> Result<VerifiedReceipt, ProofError> {
    let header = header(proof)?;
    let found = header.hash();
    if found != finalised {
        return Err(ProofError::OtherBlock { expected: finalised, found });
    }
    let receipt: ReceiptLeaf = read("receipt", &proof.receipt)?;
    if receipt.leaf.seq != seq {
        return Err(ProofError::OtherReceipt { expected: seq, found: receipt.leaf.seq });
    }
    let commitment =
        commitment(&header, gateway, seq).ok_or(ProofError::NotCommitted { block: header.number, seq })?;
    let path: merkle::Proof = read("path", &proof.proof)?;
    let in_place = path.index == seq - commitment.first_seq
        && path.leaves_count == (commitment.last_seq - commitment.first_seq).saturating_add(1);
    if !in_place || !path.verifies(&commitment.root, &receipt.to_bytes()) {
        return Err(ProofError::NotUnderRoot);
    }
    Ok(VerifiedReceipt { receipt, commitment, block_number: header.number, block_hash: found })
}

/// The commitment to the batch of `gateway` that holds `seq`.
fn commitment(header: &Header, gateway: &AccountId, seq: Sequence) -> Option<BatchCommitment> {
    header.digest.logs().iter().find_map(|item| {
        let DigestItem::Other(bytes) = item else { return None };
        let commitment = BatchCommitment::decode_all(&mut bytes.strip_prefix(&COMMITMENT_TAG)?).ok()?;
        let holds =
            commitment.gateway == *gateway && (commitment.first_seq..=commitment.last_seq).contains(&seq);
        holds.then_some(commitment)
    })
}

fn read<T: DecodeAll>(part: &'static str, bytes: &[u8]) -> Result<T, ProofError> {
    T::decode_all(&mut &bytes[..]).map_err(|error| ProofError::Unreadable { part, cause: error.to_string() })
}

#[cfg(test)]
mod tests;
