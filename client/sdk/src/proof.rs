//! Checking what the chain says, without trusting who passes it on.
//!
//! A block's header commits to every batch in the block and to the state after it. A proof carries the
//! header, and the path from a receipt or from a wallet's entries to the commitment. What remains to be
//! shown is that the block is final:
//!
//! - by the validators' signatures: [`PortableReceipt`] and [`PortableWallet`] carry them, and hold without
//!   a node for whoever knows the [`ValidatorSet`];
//! - by the hash of the finalised block, from a node of your own or from several: [`verify`].

use codec::DecodeAll;
use sp_core::H256;
use sp_runtime::DigestItem;
use stipend_primitives::{
    leaf::{BatchCommitment, ReceiptLeaf, COMMITMENT_TAG},
    merkle, AccountId, BlockNumber, Sequence,
};
use stipend_rpc::ReceiptProof;
use stipend_runtime::Header;

pub use self::{
    document::Document,
    error::ProofError,
    finality::Finality,
    receipt::PortableReceipt,
    signed::{BatchPlace, Format, GatewayReceipt, Settlement, SignedReceipt},
    validators::{Authority, ValidatorSet},
    wallet::{storage_keys, PortableWallet, VerifiedWallet},
};

mod ancestry;
mod canonical;
mod document;
mod error;
pub(crate) mod finality;
mod receipt;
mod signed;
mod validators;
mod wallet;

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
pub(crate) mod tests;
