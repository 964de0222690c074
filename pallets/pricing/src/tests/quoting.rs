//! Quotes from the book in force.

use frame_support::assert_ok;
use stipend_primitives::{
    cost::{PriceEntries, Usage},
    ClassId, ModelId,
};

use crate::mock::*;

#[test]
fn a_quote_shows_every_part_of_the_price_and_their_sum() {
    run(|| {
        let mut model = entry(3, "model", 40);
        (model.class, model.premium) = (ClassId::REASONING, true);
        (model.c_input, model.c_cached, model.c_model, model.weight) = (10, 2, 500, 3);
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), PriceEntries::truncate_from(vec![model])));
        System::set_block_number(2);

        let quote = Pricing::quote(ModelId(3), Usage { input: 100, cached_input: 50, output: 7 }, 9).unwrap();
        assert_eq!((quote.book, quote.class, quote.premium), (1, ClassId::REASONING, true));
        assert_eq!((quote.input, quote.cached_input, quote.output, quote.model), (1000, 100, 280, 1500));
        assert_eq!((quote.cost, quote.priority_fee), (2880, 9));
    });
}

#[test]
fn there_is_no_quote_without_a_book_or_a_model() {
    run(|| {
        assert_eq!(Pricing::quote(ModelId(0), Usage::default(), 0), None);
        assert_ok!(Pricing::publish(RuntimeOrigin::root(), book(1)));
        System::set_block_number(2);
        assert_eq!(Pricing::quote(ModelId(1), Usage::default(), 0), None);
        assert!(Pricing::quote(ModelId(0), Usage::default(), 0).is_some());
    });
}
