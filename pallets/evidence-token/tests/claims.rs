//! What tokens say: issuer, nonce, times, results.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::json;
use sp_core::H256;
use stipend_evidence_token::{
    issue::{test_policy, Statement, TEST_ISSUER},
    nonce, verify, Policy, Reason, NVIDIA_ISSUER,
};
use support::*;

const NOW_S: u64 = NOW_MS / 1_000;

#[test]
fn every_claim_that_matters_must_be_there() {
    for name in
        ["iss", "iat", "nbf", "exp", "eat_nonce", "sub", "x-nvidia-ver", "x-nvidia-overall-att-result"]
    {
        assert_eq!(with_overall(name, None), overall(Reason::MissingClaim(name)));
    }
    for name in ["iss", "iat", "nbf", "exp", "eat_nonce", "measres", "secboot", "dbgstat", "ueid", "hwmodel"]
    {
        assert_eq!(with_device(name, None), device(Reason::MissingClaim(name)));
    }
}

#[test]
fn a_claim_of_another_type_is_refused() {
    for name in
        ["iss", "iat", "nbf", "exp", "eat_nonce", "sub", "x-nvidia-ver", "x-nvidia-overall-att-result"]
    {
        for value in [json!(null), json!([]), json!({})] {
            assert_eq!(with_overall(name, Some(value)), overall(Reason::BadClaim(name)), "{name}");
        }
    }
    // A success that is spelt as text is none.
    let result = "x-nvidia-overall-att-result";
    assert_eq!(with_overall(result, Some(json!("true"))), overall(Reason::BadClaim(result)));
    assert_eq!(with_overall(result, Some(json!(1))), overall(Reason::BadClaim(result)));
}

#[test]
fn only_the_issuer_of_the_policy_counts() {
    for issuer in [
        "",
        NVIDIA_ISSUER,
        "https://nras.attestation-stg.nvidia.com",
        "LOCAL_GPU_VERIFIER",
        &format!("{TEST_ISSUER}/"),
        &TEST_ISSUER.to_uppercase(),
    ] {
        assert_eq!(with_overall("iss", Some(json!(issuer))), overall(Reason::OtherIssuer));
        assert_eq!(with_device("iss", Some(json!(issuer))), device(Reason::OtherIssuer));
    }
}

#[test]
fn test_tokens_are_worth_nothing_under_the_default_policy() {
    let bundle = statement().bundle(&issuer());
    assert_eq!(check_at(&bundle, NOW_MS, &Policy::default()), overall(Reason::OtherIssuer));
}

#[test]
fn only_known_versions_count() {
    for version in ["2.0", "3.0", "4.0"] {
        assert!(with_overall("x-nvidia-ver", Some(json!(version))).is_ok());
    }
    for version in ["1.0", "5.0", "3", "", "3.0 "] {
        assert_eq!(with_overall("x-nvidia-ver", Some(json!(version))), overall(Reason::OtherVersion));
    }
}

#[test]
fn only_the_subject_of_platforms_counts() {
    assert_eq!(with_overall("sub", Some(json!("NVIDIA-GPU-ATTESTATION"))), overall(Reason::OtherSubject));
}

#[test]
fn evidence_of_another_provider_or_block_is_refused() {
    let (provider, block) = ([7; 32], H256::repeat_byte(9));
    let ours = nonce(&provider, &block);
    let bundle = Statement::new(&ours, NOW_MS, 1).bundle(&issuer());
    let check = |nonce| verify(&bundle, &issuer().key_set(), &nonce, NOW_MS, &test_policy());
    assert!(check(ours).is_ok());
    assert_eq!(check(nonce(&[8; 32], &block)), overall(Reason::OtherNonce));
    assert_eq!(check(nonce(&provider, &H256::repeat_byte(10))), overall(Reason::OtherNonce));
}

#[test]
fn the_nonce_is_known_to_every_language() {
    // The 16 bytes `stipend/nonce/1\0`, 32 bytes 7 and 32 bytes 9, through another language's SHA-256.
    let expected = "01207c3916270ab34e24348e475dc24e106e395ec2d7a1b3f90d4fd2bc016a9b";
    assert_eq!(hex::encode(nonce(&[7; 32], &H256::repeat_byte(9))), expected);
}

#[test]
fn a_nonce_may_be_in_capitals_and_is_64_digits() {
    let digits = "c5".repeat(32);
    assert!(with_overall("eat_nonce", Some(json!(digits.to_uppercase()))).is_ok());
    for other in
        ["", &digits[1..], &format!("{digits}00"), &digits.replace("c5", "C4"), &digits.replacen('c', "g", 1)]
    {
        assert_eq!(with_overall("eat_nonce", Some(json!(other))), overall(Reason::OtherNonce));
        assert_eq!(with_device("eat_nonce", Some(json!(other))), device(Reason::OtherNonce));
    }
}

#[test]
fn a_token_counts_until_the_moment_of_its_end() {
    let bundle = statement().bundle(&issuer());
    let end_ms = NOW_MS + 3_600_000;
    let check = |now_ms| check_at(&bundle, now_ms, &Policy { age_ms_max: u64::MAX, ..test_policy() });
    assert_eq!(check(end_ms - 1).unwrap().expires_at_ms, end_ms);
    assert_eq!(check(end_ms), overall(Reason::Expired));
    assert_eq!(check(u64::MAX), overall(Reason::Expired));
}

#[test]
fn clocks_may_differ_by_the_tolerance_at_the_beginning() {
    let skew_ms = test_policy().skew_ms;
    let bundle = statement().bundle(&issuer());
    assert!(check_at(&bundle, NOW_MS - skew_ms, &test_policy()).is_ok());
    assert_eq!(check_at(&bundle, NOW_MS - skew_ms - 1, &test_policy()), overall(Reason::NotYetValid));
    assert_eq!(check_at(&bundle, 0, &test_policy()), overall(Reason::NotYetValid));

    let late = NOW_S + skew_ms / 1_000 + 1;
    assert_eq!(with_overall("nbf", Some(json!(late))), overall(Reason::NotYetValid));
    assert_eq!(with_overall("iat", Some(json!(late))), overall(Reason::IssuedInFuture));
    assert_eq!(with_device("nbf", Some(json!(late))), device(Reason::NotYetValid));
    assert_eq!(with_device("iat", Some(json!(late))), device(Reason::IssuedInFuture));
}

#[test]
fn a_token_that_lives_for_years_ends_with_the_age_that_the_policy_allows() {
    let mut statement = statement();
    statement.overall["exp"] = json!(4_880_995_383_u64);
    for claims in statement.devices.values_mut() {
        claims["exp"] = json!(4_880_995_383_u64);
    }
    let bundle = statement.bundle(&issuer());
    let end_ms = NOW_MS + test_policy().age_ms_max;
    assert_eq!(check_at(&bundle, end_ms - 1, &test_policy()).unwrap().expires_at_ms, end_ms);
    assert_eq!(check_at(&bundle, end_ms, &test_policy()), overall(Reason::TooOld));
}

#[test]
fn evidence_ends_with_the_first_of_its_tokens() {
    let evidence = with_device("exp", Some(json!(NOW_S + 60))).unwrap();
    assert_eq!(evidence.expires_at_ms, NOW_MS + 60_000);
    let evidence = with_device("iat", Some(json!(NOW_S - 60))).unwrap();
    assert_eq!((evidence.issued_at_ms, evidence.expires_at_ms), (NOW_MS - 60_000, NOW_MS + 3_540_000));
    assert_eq!(with_device("exp", Some(json!(NOW_S))), device(Reason::Expired));
}

#[test]
fn times_are_whole_seconds() {
    for name in ["iat", "nbf", "exp"] {
        for value in [json!(-1), json!(1.5), json!("1790000000"), json!(u64::MAX), json!(1e300)] {
            assert_eq!(with_overall(name, Some(value.clone())), overall(Reason::BadClaim(name)), "{value}");
        }
    }
}

#[test]
fn the_overall_result_counts_whatever_the_devices_say() {
    let result = "x-nvidia-overall-att-result";
    assert_eq!(with_overall(result, Some(json!(false))), overall(Reason::AttestationFailed));
}

#[test]
fn claims_that_nobody_knows_yet_are_left_alone() {
    assert!(with_overall("x-nvidia-new", Some(json!({ "a": [1.5, null, "b"] }))).is_ok());
    assert!(with_device("new", Some(json!(false))).is_ok());
}
