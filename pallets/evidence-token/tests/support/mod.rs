//! What the tests share: a valid bundle, and ways to spoil it.
#![allow(dead_code)]

use serde_json::{json, Value};
use stipend_evidence_token::{
    issue::{test_policy, Issuer, Statement},
    verify, Evidence, KeySet, Place, Policy, Reason, Refusal,
};

/// When test tokens are issued (Unix time, ms).
pub const NOW_MS: u64 = 1_790_000_000_000;

/// What test tokens are issued for.
pub const NONCE: [u8; 32] = [0xc5; 32];

/// The first device of a test bundle.
pub const FIRST: &str = "GPU-0";

pub fn issuer() -> Issuer {
    Issuer::new("tests")
}

pub fn statement() -> Statement {
    Statement::new(&NONCE, NOW_MS, 2)
}

pub fn at_device(name: &str) -> Place {
    Place::Device(name.into())
}

/// What the verifier says to `bundle` at the time of issue.
pub fn check(bundle: &[u8]) -> Result<Evidence, Refusal> {
    verify(bundle, &issuer().key_set(), &NONCE, NOW_MS, &test_policy())
}

/// The same with other keys.
pub fn check_with(bundle: &[u8], keys: &KeySet) -> Result<Evidence, Refusal> {
    verify(bundle, keys, &NONCE, NOW_MS, &test_policy())
}

/// The same at another time and with another policy.
pub fn check_at(bundle: &[u8], now_ms: u64, policy: &Policy) -> Result<Evidence, Refusal> {
    verify(bundle, &issuer().key_set(), &NONCE, now_ms, policy)
}

/// What the verifier says to a genuine statement.
pub fn check_statement(statement: &Statement) -> Result<Evidence, Refusal> {
    check(&statement.bundle(&issuer()))
}

/// What the verifier says to a genuine statement whose overall claim `name` is `value`; `None`: is missing.
pub fn with_overall(name: &str, value: Option<Value>) -> Result<Evidence, Refusal> {
    let mut statement = statement();
    set(&mut statement.overall, name, value);
    check_statement(&statement)
}

/// The same for a claim of the first device.
pub fn with_device(name: &str, value: Option<Value>) -> Result<Evidence, Refusal> {
    let mut statement = statement();
    set(statement.devices.get_mut(FIRST).unwrap(), name, value);
    check_statement(&statement)
}

pub fn set(claims: &mut Value, name: &str, value: Option<Value>) {
    let claims = claims.as_object_mut().unwrap();
    match value {
        Some(value) => claims.insert(name.into(), value),
        None => claims.remove(name),
    };
}

/// A refusal of the overall token.
pub fn overall(reason: Reason) -> Result<Evidence, Refusal> {
    Err(Refusal { place: Place::Overall, reason })
}

/// A refusal of the first device's token.
pub fn device(reason: Reason) -> Result<Evidence, Refusal> {
    Err(Refusal { place: at_device(FIRST), reason })
}

/// A refusal of the bundle.
pub fn whole(reason: Reason) -> Result<Evidence, Refusal> {
    Err(Refusal { place: Place::Bundle, reason })
}

/// A bundle with these two tokens.
pub fn bundle(overall: &str, device: &str) -> Vec<u8> {
    json!([["JWT", overall], { FIRST: device }]).to_string().into_bytes()
}

/// A valid bundle of one device, as (overall token, device token).
pub fn tokens() -> (String, String) {
    let statement = Statement::new(&NONCE, NOW_MS, 1);
    let devices = statement.device_tokens(&issuer());
    let overall = statement.overall_token(&issuer(), &devices);
    (overall, devices[0].1.clone())
}

/// A bundle whose overall token has this header and is signed with ES384 all the same.
pub fn with_header(header: &str) -> Vec<u8> {
    let (valid, device) = tokens();
    let claims = part(&valid, 1);
    bundle(&issuer().sign(header, &String::from_utf8(claims).unwrap()), &device)
}

/// The bytes of one part of a token.
pub fn part(token: &str, index: usize) -> Vec<u8> {
    use base64ct::{Base64UrlUnpadded, Encoding};
    Base64UrlUnpadded::decode_vec(token.split('.').nth(index).unwrap()).unwrap()
}

/// `token` with other signature bytes.
pub fn with_signature(token: &str, signature: &[u8]) -> String {
    use base64ct::{Base64UrlUnpadded, Encoding};
    let (signed, _) = token.rsplit_once('.').unwrap();
    format!("{signed}.{}", Base64UrlUnpadded::encode_string(signature))
}
