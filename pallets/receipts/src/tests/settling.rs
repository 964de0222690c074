//! Open items, and what closing them does.

use frame_support::{
    assert_noop, assert_ok,
    pallet_prelude::{InvalidTransaction, TransactionSource},
};
use stipend_primitives::{
    attestation::GpuUse,
    evidence::EvidenceLevel,
    ledger::Unsettled,
    settlement::{Item, VerdictKind},
    Sequence,
};

use super::{dispatch, judged};
use crate::{mock::*, Error, UNSETTLED_MAX};

fn item(gateway_number: u8, first_seq: Sequence, provider_number: u16) -> Item {
    Item { gateway: gateway(gateway_number), first_seq, provider: provider(provider_number) }
}

/// Two receipts by two providers.
fn shared(first_seq: Sequence) -> stipend_primitives::batch::Batch {
    let records = [record(0, 0, (10, 0, 0), 0), record(1, 1, (20, 0, 0), 0)];
    batch(0, first_seq, 2, &[(0, 1, 0), (1, 1, 0)], &records)
}

#[test]
fn each_provider_of_a_batch_is_an_open_item() {
    run(|| {
        System::set_block_number(9);
        let submitted = shared(0);
        let batch_hash = submitted.hash();
        assert_ok!(dispatch(submitted));
        let open = Receipts::open_items(10);
        assert_eq!(open.len(), 2);
        for open in open {
            assert_eq!(Receipts::open_item(&open.item), Some(open.clone()));
            assert_eq!((open.last_seq, open.submitted_at, open.count), (1, 9, 1));
            assert_eq!(open.batch_hash, batch_hash);
        }
    });
}

#[test]
fn an_item_keeps_the_level_that_its_provider_had_when_the_batch_came() {
    run(|| {
        set_hardware(1, true);
        assert_ok!(dispatch(shared(0)));
        set_hardware(0, true);
        set_hardware(1, false);
        let level = |number| Receipts::open_item(&item(0, 0, number)).unwrap().evidence;
        assert_eq!((level(0), level(1)), (EvidenceLevel::Software, EvidenceLevel::Hardware));
        Receipts::close_item(&item(0, 0, 1), VerdictKind::Match, 0, GpuUse::default());
        let view = Receipts::batch(&gateway(0), 0).unwrap();
        assert_eq!(view.providers[1].evidence, EvidenceLevel::Hardware);
    });
}

#[test]
fn what_was_never_submitted_is_not_open() {
    run(|| {
        assert_ok!(dispatch(shared(0)));
        for item in [item(0, 1, 0), item(0, 2, 0), item(0, 0, 5), item(1, 0, 0)] {
            assert_eq!(Receipts::open_item(&item), None);
        }
    });
}

#[test]
fn a_closed_item_is_remembered_with_its_verdict_and_the_other_stays_open() {
    run(|| {
        assert_ok!(dispatch(shared(0)));
        System::set_block_number(4);
        Receipts::close_item(&item(0, 0, 1), VerdictKind::Adjust, 17, GpuUse::default());
        assert_eq!(Receipts::open_item(&item(0, 0, 1)), None);
        assert_eq!(Receipts::open_items(10).len(), 1);

        let view = Receipts::batch(&gateway(0), 1).unwrap();
        let settled: Vec<_> = view.providers.iter().map(|part| part.settled.clone()).collect();
        assert_eq!(settled[0], None);
        let settled = settled[1].clone().unwrap();
        assert_eq!((settled.verdict, settled.refunded, settled.at), (VerdictKind::Adjust, 17, 4));
    });
}

#[test]
fn the_oldest_batches_of_each_gateway_come_first_and_in_turn() {
    run(|| {
        for seq in 0..6 {
            assert_ok!(dispatch(single(0, seq)));
        }
        for seq in 0..3 {
            assert_ok!(dispatch(single(1, seq)));
        }
        let open = Receipts::open_items(4);
        let of = |number| -> Vec<_> {
            let mine = open.iter().filter(|open| open.item.gateway == gateway(number));
            mine.map(|open| open.item.first_seq).collect()
        };
        assert_eq!((of(0), of(1)), (vec![0, 1], vec![0, 1]));
        assert_eq!(Receipts::open_items(100).len(), 9);
        assert_eq!(Receipts::open_items(0).len(), 0);
    });
}

#[test]
fn no_more_items_are_listed_than_asked_for() {
    run(|| {
        assert_ok!(dispatch(shared(0)));
        assert_ok!(dispatch(shared(2)));
        assert_eq!(Receipts::open_items(3).len(), 3);
        assert_eq!(Receipts::open_items(1).len(), 1);
    });
}

#[test]
fn a_gateway_too_far_ahead_of_the_settlements_waits_without_being_banned() {
    run(|| {
        let ahead = Sequence::from(UNSETTLED_MAX);
        for seq in 0..ahead {
            assert_ok!(dispatch(single(0, seq)));
        }
        let next = sign(0, single(0, ahead));
        assert!(judged(TransactionSource::External, &next).is_ok(), "the pool lets it wait");
        assert_eq!(
            judged(TransactionSource::InBlock, &next),
            Err(InvalidTransaction::ExhaustsResources.into())
        );
        assert_noop!(dispatch(single(0, ahead)), Error::<Test>::TooManyUnsettled);
        assert_ok!(dispatch(single(1, 0)));

        Receipts::close_item(&item(0, 100, 0), VerdictKind::Match, 0, GpuUse::default());
        assert_ok!(dispatch(single(0, ahead)));
    });
}
