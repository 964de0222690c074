//! No gap, no repeat: each number of a gateway is charged at most once.

use frame_support::{
    assert_noop, assert_ok,
    pallet_prelude::{InvalidTransaction, TransactionSource},
};
use stipend_primitives::ClassId;

use super::{dispatch, judged};
use crate::{mock::*, Error};

#[test]
fn batches_continue_each_other() {
    run(|| {
        assert_eq!(Receipts::next_seq(&gateway(0)), 0);
        assert_ok!(dispatch(batch(0, 0, 1, &[(0, 1, 0)], &[record(0, 0, (1, 1, 1), 0); 5])));
        assert_eq!(Receipts::next_seq(&gateway(0)), 5);
        assert_ok!(dispatch(single(0, 5)));
        assert_eq!(Receipts::next_seq(&gateway(0)), 6);
    });
}

#[test]
fn a_batch_sent_again_charges_nothing() {
    run(|| {
        let first = single(0, 0);
        assert_ok!(dispatch(first.clone()));
        let before = held(&owner(0), ClassId::INNOVATION);

        for source in [TransactionSource::External, TransactionSource::InBlock] {
            assert_eq!(judged(source, &sign(0, first.clone())), Err(InvalidTransaction::Stale.into()));
        }
        crate::Authorised::<Test>::kill();
        assert_noop!(dispatch(first), Error::<Test>::Repeat);
        assert_eq!(held(&owner(0), ClassId::INNOVATION), before);
    });
}

#[test]
fn a_batch_that_overlaps_what_was_charged_is_refused_whole() {
    run(|| {
        assert_ok!(dispatch(batch(0, 0, 1, &[(0, 1, 0)], &[record(0, 0, (1, 1, 1), 0); 5])));
        let overlapping = batch(0, 4, 1, &[(0, 1, 0)], &[record(0, 0, (1, 1, 1), 0); 5]);
        assert_eq!(
            judged(TransactionSource::External, &sign(0, overlapping.clone())),
            Err(InvalidTransaction::Stale.into())
        );
        assert_noop!(dispatch(overlapping), Error::<Test>::Repeat);
    });
}

#[test]
fn a_batch_ahead_of_its_turn_waits_in_the_pool_for_the_one_before_it() {
    run(|| {
        let first = judged(TransactionSource::External, &sign(0, single(0, 0))).unwrap();
        let second = judged(TransactionSource::External, &sign(0, single(0, 1))).unwrap();
        let third = judged(TransactionSource::External, &sign(0, single(0, 2))).unwrap();
        assert_eq!(second.requires, first.provides);
        assert_eq!(third.requires, second.provides);
        assert_ne!(first.provides, second.provides);
    });
}

#[test]
fn a_batch_ahead_of_its_turn_is_refused_in_a_block() {
    run(|| {
        let ahead = single(0, 1);
        assert_eq!(
            judged(TransactionSource::InBlock, &sign(0, ahead.clone())),
            Err(InvalidTransaction::Future.into())
        );
        assert_noop!(dispatch(ahead), Error::<Test>::Gap);
    });
}

#[test]
fn gateways_count_for_themselves() {
    run(|| {
        assert_ok!(dispatch(single(0, 0)));
        assert_ok!(dispatch(single(1, 0)));
        assert_ok!(dispatch(single(0, 1)));
        assert_eq!((Receipts::next_seq(&gateway(0)), Receipts::next_seq(&gateway(1))), (2, 1));

        let valid = |number| judged(TransactionSource::External, &sign(number, single(number, 9))).unwrap();
        assert_ne!(valid(0).provides, valid(1).provides);
        assert_ne!(valid(0).requires, valid(1).requires);
    });
}
