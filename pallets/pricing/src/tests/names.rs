//! A model's number never changes its name.

use frame_support::{assert_noop, assert_ok};
use stipend_primitives::cost::PriceEntries;

use crate::{mock::*, Error};

fn entries(entries: Vec<stipend_primitives::cost::PriceEntry>) -> PriceEntries {
    PriceEntries::truncate_from(entries)
}

#[test]
fn a_number_keeps_its_name_even_after_books_without_it() {
    run(|| {
        assert_ok!(Pricing::publish(
            RuntimeOrigin::root(),
            entries(vec![entry(0, "small", 1), entry(1, "large", 1)])
        ));
        System::set_block_number(2);
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), entries(vec![entry(0, "small", 1)])));
        System::set_block_number(50);
        assert_noop!(
            Pricing::publish(RuntimeOrigin::root(), entries(vec![entry(1, "huge", 1)])),
            Error::<Test>::ModelRenamed
        );
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), entries(vec![entry(1, "large", 9)])));
    });
}

#[test]
fn a_name_can_get_a_new_number() {
    run(|| {
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), entries(vec![entry(0, "small", 1)])));
        System::set_block_number(2);
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), entries(vec![entry(5, "small", 1)])));
    });
}
