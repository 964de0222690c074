//! Whatever bytes come: a change is noticed, and nothing panics.
#![allow(clippy::unwrap_used)]

mod support;

use proptest::prelude::*;
use stipend_evidence_token::{issue::Statement, KeySet};
use support::*;

fn valid() -> Vec<u8> {
    Statement::new(&NONCE, NOW_MS, 1).bundle(&issuer())
}

#[test]
fn a_change_of_any_byte_is_noticed() {
    let (bundle, keys) = (valid(), issuer().key_set());
    assert!(check_with(&bundle, &keys).is_ok());
    for at in 0..bundle.len() {
        // The next letter or digit, or the other case of the same letter.
        let mut other = bundle.clone();
        other[at] ^= if at.is_multiple_of(2) { 1 } else { 0x20 };
        assert!(check_with(&other, &keys).is_err(), "byte {at} became {}", other[at]);
    }
}

#[test]
fn a_byte_more_or_less_is_noticed() {
    let (bundle, keys) = (valid(), issuer().key_set());
    // All bytes around the tokens, and every ninth in them: at each place of a base64 group of four.
    let inside = |at: &usize| bundle[*at].is_ascii_alphanumeric() && !at.is_multiple_of(9);
    for at in (0..bundle.len()).filter(|at| !inside(at)) {
        let mut other = bundle.clone();
        let byte = other.remove(at);
        assert!(check_with(&other, &keys).is_err(), "without byte {at}");
        let mut other = bundle.clone();
        other.insert(at, byte);
        assert!(check_with(&other, &keys).is_err(), "byte {at} twice");
        assert!(check_with(&bundle[..at], &keys).is_err(), "cut at {at}");
    }
}

proptest! {
    #[test]
    fn random_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(check(&bytes).is_err());
        prop_assert!(KeySet::from_jwks(&bytes).is_err());
    }

    #[test]
    fn random_json_is_refused_without_a_panic(bytes in r#"[\[\]{}":,.\\eE0-9a-z+ -]{0,200}"#) {
        prop_assert!(check(bytes.as_bytes()).is_err());
        prop_assert!(KeySet::from_jwks(bytes.as_bytes()).is_err());
    }

    #[test]
    fn random_parts_of_tokens_are_refused_without_a_panic(
        header in r#"\{"(alg|kid|crit)":("ES384"|1|\[\]),"(alg|kid)":"[a-zA-Z0-9]{0,8}"\}"#,
        claims in r#"[\[\]{}":,.\\eE0-9a-z-]{0,60}"#,
    ) {
        let token = issuer().sign(&header, &claims);
        prop_assert!(check(&bundle(&token, &token)).is_err());
    }

    /// Signed by the right key, so the claims are read.
    #[test]
    fn random_signed_claims_are_refused_without_a_panic(claims in r#"[\[\]{}":,.\\eE0-9a-z-]{0,60}"#) {
        let token = issuer().sign(&issuer().header().to_string(), &claims);
        prop_assert!(check(&bundle(&token, &token)).is_err());
    }

    #[test]
    fn pieces_of_a_valid_bundle_in_another_order_are_refused(
        cuts in proptest::collection::vec(0_usize..4_000, 2..5),
    ) {
        let valid = valid();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % valid.len()).collect();
        cuts.sort_unstable();
        let (first, rest) = valid.split_at(cuts[0]);
        let (middle, last) = rest.split_at(cuts[1] - cuts[0]);
        let other = [last, middle, first].concat();
        prop_assert!(other == valid || check(&other).is_err());
    }
}
