#![allow(clippy::unwrap_used)]

use super::*;
use stipend_sdk::primitives::{cost::PriceBook, ModelId};

fn entry(class: ClassId, c_output: u64) -> PriceEntry {
    PriceEntry {
        model: ModelId(0),
        name: parse::name("small").unwrap(),
        class,
        premium: false,
        c_input: 10,
        c_cached: 1,
        c_output,
        c_model: 0,
        weight: 0,
        reference_input: 1_000_000,
        reference_output: 4_000_000,
    }
}

const USAGE: Usage = Usage { input: 100, cached_input: 50, output: 20 };

#[test]
fn credits_buy_whole_requests_and_their_tokens() {
    // 100 * 10 + 50 * 1 + 20 * 40 = 1,850 micro-credits a request.
    let bought = bought(&entry(ClassId::INNOVATION, 40), &USAGE, 10 * 1_850 + 1_849);
    assert_eq!((bought.request_cost, bought.requests), (1_850, Some(10)));
    assert_eq!((bought.input_tokens, bought.cached_tokens, bought.output_tokens), (1_000, 500, 200));
    // 1,500 prompt tokens at 1 USD and 200 generated at 4 USD a million.
    assert_eq!(bought.outside_micro_usd, Some(1_500 + 800));
}

#[test]
fn what_costs_nothing_or_has_no_reference_is_not_counted() {
    let free = PriceEntry { c_input: 0, c_cached: 0, c_output: 0, ..entry(ClassId::INNOVATION, 0) };
    let free = bought(&free, &USAGE, 5);
    assert_eq!((free.requests, free.outside_micro_usd), (None, None));
    let unknown = PriceEntry { reference_input: 0, reference_output: 0, ..entry(ClassId::INNOVATION, 1) };
    assert_eq!(bought(&unknown, &USAGE, 1_000_000).outside_micro_usd, None);
}

#[test]
fn classes_without_a_model_are_shown_and_amounts_are_strings() {
    let entries = vec![entry(ClassId::INNOVATION, 40)].try_into().unwrap();
    let book = PriceBook { version: 4, effective_at: 0, chargeable_until: None, entries };
    let books = [InForce { book, from: Some(0), until: Some(1_000) }];
    let amounts = [(ClassId::INNOVATION, 18_500), (ClassId::PRIORITY, 7)].into();
    let answer = answer("b", &books, &amounts, USAGE, |class| class.0.to_string()).unwrap();
    let period = &answer.json["periods"][0];
    assert_eq!(period["classes"][0]["models"][0]["requests"], "10");
    assert_eq!(period["classes"][1]["amount"], "7");
    assert!(answer.human.contains("no model is paid in it") && answer.human.contains("price book 4"));
}

#[test]
fn a_basket_is_found_by_name_or_number_and_never_guessed() {
    let issuer = parse::account("//Alice").unwrap();
    let basket = |id, name: &str| (id, issuer.clone(), name.as_bytes().to_vec(), vec![]);
    let baskets = [basket(1, "senior"), basket(2, "junior"), basket(3, "Junior"), basket(4, "1")];
    assert_eq!(find(&baskets, "Senior").unwrap().0, 1);
    assert_eq!(find(&baskets, "2").unwrap().0, 2);
    for (text, reason) in [("junior", "2, 3"), ("1", "1, 4"), ("5", "there is no basket")] {
        assert!(find(&baskets, text).unwrap_err().to_string().contains(reason), "{text}");
    }
}

#[test]
fn worth_is_rounded_down_to_cents() {
    assert_eq!(dollars(1_239_999), "1.23");
}
