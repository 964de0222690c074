//! Fixed-size records and leaves come back as they went, and agree with SCALE.
#![allow(missing_docs, clippy::unwrap_used)]

use codec::{Decode, Encode};
use proptest::prelude::*;
use stipend_primitives::{
    batch::{Batch, Line, Malformed, Record, PROVIDERS_MAX, RECORD_LEN},
    cost::Usage,
    leaf::{ReceiptLeaf, UsageLeaf, RECEIPT_LEAF_LEN, USAGE_LEAF_LEN},
    AccountId, ModelId,
};

fn usages() -> impl Strategy<Value = Usage> {
    any::<(u32, u32, u32)>().prop_map(|(input, cached_input, output)| Usage { input, cached_input, output })
}

fn records(wallets: u16, lines: u16) -> impl Strategy<Value = Record> {
    (0..wallets, 0..lines, usages(), any::<u32>(), any::<[u8; 16]>()).prop_map(
        |(wallet, line, usage, priority_fee, digest)| Record { wallet, line, usage, priority_fee, digest },
    )
}

fn usage_leaves() -> impl Strategy<Value = UsageLeaf> {
    (any::<u64>(), any::<u16>(), usages(), any::<[u8; 16]>())
        .prop_map(|(seq, model, usage, digest)| UsageLeaf { seq, model: ModelId(model), usage, digest })
}

fn account(kind: u8, number: usize) -> AccountId {
    AccountId::new([kind + number as u8; 32])
}

/// A batch of three wallets and four lines by two providers.
fn batches() -> impl Strategy<Value = Batch> {
    (any::<u32>(), prop::collection::vec(records(3, 4), 1..300)).prop_map(|(first_seq, records)| Batch {
        gateway: account(1, 0),
        first_seq: first_seq.into(),
        wallets: (0..3).map(|number| account(50, number)).collect::<Vec<_>>().try_into().unwrap(),
        lines: (0..4)
            .map(|number| Line { provider: account(100, number % 2), book: 7, model: ModelId(number as u16) })
            .collect::<Vec<_>>()
            .try_into()
            .unwrap(),
        records: records.iter().flat_map(Record::to_bytes).collect::<Vec<_>>().try_into().unwrap(),
    })
}

proptest! {
    #[test]
    fn a_record_comes_back_as_it_went(record in records(u16::MAX, u16::MAX)) {
        prop_assert_eq!(Record::from_bytes(&record.to_bytes()), record);
    }

    #[test]
    fn every_value_of_the_bytes_is_a_record(bytes: [u8; 32], rest: [u8; 4]) {
        let mut whole = [0; RECORD_LEN];
        whole[..32].copy_from_slice(&bytes);
        whole[32..].copy_from_slice(&rest);
        prop_assert_eq!(Record::from_bytes(&whole).to_bytes(), whole);
    }

    #[test]
    fn a_usage_leaf_comes_back_as_it_went_and_is_its_scale_encoding(leaf in usage_leaves()) {
        let bytes = leaf.to_bytes();
        prop_assert_eq!(UsageLeaf::from_bytes(&bytes), leaf);
        prop_assert_eq!(leaf.encode(), bytes.to_vec());
    }

    #[test]
    fn usage_leaves_in_a_row_are_read_and_a_torn_one_is_refused(leaves in prop::collection::vec(usage_leaves(), 0..50)) {
        let bytes: Vec<u8> = leaves.iter().flat_map(UsageLeaf::to_bytes).collect();
        prop_assert_eq!(UsageLeaf::read_all(&bytes), Some(leaves.clone()));
        let torn = [bytes.as_slice(), &[0; USAGE_LEAF_LEN - 1]].concat();
        prop_assert_eq!(UsageLeaf::read_all(&torn), None);
    }

    #[test]
    fn a_receipt_leaf_is_its_scale_encoding(batch in batches(), pick: prop::sample::Index) {
        let index = pick.index(batch.receipts_count() as usize);
        let leaf = ReceiptLeaf::of(&batch, index).unwrap();
        let bytes = leaf.to_bytes();
        prop_assert_eq!(bytes.len(), RECEIPT_LEAF_LEN);
        prop_assert_eq!(leaf.encode(), bytes.to_vec());
        prop_assert_eq!(ReceiptLeaf::decode(&mut bytes.as_slice()).unwrap(), leaf);
    }

    #[test]
    fn a_receipt_leaf_says_what_its_batch_says(batch in batches(), pick: prop::sample::Index) {
        let index = pick.index(batch.receipts_count() as usize);
        let record = batch.records().nth(index).unwrap();
        let leaf = ReceiptLeaf::of(&batch, index).unwrap();
        prop_assert_eq!(leaf.leaf.seq, batch.first_seq + index as u64);
        prop_assert_eq!(&leaf.wallet, &batch.wallets[usize::from(record.wallet)]);
        let line = &batch.lines[usize::from(record.line)];
        prop_assert_eq!((&leaf.provider, leaf.book, leaf.leaf.model), (&line.provider, line.book, line.model));
        prop_assert_eq!((leaf.leaf.usage, leaf.leaf.digest), (record.usage, record.digest));
        prop_assert_eq!(ReceiptLeaf::of(&batch, batch.receipts_count() as usize), None);
    }

    #[test]
    fn a_batch_comes_back_as_it_went(batch in batches()) {
        prop_assert_eq!(Batch::decode(&mut batch.encode().as_slice()).unwrap(), batch.clone());
        prop_assert_eq!(batch.check(), Ok(()));
        prop_assert_eq!(batch.records().len() as u32, batch.receipts_count());
        prop_assert_eq!(batch.last_seq(), batch.first_seq + u64::from(batch.receipts_count()) - 1);
        prop_assert_eq!(batch.providers(), vec![account(100, 0), account(100, 1)]);
    }

    #[test]
    fn the_payload_from_a_known_hash_is_the_payload(batch in batches(), genesis: [u8; 32]) {
        let genesis = sp_core::H256(genesis);
        prop_assert_eq!(Batch::signing_payload_of_hash(&genesis, &batch.hash()), batch.signing_payload(&genesis));
    }
}

#[test]
fn each_fault_of_a_batch_is_named() {
    let record = Record { wallet: 0, line: 0, usage: Usage::default(), priority_fee: 0, digest: [0; 16] };
    let whole = Batch {
        gateway: account(1, 0),
        first_seq: 0,
        wallets: vec![account(50, 0)].try_into().unwrap(),
        lines: vec![Line { provider: account(100, 0), book: 1, model: ModelId(0) }].try_into().unwrap(),
        records: record.to_bytes().to_vec().try_into().unwrap(),
    };
    assert_eq!(whole.check(), Ok(()));
    let with_records = |bytes: Vec<u8>| Batch { records: bytes.try_into().unwrap(), ..whole.clone() };
    let with_record = |record: Record| with_records(record.to_bytes().to_vec());
    let line = |number| Line { provider: account(100, number), book: 1, model: ModelId(0) };
    let crowd: Vec<Line> = (0..=PROVIDERS_MAX as usize).map(line).collect();
    let faults = [
        (with_records(Vec::new()), Malformed::Empty),
        (with_records(vec![0; RECORD_LEN + 1]), Malformed::TornRecord),
        (with_record(Record { wallet: 1, ..record }), Malformed::UnknownWallet),
        (with_record(Record { line: 1, ..record }), Malformed::UnknownLine),
        (Batch { lines: crowd.try_into().unwrap(), ..whole.clone() }, Malformed::TooManyProviders),
        (Batch { first_seq: u64::MAX, ..whole.clone() }, Malformed::SequenceOverflow),
    ];
    for (batch, fault) in faults {
        assert_eq!(batch.check(), Err(fault));
    }
    assert_eq!(Batch { first_seq: u64::MAX - 1, ..whole }.check(), Ok(()));
}
