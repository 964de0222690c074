//! Proves one receipt from a block: its header's commitments and the batches in its body.

use codec::{DecodeAll, Encode};
use sp_runtime::{traits::Header as HeaderT, DigestItem};
use stipend_primitives::{
    batch::Batch,
    leaf::{BatchCommitment, ReceiptLeaf, COMMITMENT_TAG, RECEIPT_LEAF_LEN},
    merkle::{self, Proof},
    AccountId, Sequence,
};

/// Why a block does not prove a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unproven {
    /// The header commits to no batch with this receipt.
    NotInHeader,
    /// The header does, but none of the body's batches has its root.
    NotInBody,
}

/// The receipt with this number and its proof under the header's commitment.
///
/// The root decides which of the body's batches is the committed one: the same range may stand in a
/// block twice if a submission failed before another succeeded.
pub(super) fn prove<Header: HeaderT>(
    header: &Header,
    batches: impl IntoIterator<Item = Batch>,
    gateway: &AccountId,
    sequence: Sequence,
) -> Result<(ReceiptLeaf, Proof), Unproven> {
    committed(header, batches, gateway, sequence).map(|(_, leaf, proof)| (leaf, proof))
}

/// The same, and the batch that the header commits to.
pub(super) fn committed<Header: HeaderT>(
    header: &Header,
    batches: impl IntoIterator<Item = Batch>,
    gateway: &AccountId,
    sequence: Sequence,
) -> Result<(Batch, ReceiptLeaf, Proof), Unproven> {
    let commitment = commitments(header)
        .find(|commitment| {
            commitment.gateway == *gateway && (commitment.first_seq..=commitment.last_seq).contains(&sequence)
        })
        .ok_or(Unproven::NotInHeader)?;
    batches
        .into_iter()
        .filter(|batch| batch.gateway == *gateway && batch.first_seq == commitment.first_seq)
        .find_map(|batch| {
            let (leaf, proof) = prove_in(&batch, &commitment, sequence)?;
            Some((batch, leaf, proof))
        })
        .ok_or(Unproven::NotInBody)
}

/// The commitments to batches in a header, in the order of the batches.
fn commitments<Header: HeaderT>(header: &Header) -> impl Iterator<Item = BatchCommitment> + '_ {
    header.digest().logs().iter().filter_map(|item| match item {
        DigestItem::Other(bytes) => {
            BatchCommitment::decode_all(&mut bytes.strip_prefix(&COMMITMENT_TAG)?).ok()
        }
        _ => None,
    })
}

fn prove_in(batch: &Batch, commitment: &BatchCommitment, sequence: Sequence) -> Option<(ReceiptLeaf, Proof)> {
    let count = usize::try_from(batch.receipts_count()).ok()?;
    let mut leaves = Vec::with_capacity(count * RECEIPT_LEAF_LEN);
    for (seq, record) in (batch.first_seq..).zip(batch.records()) {
        let line = batch.lines.get(usize::from(record.line))?;
        let wallet = batch.wallets.get(usize::from(record.wallet))?;
        leaves.extend_from_slice(&ReceiptLeaf::new(seq, &record, line, wallet).to_bytes());
    }
    let index = sequence.checked_sub(batch.first_seq)?;
    let leaf = ReceiptLeaf::of(batch, usize::try_from(index).ok()?)?;
    let proof = merkle::prove(&leaves, RECEIPT_LEAF_LEN, index)?;
    proof.verifies(&commitment.root, &leaf.encode()).then_some((leaf, proof))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use sp_core::H256;
    use sp_runtime::{generic, traits::BlakeTwo256, Digest};
    use stipend_primitives::{
        batch::{Line, Record},
        cost::Usage,
        merkle::RootBuilder,
        ModelId,
    };

    type Header = generic::Header<u32, BlakeTwo256>;

    fn account(name: u8) -> AccountId {
        AccountId::new([name; 32])
    }

    /// A batch of `gateway` whose receipts differ by `salt`.
    fn batch(gateway: u8, first_seq: Sequence, receipts: u32, salt: u8) -> Batch {
        let records: Vec<u8> = (0..receipts)
            .flat_map(|at| {
                Record {
                    wallet: (at % 2) as u16,
                    line: 0,
                    usage: Usage { input: at, cached_input: 1, output: 7 },
                    priority_fee: 3,
                    digest: [salt; 16],
                }
                .to_bytes()
            })
            .collect();
        let line = Line { provider: account(200), book: 1, model: ModelId(2) };
        Batch {
            gateway: account(gateway),
            first_seq,
            wallets: vec![account(100), account(101)].try_into().unwrap(),
            lines: vec![line].try_into().unwrap(),
            records: records.try_into().unwrap(),
        }
    }

    fn commitment(batch: &Batch) -> DigestItem {
        let mut root = RootBuilder::new(RECEIPT_LEAF_LEN);
        for index in 0..batch.receipts_count() as usize {
            root.push(&ReceiptLeaf::of(batch, index).unwrap().to_bytes());
        }
        let commitment = BatchCommitment {
            gateway: batch.gateway.clone(),
            first_seq: batch.first_seq,
            last_seq: batch.last_seq(),
            root: root.finish(),
        };
        DigestItem::Other([&COMMITMENT_TAG[..], &commitment.encode()].concat())
    }

    fn header(logs: Vec<DigestItem>) -> Header {
        Header::new(7, H256::zero(), H256::zero(), H256::zero(), Digest { logs })
    }

    #[test]
    fn every_receipt_of_a_batch_is_proven_under_the_headers_root() {
        let batch = batch(1, 1_000, 300, 5);
        let header = header(vec![DigestItem::Other(b"unrelated".to_vec()), commitment(&batch)]);
        let root = commitments(&header).next().unwrap().root;
        for sequence in [1_000, 1_127, 1_128, 1_299] {
            let (leaf, proof) = prove(&header, [batch.clone()], &account(1), sequence).unwrap();
            assert_eq!(leaf.leaf.seq, sequence);
            assert_eq!(proof.index, sequence - 1_000);
            assert!(proof.verifies(&root, &leaf.encode()));
            assert!(!proof.verifies(&H256::zero(), &leaf.encode()));
        }
    }

    #[test]
    fn receipts_outside_the_committed_ranges_are_not_proven() {
        let batch = batch(1, 1_000, 300, 5);
        let header = header(vec![commitment(&batch)]);
        for (gateway, sequence) in [(1, 999), (1, 1_300), (2, 1_000)] {
            let unproven = prove(&header, [batch.clone()], &account(gateway), sequence).unwrap_err();
            assert_eq!(unproven, Unproven::NotInHeader);
        }
    }

    #[test]
    fn of_two_batches_with_one_range_the_committed_one_is_proven() {
        let (failed, committed) = (batch(1, 0, 10, 5), batch(1, 0, 10, 6));
        let header = header(vec![commitment(&committed)]);
        let (leaf, _) = prove(&header, [failed, committed], &account(1), 4).unwrap();
        assert_eq!(leaf.leaf.digest, [6; 16]);
    }

    #[test]
    fn a_body_without_the_committed_batch_proves_nothing() {
        let (failed, committed) = (batch(1, 0, 10, 5), batch(1, 0, 10, 6));
        let header = header(vec![commitment(&committed)]);
        assert_eq!(prove(&header, [failed], &account(1), 4), Err(Unproven::NotInBody));
    }

    #[test]
    fn batches_of_several_gateways_in_one_block_are_told_apart() {
        let (one, two) = (batch(1, 0, 10, 5), batch(2, 0, 10, 6));
        let header = header(vec![commitment(&one), commitment(&two)]);
        let (leaf, _) = prove(&header, [one, two], &account(2), 9).unwrap();
        assert_eq!(leaf.leaf.digest, [6; 16]);
    }
}
