#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod bundle;
mod claims;
mod device;
mod evidence;
#[cfg(feature = "issue")]
pub mod issue;
mod json;
mod jwks;
mod keys;
mod nonce;
mod overall;
mod policy;
mod refusal;
mod sentences;
mod token;

#[cfg(test)]
mod tests;

use alloc::{collections::BTreeSet, string::String, vec::Vec};

use sha2::{Digest, Sha256};

use bundle::Bundle;
use claims::Expected;
pub use evidence::{Device, Evidence, Level};
pub use jwks::JWKS_LEN_MAX;
pub use keys::{KeyFault, KeyId, KeySet, TrustedKey, KEYS_MAX, KEY_ID_LEN_MAX};
pub use nonce::nonce;
pub use policy::{Policy, AGE_MS_MAX_DEFAULT, ISSUER_LEN_MAX, NVIDIA_ISSUER, SKEW_MS_DEFAULT};
pub use refusal::{Place, Reason, Refusal};

/// GPUs in one bundle: a machine has 8, some have 16.
pub const DEVICES_MAX: usize = 16;

/// Bytes of one token: those known have up to 3 kB; version 4.0 of the claims lists more about a device.
pub const TOKEN_LEN_MAX: usize = 16 * 1024;

/// Bytes of a bundle: the longest tokens of the most devices, and what stands around them.
pub const BUNDLE_LEN_MAX: usize = (DEVICES_MAX + 1) * (TOKEN_LEN_MAX + 16);

/// Verifies `bundle`, the answer of NVIDIA's attestation service, at the time `now_ms` (Unix time, ms).
///
/// Evidence is returned if every token is signed with ES384 by a key of `keys`, was issued for `nonce`, is in
/// its time, and says of every device that it passed. The first thing that is wrong is the refusal. The same
/// input gives the same answer on every machine and in every build.
pub fn verify(
    bundle: &[u8],
    keys: &KeySet,
    nonce: &[u8; 32],
    now_ms: u64,
    policy: &Policy,
) -> Result<Evidence, Refusal> {
    let expected = Expected { nonce, now_ms, policy };
    let bundle = Bundle::read(bundle)?;
    let at_overall = |reason| Refusal { place: Place::Overall, reason };
    let overall = token::open(&bundle.overall, keys, now_ms).map_err(at_overall)?;
    let mut period = overall.check(&expected).map_err(at_overall)?;
    let digests = overall::digests(&overall).map_err(at_overall)?;
    let is_there = |name: &String| bundle.devices.iter().any(|(device, _)| device == name);
    if let Some(name) = digests.keys().find(|name| !is_there(name)) {
        return Err(if bundle::is_gpu(name) {
            Refusal { place: Place::Device(name.clone()), reason: Reason::DeviceTokenMissing }
        } else {
            at_overall(Reason::BadClaim("submods"))
        });
    }

    let mut devices = Vec::with_capacity(bundle.devices.len());
    let mut ueids = BTreeSet::new();
    for (name, token) in bundle.devices {
        let at_device = |reason| Refusal { place: Place::Device(name.clone()), reason };
        // Before the signature, which takes a thousand times longer.
        let digest = digests.get(&name).ok_or_else(|| at_device(Reason::DeviceTokenExtra))?;
        if !overall::is_digest(digest, &Sha256::digest(token.as_bytes()).into()).map_err(at_overall)? {
            return Err(at_device(Reason::OtherDigest));
        }
        let claims = token::open(&token, keys, now_ms).map_err(at_device)?;
        period = period.and(claims.check(&expected).map_err(at_device)?);
        let device = device::read(name.clone(), &claims, policy).map_err(at_device)?;
        if !ueids.insert(device.ueid.clone()) {
            return Err(at_device(Reason::SameDeviceTwice));
        }
        devices.push(device);
    }
    devices.sort_by(|a, b| a.ueid.cmp(&b.ueid));
    Ok(Evidence { issued_at_ms: period.issued_at_ms, expires_at_ms: period.expires_at_ms, devices })
}
