//! A batch is charged by the books that its lines name, or not at all.

use frame_support::{
    assert_noop, assert_ok,
    pallet_prelude::{InvalidTransaction, TransactionSource, UnknownTransaction},
};
use stipend_primitives::{cost::PriceEntry, ClassId};

use super::{dispatch, judged};
use crate::{mock::*, Error};

fn line(book: u32, model: u16) -> stipend_primitives::batch::Batch {
    batch(0, 0, 1, &[(0, 1, 0), (0, book, model)], &[record(0, 0, (1, 1, 1), 0)])
}

#[test]
fn a_retired_book_is_refused_by_pool_and_call() {
    run(|| {
        publish(vec![entry(0, ClassId::INNOVATION)]);
        retire(2);
        let expected = Err(InvalidTransaction::Custom(4).into());
        assert_eq!(judged(TransactionSource::External, &sign(0, line(2, 0))), expected);
        assert_eq!(judged(TransactionSource::InBlock, &sign(0, line(2, 0))), expected);
        assert_noop!(dispatch(line(2, 0)), Error::<Test>::RetiredBook);
    });
}

#[test]
fn a_book_that_a_node_does_not_know_yet_does_not_get_the_batch_banned() {
    run(|| {
        let expected = Err(UnknownTransaction::Custom(3).into());
        assert_eq!(judged(TransactionSource::External, &sign(0, line(7, 0))), expected);
        assert_noop!(dispatch(line(7, 0)), Error::<Test>::UnknownBook);
    });
}

#[test]
fn a_model_that_the_book_does_not_have_is_refused() {
    run(|| {
        let expected = Err(InvalidTransaction::Custom(5).into());
        assert_eq!(judged(TransactionSource::External, &sign(0, line(1, 9))), expected);
        assert_noop!(dispatch(line(1, 9)), Error::<Test>::UnknownModel);
    });
}

#[test]
fn each_line_has_the_price_of_its_own_book() {
    run(|| {
        let dearer = PriceEntry { c_output: 1_000, ..entry(0, ClassId::INNOVATION) };
        let book = publish(vec![dearer]);
        let records = [record(0, 0, (0, 0, 10), 0), record(1, 1, (0, 0, 10), 0)];
        assert_ok!(dispatch(batch(0, 0, 2, &[(0, 1, 0), (0, book, 0)], &records)));
        assert_eq!(held(&owner(0), ClassId::INNOVATION), 1_000_000 - (10 * 12 + 1_000));
        assert_eq!(held(&owner(1), ClassId::INNOVATION), 1_000_000 - (10 * 1_000 + 1_000));
    });
}

#[test]
fn more_classes_than_the_table_of_sums_has_columns_for_are_refused() {
    run(|| {
        let book = publish((0..9).map(|number| entry(number, ClassId(number))).collect());
        let lines: Vec<_> = (0..9).map(|model| (0, book, model)).collect();
        let one = [record(0, 0, (1, 1, 1), 0)];
        // Priority is one of the eight whether a fee is paid or not.
        assert_noop!(dispatch(batch(0, 0, 1, &lines, &one)), Error::<Test>::TooManyClasses);
        assert_ok!(dispatch(batch(0, 0, 1, &lines[..8], &one)));
    });
}

#[test]
fn the_largest_price_and_usage_are_charged_without_overflow() {
    run(|| {
        let dearest = PriceEntry {
            c_input: u64::MAX,
            c_cached: u64::MAX,
            c_output: u64::MAX,
            c_model: u64::MAX,
            weight: u32::MAX,
            ..entry(0, ClassId::INNOVATION)
        };
        let book = publish(vec![dearest]);
        let most = record(0, 0, (u32::MAX, u32::MAX, u32::MAX), u32::MAX);
        assert_ok!(dispatch(batch(0, 0, 1, &[(0, book, 0)], &[most; 100])));
        let cost = 4 * u128::from(u32::MAX) * u128::from(u64::MAX);
        let charged = 100 * (cost + u128::from(u32::MAX));
        assert_eq!(Receipts::batch(&gateway(0), 0).unwrap().charged, charged);
        assert_eq!(Receipts::uncollected(&gateway(0)), charged - 2_000_000);
    });
}
