//! Which batches get into the pool and into a block.

use frame_support::pallet_prelude::{InvalidTransaction, TransactionSource};
use sp_core::Pair;
use stipend_primitives::batch::{Batch, SignedBatch, DEBITS_MAX, RECORD_LEN};

use super::judged;
use crate::{mock::*, Refusal};

const SOURCES: [TransactionSource; 3] =
    [TransactionSource::Local, TransactionSource::External, TransactionSource::InBlock];

fn refused_with(signed: &SignedBatch, refusal: Refusal) {
    for source in SOURCES {
        assert_eq!(judged(source, signed), Err(refusal.into()), "{source:?}");
    }
}

#[test]
fn a_batch_that_its_gateway_signed_is_valid_everywhere() {
    run(|| {
        let signed = sign(0, single(0, 0));
        for source in [TransactionSource::Local, TransactionSource::External] {
            let valid = judged(source, &signed).unwrap();
            assert_eq!((valid.priority, valid.propagate), (0, true));
            assert_eq!((valid.requires.len(), valid.provides.len()), (0, 1));
        }
    });
    new_test_ext().execute_with(|| {
        assert!(judged(TransactionSource::InBlock, &sign(0, single(0, 0))).is_ok());
    });
}

#[test]
fn a_batch_signed_by_somebody_else_is_refused() {
    run(|| {
        let batch = single(0, 0);
        let other = sign(1, batch.clone()).signature;
        refused_with(&SignedBatch { batch: batch.clone(), signature: other }, Refusal::WrongSignature);
        refused_with(&SignedBatch { batch, signature: [0; 64] }, Refusal::WrongSignature);
    });
}

#[test]
fn a_signature_for_another_chain_is_refused() {
    run(|| {
        let batch = single(0, 0);
        let payload = batch.signing_payload(&sp_core::H256([8; 32]));
        let signature = gateway_key(0).sign(&payload).0;
        refused_with(&SignedBatch { batch, signature }, Refusal::WrongSignature);
    });
}

#[test]
fn any_changed_byte_of_a_record_breaks_the_signature() {
    run(|| {
        let signed = sign(0, single(0, 0));
        // The first four bytes point into the tables; beyond those every value is a record.
        for at in 4..RECORD_LEN {
            let mut tampered = signed.clone();
            let mut records = tampered.batch.records.into_inner();
            records[at] ^= 1;
            tampered.batch.records = records.try_into().unwrap();
            assert_eq!(
                judged(TransactionSource::External, &tampered),
                Err(Refusal::WrongSignature.into()),
                "byte {at}"
            );
        }
    });
}

#[test]
fn a_signer_without_the_gateway_role_is_refused() {
    run(|| refused_with(&sign(9, single(9, 0)), Refusal::NotGateway));
}

#[test]
fn a_malformed_batch_is_refused_whatever_is_wrong_with_it() {
    run(|| {
        let whole = single(0, 0);
        let with_records = |records: Vec<u8>| Batch { records: records.try_into().unwrap(), ..whole.clone() };
        let providers: Vec<_> = (0..17).map(|number| (number, 1, 0)).collect();
        let one = record(0, 0, (1, 1, 1), 0);
        let malformed = [
            with_records(Vec::new()),
            with_records(vec![0; RECORD_LEN - 1]),
            with_records(vec![0; RECORD_LEN + 1]),
            batch(0, 0, 1, &[(0, 1, 0)], &[record(1, 0, (1, 1, 1), 0)]),
            batch(0, 0, 1, &[(0, 1, 0)], &[record(0, 1, (1, 1, 1), 0)]),
            batch(0, 0, 0, &[(0, 1, 0)], &[one]),
            batch(0, 0, 1, &[], &[one]),
            batch(0, 0, 1, &providers, &[one]),
        ];
        for batch in malformed {
            let code = InvalidTransaction::Custom(2).into();
            let signed = sign(0, batch);
            for source in SOURCES {
                assert_eq!(judged(source, &signed), Err(code));
            }
        }
    });
}

#[test]
fn a_sequence_that_ends_is_refused() {
    run(|| {
        assert_eq!(
            judged(TransactionSource::External, &sign(0, single(0, u64::MAX))),
            Err(InvalidTransaction::Custom(2).into())
        );
    });
}

#[test]
fn a_batch_that_debits_more_than_a_block_has_time_for_is_refused() {
    run(|| {
        // Wallets that pay in two classes and a fee: three debits each.
        let wallets = (DEBITS_MAX / 2) as u16;
        let of_wallet = |wallet| [record(wallet, 0, (1, 0, 0), 0), record(wallet, 1, (1, 0, 0), 1)];
        let records: Vec<_> = (0..wallets).flat_map(of_wallet).collect();
        let lines = [(0, 1, 0), (0, 1, 2)];
        refused_with(&sign(0, batch(0, 0, wallets, &lines, &records)), Refusal::TooManyDebits);
        // Without the second class they are two for each wallet, which is what fits.
        let lines = [(0, 1, 0), (0, 1, 1)];
        let fits = sign(0, batch(0, 0, wallets, &lines, &records));
        assert!(judged(TransactionSource::External, &fits).is_ok());
    });
}

#[test]
fn every_refusal_has_a_code_of_its_own() {
    use stipend_primitives::batch::Malformed;
    let refusals = [
        Refusal::NotGateway,
        Refusal::Malformed(Malformed::Empty),
        Refusal::UnknownBook,
        Refusal::RetiredBook,
        Refusal::UnknownModel,
        Refusal::WrongSignature,
        Refusal::TooManyClasses,
        Refusal::TooManyDebits,
        Refusal::Repeat,
        Refusal::Gap,
        Refusal::TooManyUnsettled,
    ];
    let codes: Vec<u8> = refusals.into_iter().map(Refusal::code).collect();
    assert_eq!(codes, (1..=11).collect::<Vec<u8>>());
}
