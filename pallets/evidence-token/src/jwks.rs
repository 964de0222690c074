//! Reading a JSON Web Key Set (RFC 7517), as NVIDIA's service publishes it.

use alloc::vec::Vec;

use base64ct::{Base64UrlUnpadded, Encoding};

use crate::{
    json::{self, Json, Members},
    keys::{KeyFault, KeyId, KeySet, TrustedKey, KEYS_MAX},
};

/// Bytes of a key set: NVIDIA's has 81 kB, most of it certificates.
pub const JWKS_LEN_MAX: usize = 256 * 1024;

impl KeySet {
    /// The keys for ES384 in a JSON Web Key Set. Keys of other kinds are left out (RFC 7517, section 5).
    ///
    /// Whoever calls this answers for where the bytes are from. Certificates in it (`x5c`) are not looked at.
    pub fn from_jwks(bytes: &[u8]) -> Result<Self, KeyFault> {
        if bytes.len() > JWKS_LEN_MAX {
            return Err(KeyFault::TooLong);
        }
        let Ok(Json::Object(mut set)) = json::read(bytes) else { return Err(KeyFault::NotJwks) };
        let Some(Json::List(entries)) = set.remove("keys") else { return Err(KeyFault::NotJwks) };
        let mut keys = Vec::new();
        for entry in entries {
            let Json::Object(entry) = entry else { return Err(KeyFault::NotJwks) };
            if entry.contains_key("d") {
                return Err(KeyFault::PrivateKey);
            }
            if is_es384(&entry) {
                keys.push(trusted_key(&entry)?);
            }
            if keys.len() > KEYS_MAX as usize {
                return Err(KeyFault::TooManyKeys);
            }
        }
        KeySet::new(keys)
    }
}

/// Whether a key is one for ES384 signatures. NVIDIA's keys leave `alg` and `use` out.
fn is_es384(entry: &Members) -> bool {
    let says = |name: &str, value: &str| entry.get(name) == Some(&Json::Text(value.into()));
    let may_say = |name: &str, value: &str| !entry.contains_key(name) || says(name, value);
    says("kty", "EC") && says("crv", "P-384") && may_say("alg", "ES384") && may_say("use", "sig")
}

fn trusted_key(entry: &Members) -> Result<TrustedKey, KeyFault> {
    let Some(Json::Text(id)) = entry.get("kid") else { return Err(KeyFault::BadId) };
    Ok(TrustedKey {
        id: KeyId::try_from(id.as_bytes().to_vec()).map_err(|_| KeyFault::BadId)?,
        x: coordinate(entry.get("x"))?,
        y: coordinate(entry.get("y"))?,
        valid_from_ms: None,
        valid_until_ms: None,
    })
}

/// A coordinate: always 48 bytes, with leading zeros (RFC 7518, section 6.2.1.2).
fn coordinate(value: Option<&Json>) -> Result<[u8; 48], KeyFault> {
    let Some(Json::Text(text)) = value else { return Err(KeyFault::BadPoint) };
    let bytes = Base64UrlUnpadded::decode_vec(text).map_err(|_| KeyFault::BadPoint)?;
    bytes.try_into().map_err(|_| KeyFault::BadPoint)
}
