//! Roots by which provider, wallet and auditor check a batch.

use codec::{Decode, Encode};
use frame_support::assert_ok;
use sp_runtime::DigestItem;
use stipend_primitives::{
    batch::Batch,
    leaf::{BatchCommitment, ReceiptLeaf, UsageLeaf, COMMITMENT_TAG, RECEIPT_LEAF_LEN},
    merkle::prove,
};

use super::dispatch;
use crate::mock::*;

/// 300 receipts, three chunks of leaves, of five wallets over three lines of two providers.
fn mixed() -> Batch {
    let records: Vec<_> = (0..300u16)
        .map(|number| record(number % 5, number % 3, (u32::from(number), 7, 1), u32::from(number % 2)))
        .collect();
    batch(0, 0, 5, &[(1, 1, 0), (0, 1, 0), (1, 1, 3)], &records)
}

fn leaves(batch: &Batch) -> Vec<ReceiptLeaf> {
    (0..batch.receipts_count() as usize).map(|index| ReceiptLeaf::of(batch, index).unwrap()).collect()
}

#[test]
fn each_provider_gets_counts_and_a_root_over_its_own_receipts() {
    run(|| {
        let submitted = mixed();
        assert_ok!(dispatch(submitted.clone()));
        let view = Receipts::batch(&gateway(0), 0).unwrap();
        assert_eq!(view.providers.len(), 2);
        for part in &view.providers {
            let of_provider: Vec<UsageLeaf> = leaves(&submitted)
                .into_iter()
                .filter(|leaf| leaf.provider == part.provider)
                .map(|leaf| leaf.leaf)
                .collect();
            assert_eq!(part.count as usize, of_provider.len());
            assert_eq!(part.root, UsageLeaf::root(&of_provider));
            let sum =
                |count: fn(&UsageLeaf) -> u32| of_provider.iter().map(|leaf| u64::from(count(leaf))).sum();
            let sums: (u64, u64, u64) = (
                sum(|leaf| leaf.usage.input),
                sum(|leaf| leaf.usage.cached_input),
                sum(|leaf| leaf.usage.output),
            );
            assert_eq!((part.input, part.cached_input, part.output), sums);
        }
    });
}

#[test]
fn the_header_proves_every_receipt() {
    run(|| {
        let submitted = mixed();
        assert_ok!(dispatch(submitted.clone()));
        let digest = System::digest();
        let DigestItem::Other(item) = &digest.logs[0] else { panic!("not a commitment: {digest:?}") };
        let (tag, mut rest) = item.split_at(COMMITMENT_TAG.len());
        assert_eq!(tag, COMMITMENT_TAG);
        let commitment = BatchCommitment::decode(&mut rest).unwrap();
        assert_eq!((commitment.gateway, commitment.first_seq, commitment.last_seq), (gateway(0), 0, 299));

        let bytes: Vec<_> = leaves(&submitted).iter().map(|leaf| leaf.to_bytes()).collect();
        for (index, leaf) in bytes.iter().enumerate() {
            let proof = prove(&bytes.concat(), RECEIPT_LEAF_LEN, index as u64).unwrap();
            assert!(proof.verifies(&commitment.root, leaf), "receipt {index}");
        }
        assert_eq!(Receipts::batch(&gateway(0), 7).unwrap().receipts_root, commitment.root);
    });
}

#[test]
fn a_block_with_several_batches_commits_to_each() {
    run(|| {
        assert_ok!(dispatch(single(0, 0)));
        assert_ok!(dispatch(single(1, 0)));
        assert_ok!(dispatch(single(0, 1)));
        assert_eq!(System::digest().logs.len(), 3);
    });
}

#[test]
fn the_digest_item_is_tag_and_commitment_and_nothing_else() {
    run(|| {
        let submitted = single(0, 0);
        assert_ok!(dispatch(submitted.clone()));
        let root = Receipts::batch(&gateway(0), 0).unwrap().receipts_root;
        let commitment = BatchCommitment { gateway: gateway(0), first_seq: 0, last_seq: 0, root };
        let expected = [COMMITMENT_TAG.to_vec(), commitment.encode()].concat();
        assert_eq!(System::digest().logs, [DigestItem::Other(expected)]);
    });
}
