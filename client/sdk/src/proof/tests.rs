#![allow(clippy::unwrap_used)]

use codec::Encode;
use proptest::prelude::*;
use sp_runtime::{traits::Header as _, Digest};
use stipend_primitives::{
    cost::Usage,
    leaf::{UsageLeaf, RECEIPT_LEAF_LEN},
    ModelId,
};

use super::*;

mod changes;
mod documents;
mod finality;
pub(crate) mod made_up;
mod signed;
mod wallets;

const FIRST_SEQ: Sequence = 1_000;

fn gateway() -> AccountId {
    AccountId::new([7; 32])
}

fn receipt(seq: Sequence) -> ReceiptLeaf {
    ReceiptLeaf {
        leaf: UsageLeaf {
            seq,
            model: ModelId(3),
            usage: Usage { input: seq as u32, cached_input: 1, output: 2 },
            digest: [seq as u8; 16],
        },
        wallet: AccountId::new([1; 32]),
        provider: AccountId::new([2; 32]),
        book: 1,
        priority_fee: 0,
    }
}

fn item(commitment: &BatchCommitment) -> DigestItem {
    DigestItem::Other([&COMMITMENT_TAG[..], &commitment.encode()].concat())
}

/// A block with a batch of `count` receipts among other digest items, and the proof of one of them.
fn proven(count: u64, index: u64) -> ReceiptProof {
    let leaves: Vec<u8> = (0..count).flat_map(|at| receipt(FIRST_SEQ + at).to_bytes()).collect();
    let mut builder = merkle::RootBuilder::new(RECEIPT_LEAF_LEN);
    leaves.chunks(RECEIPT_LEAF_LEN).for_each(|leaf| builder.push(leaf));
    let last_seq = FIRST_SEQ + count - 1;
    let own = BatchCommitment { gateway: gateway(), first_seq: FIRST_SEQ, last_seq, root: builder.finish() };
    let earlier = BatchCommitment { first_seq: 900, last_seq: 999, root: H256::zero(), ..own.clone() };
    let other = BatchCommitment { gateway: AccountId::new([8; 32]), root: H256::zero(), ..own.clone() };
    let logs = vec![DigestItem::Other(b"noise".to_vec()), item(&other), item(&earlier), item(&own)];
    let header = Header::new(42, H256([4; 32]), H256([5; 32]), H256([6; 32]), Digest { logs });
    ReceiptProof {
        receipt: receipt(FIRST_SEQ + index).encode().into(),
        proof: merkle::prove(&leaves, RECEIPT_LEAF_LEN, index).unwrap().encode().into(),
        block_hash: header.hash(),
        header: header.encode().into(),
    }
}

#[test]
fn a_true_proof_yields_the_receipt_and_its_block() {
    let proof = proven(300, 299);
    let verified = verify(&proof, proof.block_hash, &gateway(), FIRST_SEQ + 299).unwrap();
    assert_eq!(verified.receipt, receipt(FIRST_SEQ + 299));
    assert_eq!((verified.block_number, verified.block_hash), (42, proof.block_hash));
    assert_eq!(verified.commitment.last_seq, FIRST_SEQ + 299);
}

#[test]
fn a_header_that_is_not_the_finalised_one_is_refused() {
    let proof = proven(3, 0);
    let error = verify(&proof, H256([9; 32]), &gateway(), FIRST_SEQ).unwrap_err();
    assert!(matches!(error, ProofError::OtherBlock { .. }));
}

#[test]
fn the_hash_that_a_proof_claims_for_itself_counts_for_nothing() {
    let honest = proven(3, 0);
    let mut forged = proven(4, 0);
    forged.block_hash = honest.block_hash;
    let error = verify(&forged, honest.block_hash, &gateway(), FIRST_SEQ).unwrap_err();
    assert!(matches!(error, ProofError::OtherBlock { .. }));
}

#[test]
fn another_gateways_commitment_proves_nothing() {
    let proof = proven(3, 0);
    let stranger = AccountId::new([9; 32]);
    let error = verify(&proof, proof.block_hash, &stranger, FIRST_SEQ).unwrap_err();
    assert!(matches!(error, ProofError::NotCommitted { block: 42, seq: FIRST_SEQ }));
}

#[test]
fn a_changed_receipt_is_refused() {
    let mut proof = proven(300, 17);
    let mut changed = receipt(FIRST_SEQ + 17);
    changed.leaf.usage.output += 1;
    proof.receipt = changed.encode().into();
    let error = verify(&proof, proof.block_hash, &gateway(), FIRST_SEQ + 17).unwrap_err();
    assert_eq!(error, ProofError::NotUnderRoot);
}

#[test]
fn a_receipt_of_another_number_is_refused() {
    let proof = proven(300, 17);
    let error = verify(&proof, proof.block_hash, &gateway(), FIRST_SEQ + 18).unwrap_err();
    assert_eq!(error, ProofError::OtherReceipt { expected: FIRST_SEQ + 18, found: FIRST_SEQ + 17 });
}

#[test]
fn bytes_after_the_end_are_refused() {
    let mut proof = proven(3, 1);
    proof.header.0.push(0);
    let error = verify(&proof, proof.block_hash, &gateway(), FIRST_SEQ + 1).unwrap_err();
    assert!(matches!(error, ProofError::Unreadable { part: "header", .. }));
}

proptest! {
    #[test]
    fn every_receipt_of_every_batch_can_be_proven(count in 1u64..600, at in any::<prop::sample::Index>()) {
        let index = at.index(count as usize) as u64;
        let proof = proven(count, index);
        prop_assert!(verify(&proof, proof.block_hash, &gateway(), FIRST_SEQ + index).is_ok());
    }

    #[test]
    fn no_flipped_bit_is_believed(flip in any::<prop::sample::Index>()) {
        let honest = proven(200, 130);
        let mut changed = honest.clone();
        let (receipt_len, proof_len) = (changed.receipt.len(), changed.proof.len());
        let bit = flip.index(8 * (receipt_len + proof_len));
        let (byte, mask) = (bit / 8, 1 << (bit % 8));
        match byte.checked_sub(receipt_len) {
            None => changed.receipt.0[byte] ^= mask,
            Some(byte) => changed.proof.0[byte] ^= mask,
        }
        prop_assert!(verify(&changed, honest.block_hash, &gateway(), FIRST_SEQ + 130).is_err());
    }
}
