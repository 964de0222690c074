//! What the cost function promises.
#![allow(missing_docs, clippy::unwrap_used)]

use proptest::prelude::*;
use stipend_primitives::{
    cost::{entries_are_canonical, PriceEntry, Usage},
    ClassId, Credits, ModelId, Name,
};

fn entry(c_input: u64, c_cached: u64, c_output: u64, c_model: u64, weight: u32) -> PriceEntry {
    PriceEntry {
        model: ModelId(1),
        name: Name::truncate_from(b"model".to_vec()),
        class: ClassId::INNOVATION,
        premium: false,
        c_input,
        c_cached,
        c_output,
        c_model,
        weight,
        reference_input: 0,
        reference_output: 0,
    }
}

/// The formula of the design in arithmetic that cannot go wrong.
fn by_definition(entry: &PriceEntry, usage: &Usage) -> Credits {
    let product =
        |count: u32, coefficient: u64| Credits::from(count).checked_mul(Credits::from(coefficient)).unwrap();
    [
        product(usage.input, entry.c_input),
        product(usage.cached_input, entry.c_cached),
        product(usage.output, entry.c_output),
        product(entry.weight, entry.c_model),
    ]
    .into_iter()
    .reduce(|sum, part| sum.checked_add(part).unwrap())
    .unwrap()
}

/// Coefficients of every size, with those where 64 bits stop sufficing among them.
fn coefficient() -> impl Strategy<Value = u64> {
    prop_oneof![0..1_000u64, (1u64 << 30) - 2..(1 << 30) + 3, any::<u64>(), Just(u64::MAX),]
}

fn count() -> impl Strategy<Value = u32> {
    prop_oneof![0..10_000u32, any::<u32>(), Just(u32::MAX)]
}

fn entries() -> impl Strategy<Value = PriceEntry> {
    (coefficient(), coefficient(), coefficient(), coefficient(), count())
        .prop_map(|(input, cached, output, model, weight)| entry(input, cached, output, model, weight))
}

fn usages() -> impl Strategy<Value = Usage> {
    (count(), count(), count()).prop_map(|(input, cached_input, output)| Usage {
        input,
        cached_input,
        output,
    })
}

#[test]
fn nothing_overflows_at_the_largest_price_and_usage() {
    let most = Usage { input: u32::MAX, cached_input: u32::MAX, output: u32::MAX };
    let dearest = entry(u64::MAX, u64::MAX, u64::MAX, u64::MAX, u32::MAX);
    assert_eq!(dearest.cost(&most), 4 * Credits::from(u32::MAX) * Credits::from(u64::MAX));
}

#[test]
fn the_last_price_in_64_bits_and_the_first_beyond_are_exact() {
    let most = Usage { input: u32::MAX, cached_input: u32::MAX, output: u32::MAX };
    for coefficient in [(1 << 30) - 1, 1 << 30, (1 << 30) + 1] {
        // Weight times coefficient on both sides of 2^62 as well.
        for (c_model, weight) in [(0, 0), (1 << 31, 1 << 31), ((1 << 31) - 1, 1 << 31), (u64::MAX, 1)] {
            let entry = entry(coefficient, coefficient, coefficient, c_model, weight);
            assert_eq!(entry.cost(&most), by_definition(&entry, &most));
        }
    }
}

#[test]
fn a_request_that_used_nothing_costs_its_models_weight() {
    assert_eq!(entry(1, 2, 3, 500, 4).cost(&Usage::default()), 2_000);
}

#[test]
fn entries_are_canonical_only_if_sorted_unique_and_named() {
    let named = |model, name: &[u8]| PriceEntry {
        model: ModelId(model),
        name: Name::truncate_from(name.to_vec()),
        ..entry(1, 1, 1, 1, 1)
    };
    assert!(entries_are_canonical(&[]));
    assert!(entries_are_canonical(&[named(1, b"b"), named(2, b"a"), named(9, "ä".as_bytes())]));
    assert!(!entries_are_canonical(&[named(2, b"a"), named(1, b"b")]));
    assert!(!entries_are_canonical(&[named(1, b"a"), named(1, b"b")]));
    assert!(!entries_are_canonical(&[named(1, b"a"), named(2, b"a")]));
    assert!(!entries_are_canonical(&[named(1, b"")]));
    assert!(!entries_are_canonical(&[named(1, &[0xff])]));
}

proptest! {
    #[test]
    fn a_cost_is_what_the_formula_says(entry in entries(), usage in usages()) {
        prop_assert_eq!(entry.cost(&usage), by_definition(&entry, &usage));
        prop_assert_eq!(entry.coefficients().cost(&usage), entry.cost(&usage));
    }

    #[test]
    fn more_tokens_never_cost_less(entry in entries(), usage in usages(), other in usages()) {
        let more = Usage {
            input: usage.input.max(other.input),
            cached_input: usage.cached_input.max(other.cached_input),
            output: usage.output.max(other.output),
        };
        prop_assert!(entry.cost(&more) >= entry.cost(&usage));
        prop_assert!(entry.cost(&usage.min(other)) <= entry.cost(&usage).min(entry.cost(&other)));
    }

    #[test]
    fn two_requests_cost_as_much_as_their_tokens_and_two_weights(
        entry in entries(),
        usage in (0..u32::MAX / 2, 0..u32::MAX / 2, 0..u32::MAX / 2),
        other in (0..u32::MAX / 2, 0..u32::MAX / 2, 0..u32::MAX / 2),
    ) {
        let of = |(input, cached_input, output)| Usage { input, cached_input, output };
        let sum = of((usage.0 + other.0, usage.1 + other.1, usage.2 + other.2));
        let weight = entry.cost(&Usage::default());
        prop_assert_eq!(entry.cost(&of(usage)) + entry.cost(&of(other)), entry.cost(&sum) + weight);
    }

    #[test]
    fn the_smaller_claim_is_the_same_whoever_is_asked_first(a in usages(), b in usages()) {
        prop_assert_eq!(a.min(b), b.min(a));
        prop_assert_eq!(a.min(a), a);
    }
}
