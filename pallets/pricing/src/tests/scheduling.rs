//! Books that take effect later.

use frame_support::{assert_noop, assert_ok};
use stipend_primitives::{
    ledger::{PriceError, Prices},
    ModelId,
};

use crate::{mock::*, Entries, Error, Event, PENDING_MAX};

fn current() -> Option<u32> {
    Pricing::current_book().map(|book| book.version)
}

#[test]
fn a_scheduled_book_takes_effect_at_its_block() {
    run(|| {
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), book(1)));
        assert_ok!(Pricing::schedule(RuntimeOrigin::root(), book(2), 20));
        System::set_block_number(19);
        assert_eq!(current(), Some(1));
        assert_eq!(Pricing::chargeable(2, ModelId(0)), Err(PriceError::UnknownBook));
        System::set_block_number(20);
        assert_eq!(current(), Some(2));
    });
}

#[test]
fn a_book_cannot_take_effect_in_the_block_that_publishes_it_or_before() {
    run(|| {
        System::set_block_number(5);
        for effective_at in [0, 4, 5] {
            assert_noop!(
                Pricing::schedule(RuntimeOrigin::root(), book(1), effective_at),
                Error::<Test>::TooSoon
            );
        }
        assert_ok!(Pricing::schedule(RuntimeOrigin::root(), book(1), 6));
    });
}

#[test]
fn an_earlier_book_withdraws_those_that_wait_behind_it() {
    run(|| {
        assert_ok!(Pricing::schedule(RuntimeOrigin::root(), book(1), 10));
        assert_ok!(Pricing::schedule(RuntimeOrigin::root(), book(2), 20));
        assert_ok!(Pricing::schedule(RuntimeOrigin::root(), book(3), 15));
        System::assert_has_event(Event::Withdrawn { version: 2 }.into());
        assert_eq!(Pricing::book(2), None);
        assert_eq!(Entries::<Test>::iter_prefix(2).count(), 0);

        System::set_block_number(30);
        assert_eq!(current(), Some(3));
        assert_eq!(Pricing::chargeable(2, ModelId(0)), Err(PriceError::UnknownBook));
        assert_eq!(Pricing::entry(2, ModelId(0)), None);
    });
}

#[test]
fn two_books_published_in_one_block_leave_the_later_one() {
    run(|| {
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), book(1)));
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), book(2)));
        System::set_block_number(2);
        assert_eq!(current(), Some(2));
        assert_eq!(Pricing::books().len(), 1);
    });
}

#[test]
fn waiting_books_are_bounded() {
    run(|| {
        for waiting in 0..PENDING_MAX {
            assert_ok!(Pricing::schedule(RuntimeOrigin::root(), book(1), 10 + waiting));
        }
        assert_noop!(Pricing::schedule(RuntimeOrigin::root(), book(1), 30), Error::<Test>::TooManyPending);
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), book(1)));
        assert_eq!(Pricing::books().len(), 1);
    });
}

#[test]
fn waiting_books_are_listed_in_the_order_of_their_effect() {
    run(|| {
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), book(1)));
        assert_ok!(Pricing::schedule(RuntimeOrigin::root(), book(2), 20));
        assert_ok!(Pricing::schedule(RuntimeOrigin::root(), book(3), 30));
        let listed: Vec<_> = Pricing::books().iter().map(|book| (book.version, book.effective_at)).collect();
        assert_eq!(listed, [(1, 2), (2, 20), (3, 30)]);
    });
}
