//! Key sets: what is published, and what is stored on chain.
#![allow(clippy::unwrap_used)]

mod support;

use codec::{Decode, Encode, MaxEncodedLen};
use serde_json::{json, Value};
use stipend_evidence_token::{issue::Issuer, KeyFault, KeySet, JWKS_LEN_MAX, KEYS_MAX};
use support::issuer;

fn read(jwks: &Value) -> Result<KeySet, KeyFault> {
    KeySet::from_jwks(jwks.to_string().as_bytes())
}

/// The test key set with one member of its key changed; `null`: left out.
fn with(name: &str, value: Value) -> Result<KeySet, KeyFault> {
    let mut jwks = issuer().jwks();
    let key = jwks["keys"][0].as_object_mut().unwrap();
    match value {
        Value::Null => key.remove(name),
        value => key.insert(name.into(), value),
    };
    read(&jwks)
}

fn many(count: u32) -> Value {
    let keys: Vec<Value> =
        (0..count).map(|index| Issuer::new(&index.to_string()).jwks()["keys"][0].clone()).collect();
    json!({ "keys": keys })
}

#[test]
fn a_published_set_is_the_set_of_its_keys() {
    assert_eq!(read(&issuer().jwks()).unwrap(), issuer().key_set());
    assert_eq!(with("alg", json!("ES384")).unwrap(), issuer().key_set());
    assert_eq!(with("use", json!("sig")).unwrap(), issuer().key_set());
    assert_eq!(with("x5c", json!(["bm90IGxvb2tlZCBhdA=="])).unwrap(), issuer().key_set());
}

#[test]
fn keys_for_something_else_are_left_out() {
    for (name, value) in
        [("kty", "RSA"), ("crv", "P-256"), ("alg", "ES256"), ("use", "enc"), ("alg", "ECDH-ES")]
    {
        assert_eq!(with(name, json!(value)), Err(KeyFault::NoKey), "{name} {value}");
    }
    let mut jwks = issuer().jwks();
    jwks["keys"].as_array_mut().unwrap().push(json!({ "kty": "oct", "kid": "other", "k": "c2VjcmV0" }));
    assert_eq!(read(&jwks).unwrap(), issuer().key_set());
}

#[test]
fn a_key_that_cannot_be_one_is_refused() {
    let x = issuer().jwks()["keys"][0]["x"].as_str().unwrap().to_string();
    for other in
        [json!(""), json!(1), json!(x[..62]), json!(format!("{x}==")), json!(format!("AAAA{x}")), Value::Null]
    {
        assert_eq!(with("x", other.clone()), Err(KeyFault::BadPoint), "{other}");
    }
    assert_eq!(with("y", json!(x)), Err(KeyFault::BadPoint));
    for other in [json!(""), json!(7), json!("k".repeat(129)), Value::Null] {
        assert_eq!(with("kid", other.clone()), Err(KeyFault::BadId), "{other}");
    }
}

#[test]
fn a_private_key_is_not_taken() {
    assert_eq!(with("d", json!("AAAA")), Err(KeyFault::PrivateKey));
}

#[test]
fn two_keys_with_one_id_are_refused() {
    let mut jwks = many(2);
    jwks["keys"][1]["kid"] = jwks["keys"][0]["kid"].clone();
    assert_eq!(read(&jwks), Err(KeyFault::SameIdTwice));
}

#[test]
fn a_set_is_bounded() {
    assert_eq!(read(&many(KEYS_MAX)).unwrap().keys().len(), KEYS_MAX as usize);
    assert_eq!(read(&many(KEYS_MAX + 1)), Err(KeyFault::TooManyKeys));
    assert_eq!(KeySet::from_jwks(&vec![b' '; JWKS_LEN_MAX + 1]), Err(KeyFault::TooLong));
    assert_eq!(KeySet::new(Vec::new()), Err(KeyFault::NoKey));
    assert_eq!(KeySet::default().check(), Err(KeyFault::NoKey));
}

#[test]
fn other_json_is_no_key_set() {
    for other in [json!(null), json!([]), json!({}), json!({ "keys": {} }), json!({ "keys": [1] })] {
        assert_eq!(read(&other), Err(KeyFault::NotJwks));
    }
    assert_eq!(KeySet::from_jwks(br#"{"keys":[],"keys":[]}"#), Err(KeyFault::NotJwks));
    assert_eq!(read(&json!({ "keys": [] })), Err(KeyFault::NoKey));
}

#[test]
fn a_set_comes_back_from_the_chain_as_it_was() {
    let set = read(&many(3)).unwrap().valid(5, 7);
    assert_eq!(KeySet::decode(&mut set.encode().as_slice()).unwrap(), set);
    assert!(set.encode().len() <= KeySet::max_encoded_len());
    assert!(KeySet::max_encoded_len() < 16 * 1024);
}

#[test]
fn bytes_of_a_stranger_must_pass_the_check() {
    let mut keys = issuer().key_set().keys().to_vec();
    keys.push(keys[0].clone());
    let twice = KeySet::decode(&mut keys.encode().as_slice()).unwrap();
    assert_eq!(twice.check(), Err(KeyFault::SameIdTwice));
    keys.truncate(1);
    keys[0].x = [0; 48];
    let bad = KeySet::decode(&mut keys.encode().as_slice()).unwrap();
    assert_eq!(bad.check(), Err(KeyFault::BadPoint));
}

#[test]
fn the_same_seed_gives_the_same_test_key() {
    assert_eq!(Issuer::new("a").jwks(), Issuer::new("a").jwks());
    assert_ne!(Issuer::new("a").jwks(), Issuer::new("b").jwks());
}
