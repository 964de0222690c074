//! The first book of a chain.

use stipend_primitives::ledger::Prices;

use crate::mock::*;

#[test]
fn the_genesis_book_is_in_force_from_the_first_block() {
    new_test_ext(vec![entry(0, "small", 3), entry(1, "large", 9)]).execute_with(|| {
        let book = Pricing::current_book().unwrap();
        assert_eq!((book.version, book.effective_at, book.chargeable_until), (1, 0, None));
        assert_eq!(book.entry_named("large").unwrap().c_output, 9);
        Pricing::do_try_state().unwrap();
    });
}

#[test]
fn a_chain_can_begin_without_a_book() {
    new_test_ext(Vec::new()).execute_with(|| {
        assert_eq!(Pricing::current_book(), None);
        assert_eq!(Pricing::books(), Vec::new());
    });
}

#[test]
#[should_panic(expected = "the genesis price book is not a valid book")]
fn an_unsorted_genesis_book_is_refused() {
    new_test_ext(vec![entry(1, "large", 9), entry(0, "small", 3)]);
}

#[test]
fn a_book_for_tests_of_other_pallets_is_in_force_at_once_beside_the_genesis_book() {
    new_test_ext(vec![entry(0, "small", 3)]).execute_with(|| {
        assert_eq!(Pricing::publish_for_test(4), 2);
        assert_eq!(Pricing::publish_for_test(8), 3);
        let models = |version| {
            (0..9).filter(move |model| {
                Pricing::chargeable(version, stipend_primitives::ModelId(*model)).is_ok()
            })
        };
        assert_eq!(models(1).count(), 1);
        assert_eq!(models(2).count(), 4);
        assert_eq!(models(3).count(), 8);
        Pricing::do_try_state().unwrap();
    });
}
