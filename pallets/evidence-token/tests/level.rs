//! What may be shown as hardware.
#![allow(clippy::unwrap_used)]

mod support;

use codec::{Decode, Encode};
use stipend_evidence_token::{Level, Place, Reason, Refusal};
use support::*;

#[test]
fn a_key_without_evidence_is_software_at_any_time() {
    for now_ms in [0, NOW_MS, u64::MAX] {
        assert!(!Level::SOFTWARE.is_hardware_at(now_ms));
        assert_eq!(Level::default().name_at(now_ms), "software");
    }
}

#[test]
fn a_key_is_hardware_as_long_as_its_evidence_counts() {
    let evidence = check(&statement().bundle(&issuer())).unwrap();
    let level = Level::from(&evidence);
    assert_eq!(level.name_at(evidence.expires_at_ms - 1), "hardware");
    assert_eq!(level.name_at(evidence.expires_at_ms), "software");
    assert_eq!(Level::decode(&mut level.encode().as_slice()).unwrap(), level);
}

#[test]
fn a_refusal_says_what_happened_why_and_what_to_do() {
    let refusal = Refusal { place: at_device("GPU-3"), reason: Reason::Expired };
    assert_eq!(
        refusal.to_string(),
        "the token of GPU-3 was refused: it has expired; ask NVIDIA's attestation service for new evidence \
         with the nonce of this request"
    );
    let refusal = Refusal { place: Place::Overall, reason: Reason::MissingClaim("exp") };
    assert_eq!(
        refusal.to_string(),
        "the overall token was refused: the claim exp is missing; send the answer of NVIDIA's attestation \
         service as it came"
    );
}
