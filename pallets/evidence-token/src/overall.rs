//! The overall token: NVIDIA's result for all devices, and the digest of each device's token.

use crate::{
    claims::{is_hex_of, Claims},
    json::{Json, Members},
    refusal::Reason,
};

/// The subject of overall tokens.
const SUBJECT: &str = "NVIDIA-PLATFORM-ATTESTATION";

/// Versions of the claims (`x-nvidia-ver`) whose meaning is known here.
const VERSIONS: [&str; 3] = ["2.0", "3.0", "4.0"];

/// How NVIDIA's service writes the hash of device tokens. Its local verifier writes `SHA256`.
const HASH: &str = "SHA-256";

/// The digests of the devices' tokens by name, if the overall claims are a success.
pub(crate) fn digests(claims: &Claims) -> Result<&Members, Reason> {
    if claims.text("sub")? != SUBJECT {
        return Err(Reason::OtherSubject);
    }
    if !VERSIONS.contains(&claims.text("x-nvidia-ver")?) {
        return Err(Reason::OtherVersion);
    }
    const RESULT: &str = "x-nvidia-overall-att-result";
    match claims.get(RESULT)? {
        Json::Bool(true) => {}
        Json::Bool(false) => return Err(Reason::AttestationFailed),
        _ => return Err(Reason::BadClaim(RESULT)),
    }
    match claims.get("submods")? {
        Json::Object(digests) => Ok(digests),
        _ => Err(Reason::BadClaim("submods")),
    }
}

/// Whether the digest in the overall token, `["DIGEST", ["SHA-256", hex]]`, is that of a device's token.
pub(crate) fn is_digest(digest: &Json, token_hash: &[u8; 32]) -> Result<bool, Reason> {
    hash_text(digest).map(|text| is_hex_of(text, token_hash)).ok_or(Reason::BadClaim("submods"))
}

fn hash_text(digest: &Json) -> Option<&str> {
    let Json::List(outer) = digest else { return None };
    let [Json::Text(kind), Json::List(inner)] = outer.as_slice() else { return None };
    let [Json::Text(hash), Json::Text(text)] = inner.as_slice() else { return None };
    (kind == "DIGEST" && hash == HASH && text.len() == 64).then_some(text)
}
