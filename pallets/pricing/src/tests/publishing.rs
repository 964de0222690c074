//! Who may publish what, and when it is in force.

use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;
use stipend_primitives::{
    cost::PriceEntries,
    ledger::{PriceError, Prices},
    ModelId,
};

use crate::{mock::*, Error, Event};

#[test]
fn a_published_book_is_in_force_from_the_next_block() {
    run(|| {
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), book(5)));
        System::assert_has_event(Event::Published { version: 1, effective_at: 2 }.into());
        assert_eq!(Pricing::current_book(), None);
        assert_eq!(Pricing::chargeable(1, ModelId(0)), Err(PriceError::UnknownBook));

        System::set_block_number(2);
        assert_eq!(Pricing::current_book().unwrap().version, 1);
        assert_eq!(Pricing::chargeable(1, ModelId(0)).unwrap().c_output, 5);
    });
}

#[test]
fn versions_count_up() {
    run(|| {
        for version in 1..=5 {
            assert_ok!(Pricing::publish(RuntimeOrigin::root(), book(version)));
            System::set_block_number(System::block_number() + 1);
            assert_eq!(u64::from(Pricing::current_book().unwrap().version), version);
        }
    });
}

#[test]
fn only_the_council_publishes() {
    run(|| {
        let somebody = RuntimeOrigin::signed([1; 32].into());
        assert_noop!(Pricing::publish(somebody.clone(), book(1)), DispatchError::BadOrigin);
        assert_noop!(Pricing::schedule(somebody, book(1), 9), DispatchError::BadOrigin);
        assert_noop!(Pricing::publish(RuntimeOrigin::none(), book(1)), DispatchError::BadOrigin);
    });
}

#[test]
fn an_empty_book_is_refused() {
    run(|| {
        assert_noop!(
            Pricing::publish(RuntimeOrigin::root(), PriceEntries::default()),
            Error::<Test>::EmptyBook
        );
    });
}

#[test]
fn unsorted_or_doubled_entries_are_refused() {
    run(|| {
        for entries in [
            vec![entry(1, "b", 1), entry(0, "a", 1)],
            vec![entry(0, "a", 1), entry(0, "b", 1)],
            vec![entry(0, "a", 1), entry(1, "a", 1)],
            vec![entry(0, "", 1)],
        ] {
            assert_noop!(
                Pricing::publish(RuntimeOrigin::root(), PriceEntries::truncate_from(entries)),
                Error::<Test>::NotCanonical
            );
        }
    });
}

#[test]
fn a_name_that_is_no_text_is_refused() {
    run(|| {
        let mut entries = book(1);
        entries[0].name = stipend_primitives::Name::truncate_from(vec![0xff, 0xfe]);
        assert_noop!(Pricing::publish(RuntimeOrigin::root(), entries), Error::<Test>::NotCanonical);
    });
}

#[test]
fn the_number_of_unmetered_requests_is_refused() {
    run(|| {
        let entries = PriceEntries::truncate_from(vec![entry(u16::MAX, "model", 1)]);
        assert_noop!(Pricing::publish(RuntimeOrigin::root(), entries), Error::<Test>::ReservedModel);
    });
}

#[test]
fn a_model_that_the_book_does_not_have_has_no_price() {
    run(|| {
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), book(5)));
        System::set_block_number(2);
        assert_eq!(Pricing::chargeable(1, ModelId(7)), Err(PriceError::UnknownModel));
        assert_eq!(Pricing::chargeable(2, ModelId(0)), Err(PriceError::UnknownBook));
        assert_eq!(Pricing::chargeable(0, ModelId(0)), Err(PriceError::UnknownBook));
    });
}

#[test]
fn more_chargeable_books_than_the_limit_are_refused_until_the_oldest_retires() {
    run(|| {
        // All within one grace period: the test publishes as fast as no council does.
        for version in 1..=crate::RECENT_MAX {
            assert_eq!(Pricing::publish_for_test(1), version);
        }
        let entries = PriceEntries::truncate_from(vec![entry(0, "model-0", 1)]);
        assert_noop!(Pricing::publish(RuntimeOrigin::root(), entries.clone()), Error::<Test>::TooManyBooks);
        System::set_block_number(1 + GRACE_BLOCKS + 1);
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), entries));
    });
}
