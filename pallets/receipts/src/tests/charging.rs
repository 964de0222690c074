//! What a batch takes from whom.

use frame_support::assert_ok;
use stipend_primitives::ClassId;

use super::dispatch;
use crate::{debits::debits_max, mock::*, Event};

#[test]
fn a_receipt_costs_what_the_book_says() {
    run(|| {
        assert_ok!(dispatch(batch(0, 0, 1, &[(0, 1, 0)], &[record(0, 0, (100, 50, 7), 0)])));
        let cost = 100 * 3 + 50 + 7 * 12 + 2 * 500;
        assert_eq!(held(&owner(0), ClassId::INNOVATION), 1_000_000 - cost);
    });
}

#[test]
fn the_base_cost_is_paid_in_the_models_class_and_the_fee_in_priority() {
    run(|| {
        assert_ok!(dispatch(batch(0, 0, 1, &[(0, 1, 2)], &[record(0, 0, (10, 0, 0), 77)])));
        assert_eq!(held(&owner(0), ClassId::RENDER), 1_000_000 - 1_030);
        assert_eq!(held(&owner(0), ClassId::PRIORITY), 1_000_000 - 77);
        assert_eq!(held(&owner(0), ClassId::INNOVATION), 1_000_000);
    });
}

#[test]
fn a_model_that_is_paid_in_priority_shares_one_debit_with_the_fees() {
    run(|| {
        let book = publish(vec![entry(0, ClassId::PRIORITY)]);
        assert_ok!(dispatch(batch(0, 0, 1, &[(0, book, 0)], &[record(0, 0, (10, 0, 0), 77)])));
        assert_eq!(held(&owner(0), ClassId::PRIORITY), 1_000_000 - 1_030 - 77);
        assert_eq!(charges_count(), 1);
    });
}

#[test]
fn a_wallet_is_charged_once_per_class_however_many_receipts_it_has() {
    run(|| {
        let records: Vec<_> = (0..300).map(|number| record(number % 3, number % 2, (1, 1, 1), 0)).collect();
        assert_ok!(dispatch(batch(0, 0, 3, &[(0, 1, 0), (1, 1, 1)], &records)));
        assert_eq!(charges_count(), 3);
    });
}

#[test]
fn a_receipt_that_costs_nothing_touches_no_wallet() {
    run(|| {
        let mut free = entry(0, ClassId::INNOVATION);
        free.weight = 0;
        let book = publish(vec![free]);
        assert_ok!(dispatch(batch(0, 0, 1, &[(0, book, 0)], &[record(0, 0, (0, 0, 0), 0)])));
        assert_eq!(charges_count(), 0);
        assert_eq!(Receipts::next_seq(&gateway(0)), 1);
    });
}

#[test]
fn the_event_names_the_range_and_the_totals() {
    run(|| {
        let submitted =
            batch(0, 0, 2, &[(0, 1, 0)], &[record(0, 0, (10, 0, 0), 0), record(1, 0, (0, 0, 1), 5)]);
        let batch_hash = submitted.hash();
        assert_ok!(dispatch(submitted));
        System::assert_last_event(
            Event::BatchSubmitted {
                gateway: gateway(0),
                first_seq: 0,
                last_seq: 1,
                batch_hash,
                charged: 1_030 + 1_012 + 5,
                uncollected: 0,
            }
            .into(),
        );
    });
}

#[test]
fn a_batch_costs_the_weight_of_the_debits_that_it_made() {
    run(|| {
        use crate::WeightInfo;
        // Two lines of one class: the records show ten pairs of wallet and line, but debit five.
        let records: Vec<_> = (0..10).map(|number| record(number % 5, number % 2, (1, 1, 1), 0)).collect();
        let submitted = batch(0, 0, 5, &[(0, 1, 0), (0, 1, 1)], &records);
        assert_eq!(debits_max(&submitted), 10);
        let post = dispatch(submitted).unwrap();
        assert_eq!(post.actual_weight, Some(<Test as crate::Config>::WeightInfo::submit_batch(10, 5, 2)));
    });
}

#[test]
fn a_block_keeps_no_more_room_for_a_batch_than_its_records_can_debit() {
    let lines = [(0, 1, 0), (1, 1, 1)];
    let most = |records: &[_]| debits_max(&batch(0, 0, 5, &lines, records));
    let (plain, fee) = (|wallet, line| record(wallet, line, (1, 0, 0), 0), record(3, 0, (1, 0, 0), 9));
    assert_eq!(most(&[plain(0, 0), plain(0, 0)]), 1);
    assert_eq!(most(&[plain(0, 0), plain(0, 1), plain(4, 1)]), 3);
    assert_eq!(most(&[fee, fee]), 2);
    assert_eq!(most(&[plain(5, 0), plain(0, 2)]), 0, "outside the tables");
}
