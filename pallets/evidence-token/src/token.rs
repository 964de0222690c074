//! One JSON Web Token: its form, its header, its signature (RFC 7515, RFC 7518 section 3.4).

use base64ct::{Base64UrlUnpadded, Encoding};
use p384::ecdsa::{signature::Verifier, Signature};

use crate::{
    claims::Claims,
    json::{self, Json},
    keys::KeySet,
    refusal::Reason,
    TOKEN_LEN_MAX,
};

/// Bytes of an ES384 signature: r and s.
const SIGNATURE_LEN: usize = 96;

/// The claims of `token`, if a key of the set signed them.
///
/// Claims are not even parsed before the signature is verified.
pub(crate) fn open(token: &str, keys: &KeySet, now_ms: u64) -> Result<Claims, Reason> {
    if token.len() > TOKEN_LEN_MAX {
        return Err(Reason::TokenTooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Reason::NotToken)?;
    let (header, claims) = signed.split_once('.').ok_or(Reason::NotToken)?;
    if claims.contains('.') {
        return Err(Reason::NotToken);
    }

    let key_id = key_id(json::read(&decode(header)?)?)?;
    let key = keys.get(&key_id).ok_or(Reason::UnknownKey)?;
    if !key.is_valid_at(now_ms) {
        return Err(Reason::KeyNotValidNow);
    }
    let verifying_key = key.verifying_key().ok_or(Reason::BadKey)?;

    let signature = decode(signature)?;
    if signature.len() != SIGNATURE_LEN {
        return Err(Reason::SignatureLength);
    }
    let signature = Signature::from_slice(&signature).map_err(|_| Reason::BadSignature)?;
    verifying_key.verify(signed.as_bytes(), &signature).map_err(|_| Reason::BadSignature)?;

    match json::read(&decode(claims)?)? {
        Json::Object(members) => Ok(Claims(members)),
        _ => Err(Reason::NotToken),
    }
}

/// The bytes of a part. The decoder refuses padding, white space and bits that no byte needs.
fn decode(part: &str) -> Result<alloc::vec::Vec<u8>, Reason> {
    Base64UrlUnpadded::decode_vec(part).map_err(|_| Reason::BadBase64)
}

/// The id of the key that the header names.
///
/// A key that the token itself brings (`jwk`, `jku`, `x5c`, `x5u`) is never looked at.
fn key_id(header: Json) -> Result<alloc::string::String, Reason> {
    let Json::Object(mut header) = header else { return Err(Reason::NotToken) };
    if header.get("alg") != Some(&Json::Text("ES384".into())) {
        return Err(Reason::AlgorithmNotEs384);
    }
    if header.contains_key("crit") {
        return Err(Reason::CriticalHeader);
    }
    match header.remove("kid") {
        Some(Json::Text(key_id)) => Ok(key_id),
        _ => Err(Reason::NoKeyId),
    }
}
