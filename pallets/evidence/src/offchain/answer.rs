//! What attestors and issuers answer.

use alloc::{string::String, vec::Vec};

use codec::Encode;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use stipend_evidence_token::{verify, KeyFault, KeySet, Policy, Refusal};

use crate::types::Devices;

/// Whether an attestor says that it has no evidence, `{"evidence":"software"}`: a bundle is a list.
pub(crate) fn is_software(body: &[u8]) -> bool {
    body.first() == Some(&b'{')
}

/// The GPUs of a valid bundle, as hashes of their ids, and the hash over their ids and models. The same
/// GPUs give the same, whatever else the tokens say, so that all validators find the same.
pub(crate) fn evidence(
    body: &[u8],
    keys: &KeySet,
    nonce: &[u8; 32],
    now_ms: u64,
    policy: &Policy,
) -> Result<(Devices, H256), Refusal> {
    let evidence = verify(body, keys, nonce, now_ms, policy)?;
    let rows: Vec<(&String, &String)> =
        evidence.devices.iter().map(|device| (&device.ueid, &device.model)).collect();
    let digest = H256(rows.using_encoded(blake2_256));
    let mut devices: Vec<H256> = rows.iter().map(|(ueid, _)| H256(blake2_256(ueid.as_bytes()))).collect();
    devices.sort_unstable();
    // The verifier takes no more GPUs than fit.
    Ok((Devices::truncate_from(devices), digest))
}

/// The keys of a JSON Web Key Set, sorted by id: in whatever order they are published, all validators find
/// the same.
pub(crate) fn keys(body: &[u8]) -> Result<KeySet, KeyFault> {
    let mut keys = KeySet::from_jwks(body)?.keys().to_vec();
    keys.sort_by(|a, b| a.id.cmp(&b.id));
    KeySet::new(keys)
}
