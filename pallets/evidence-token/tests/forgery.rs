//! Tokens that nobody with a trusted key signed.
#![allow(clippy::unwrap_used)]

mod support;

use hmac::{Hmac, Mac};
use p384::ecdsa::Signature;
use serde_json::json;
use sha2::{Sha256, Sha384};
use stipend_evidence_token::{
    issue::{digest, signed_part, Issuer},
    KeySet, Reason, TrustedKey,
};
use support::*;

/// The secrets of NVIDIA's local verifier and of its SDK's envelope, as its own tools publish them.
const PUBLISHED_SECRETS: [&[u8]; 2] = [b"secret", b"notasecret"];

fn claims() -> String {
    String::from_utf8(part(&tokens().0, 1)).unwrap()
}

fn header(algorithm: &str) -> String {
    json!({ "kid": issuer().key_id(), "alg": algorithm }).to_string()
}

#[test]
fn a_genuine_bundle_is_accepted() {
    let evidence = check(&statement().bundle(&issuer())).unwrap();
    assert_eq!(evidence.devices.len(), 2);
    assert_eq!(evidence.issued_at_ms, NOW_MS);
    assert_eq!(evidence.expires_at_ms, NOW_MS + 3_600_000);
}

#[test]
fn only_es384_counts_even_if_the_signature_is_good() {
    for algorithm in
        ["none", "None", "HS256", "HS384", "HS512", "ES256", "ES512", "RS256", "PS384", "es384", ""]
    {
        assert_eq!(
            check(&with_header(&header(algorithm))),
            overall(Reason::AlgorithmNotEs384),
            "{algorithm}"
        );
    }
    let without = json!({ "kid": issuer().key_id() }).to_string();
    assert_eq!(check(&with_header(&without)), overall(Reason::AlgorithmNotEs384));
    let list = json!({ "kid": issuer().key_id(), "alg": ["ES384"] }).to_string();
    assert_eq!(check(&with_header(&list)), overall(Reason::AlgorithmNotEs384));
    assert!(check(&with_header(&header("ES384"))).is_ok());
}

#[test]
fn an_unsigned_token_is_refused() {
    let unsigned = format!("{}.", signed_part(&header("none"), &claims()));
    assert_eq!(check(&bundle(&unsigned, &tokens().1)), overall(Reason::AlgorithmNotEs384));
    let unsigned = format!("{}.", signed_part(&header("ES384"), &claims()));
    assert_eq!(check(&bundle(&unsigned, &tokens().1)), overall(Reason::SignatureLength));
}

#[test]
fn the_published_secrets_of_nvidias_tools_open_nothing() {
    for secret in PUBLISHED_SECRETS {
        let signed = signed_part(&header("HS256"), &claims());
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(signed.as_bytes());
        let token = with_signature(&format!("{signed}."), &mac.finalize().into_bytes());
        assert_eq!(check(&bundle(&token, &tokens().1)), overall(Reason::AlgorithmNotEs384));
    }
}

#[test]
fn the_public_key_is_no_secret_for_hmac() {
    let point = issuer().public_key();
    for secret in [point.as_slice(), &point[1..], issuer().jwks().to_string().as_bytes()] {
        for algorithm in ["HS384", "ES384"] {
            let signed = signed_part(&header(algorithm), &claims());
            let mut mac = Hmac::<Sha384>::new_from_slice(secret).unwrap();
            mac.update(signed.as_bytes());
            let mac = mac.finalize().into_bytes();
            let token = with_signature(&format!("{signed}."), &[&mac[..], &mac[..]].concat());
            assert!(check(&bundle(&token, &tokens().1)).is_err());
        }
    }
}

#[test]
fn a_key_that_is_not_in_the_set_is_unknown() {
    let bundle = statement().bundle(&Issuer::new("a stranger"));
    assert_eq!(check(&bundle), overall(Reason::UnknownKey));
    for key_id in [json!(""), json!(7), json!(null), json!([issuer().key_id()])] {
        let header = json!({ "kid": key_id, "alg": "ES384" }).to_string();
        let expected = if key_id == "" { Reason::UnknownKey } else { Reason::NoKeyId };
        assert_eq!(check(&with_header(&header)), overall(expected));
    }
    assert_eq!(check(&with_header(r#"{"alg":"ES384"}"#)), overall(Reason::NoKeyId));
}

#[test]
fn a_stranger_who_names_a_trusted_key_is_refused() {
    let stranger = Issuer::new("a stranger");
    let token = stranger.sign(&issuer().header().to_string(), &claims());
    assert_eq!(check(&bundle(&token, &tokens().1)), overall(Reason::BadSignature));
}

#[test]
fn a_key_that_the_token_brings_along_is_not_used() {
    let stranger = Issuer::new("a stranger");
    let mut header = issuer().header();
    header["jwk"] = stranger.jwks()["keys"][0].clone();
    header["jku"] = json!("https://attacker.example/jwks.json");
    let token = stranger.sign(&header.to_string(), &claims());
    assert_eq!(check(&bundle(&token, &tokens().1)), overall(Reason::BadSignature));
}

#[test]
fn a_header_that_demands_an_extension_is_refused() {
    let header =
        json!({ "kid": issuer().key_id(), "alg": "ES384", "crit": ["b64"], "b64": false }).to_string();
    assert_eq!(check(&with_header(&header)), overall(Reason::CriticalHeader));
}

#[test]
fn a_device_token_must_be_signed_too() {
    let (_, device_token) = tokens();
    let forged = with_signature(&device_token, &[1; 96]);
    let mut statement = statement();
    statement.overall["submods"] = json!({ FIRST: digest(&forged) });
    let overall_token = issuer().token(&statement.overall);
    assert_eq!(check(&bundle(&overall_token, &forged)), device(Reason::BadSignature));
}

#[test]
fn a_signature_is_96_bytes_and_not_der() {
    let (overall_token, device_token) = tokens();
    let raw = part(&overall_token, 2);
    let der = Signature::from_slice(&raw).unwrap().to_der();
    for signature in [der.as_bytes(), &raw[..95], &raw[..48], &[&raw[..], &[0]].concat(), &[]] {
        let token = with_signature(&overall_token, signature);
        assert_eq!(check(&bundle(&token, &device_token)), overall(Reason::SignatureLength));
    }
}

#[test]
fn a_signature_with_a_number_that_no_signature_has_is_refused() {
    let (overall_token, device_token) = tokens();
    let raw = part(&overall_token, 2);
    let zero = [0; 48];
    let largest = [0xff; 48];
    for signature in [
        [&zero[..], &zero[..]].concat(),
        [&zero[..], &raw[48..]].concat(),
        [&raw[..48], &zero[..]].concat(),
        [&largest[..], &raw[48..]].concat(),
        [&raw[..48], &largest[..]].concat(),
        [&raw[48..], &raw[..48]].concat(),
    ] {
        let token = with_signature(&overall_token, &signature);
        assert_eq!(check(&bundle(&token, &device_token)), overall(Reason::BadSignature));
    }
}

/// ECDSA has two signatures for each signing, s and n - s, and NVIDIA uses either. So bytes are no identity.
#[test]
fn a_mirrored_signature_says_the_same_or_breaks_the_digest() {
    let mirrored = |token: &str| {
        let signature = Signature::from_slice(&part(token, 2)).unwrap();
        let mirrored = Signature::from_scalars(*signature.r(), -*signature.s()).unwrap();
        with_signature(token, &mirrored.to_bytes())
    };
    let (overall_token, device_token) = tokens();
    assert_eq!(
        check(&bundle(&mirrored(&overall_token), &device_token)),
        check(&bundle(&overall_token, &device_token))
    );
    assert_eq!(check(&bundle(&overall_token, &mirrored(&device_token))), device(Reason::OtherDigest));
}

#[test]
fn a_key_counts_only_in_its_time() {
    let bundle = statement().bundle(&issuer());
    let keys = || issuer().key_set();
    assert!(check_with(&bundle, &keys().valid(NOW_MS, NOW_MS + 1)).is_ok());
    assert_eq!(check_with(&bundle, &keys().valid(NOW_MS + 1, NOW_MS + 2)), overall(Reason::KeyNotValidNow));
    assert_eq!(check_with(&bundle, &keys().valid(0, NOW_MS)), overall(Reason::KeyNotValidNow));
}

#[test]
fn a_key_that_is_no_point_on_the_curve_verifies_nothing() {
    use codec::{Decode, Encode};
    let bad = TrustedKey { y: [1; 48], ..issuer().key_set().keys()[0].clone() };
    let keys = KeySet::decode(&mut vec![bad].encode().as_slice()).unwrap();
    assert_eq!(check_with(&statement().bundle(&issuer()), &keys), overall(Reason::BadKey));
}
