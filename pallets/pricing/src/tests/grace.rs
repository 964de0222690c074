//! Requests in flight keep the price they were quoted.

use frame_support::assert_ok;
use stipend_primitives::{
    ledger::{PriceError, Prices},
    ModelId,
};

use crate::mock::*;

#[test]
fn an_old_book_stays_chargeable_for_the_grace_period_and_no_longer() {
    run(|| {
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), book(1)));
        assert_ok!(Pricing::schedule(RuntimeOrigin::root(), book(2), 20));
        for block in [2, 19, 20, 20 + GRACE_BLOCKS] {
            System::set_block_number(block);
            assert_eq!(Pricing::chargeable(1, ModelId(0)).unwrap().c_output, 1);
        }
        System::set_block_number(20 + GRACE_BLOCKS + 1);
        assert_eq!(Pricing::chargeable(1, ModelId(0)), Err(PriceError::RetiredBook));
        assert_eq!(Pricing::chargeable(2, ModelId(0)).unwrap().c_output, 2);
    });
}

#[test]
fn the_grace_period_counts_from_the_successors_effect_not_from_its_publication() {
    run(|| {
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), book(1)));
        assert_ok!(Pricing::schedule(RuntimeOrigin::root(), book(2), 100));
        assert_eq!(Pricing::book(1).unwrap().chargeable_until, Some(100 + GRACE_BLOCKS));
        // A book that comes first takes the place of the scheduled one, and the end moves with it.
        assert_ok!(Pricing::schedule(RuntimeOrigin::root(), book(3), 50));
        assert_eq!(Pricing::book(1).unwrap().chargeable_until, Some(50 + GRACE_BLOCKS));
    });
}

#[test]
fn the_newest_book_has_no_end() {
    run(|| {
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), book(1)));
        System::set_block_number(1_000_000);
        assert!(Pricing::chargeable(1, ModelId(0)).is_ok());
        assert_eq!(Pricing::book(1).unwrap().chargeable_until, None);
    });
}

#[test]
fn a_retired_book_is_kept_for_settlements_and_auditors() {
    run(|| {
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), book(1)));
        for price in 2..=5 {
            System::set_block_number(price as u32 * 100);
            assert_ok!(Pricing::publish(RuntimeOrigin::root(), book(price)));
        }
        System::set_block_number(1_000);
        assert_eq!(Pricing::chargeable(1, ModelId(0)), Err(PriceError::RetiredBook));
        assert_eq!(Pricing::entry(1, ModelId(0)).unwrap().c_output, 1);
        assert_eq!(Pricing::book(1).unwrap().entries, book(1));
        assert_eq!(Pricing::books().len(), 1);
    });
}
