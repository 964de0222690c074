//! Tokens that NVIDIA's services issued and somebody published. `tests/fixtures/README.md` says who.
#![allow(clippy::unwrap_used)]

mod support;

use hmac::{Hmac, Mac};
use serde_json::{json, Value};
use sha2::Sha256;
use stipend_evidence_token::{
    issue::{Issuer, Statement},
    verify, Evidence, KeySet, Place, Policy, Reason, Refusal,
};
use support::{bundle, overall, part, whole};

/// A recorded answer of NVIDIA's service and when it was issued.
struct Recorded {
    bundle: &'static [u8],
    nonce: &'static str,
    issued_at_ms: u64,
}

/// Eight H100 on 2026-09-09: claims 2.0. The one whose key was published too.
const EIGHT_GPUS: Recorded = Recorded {
    bundle: include_bytes!("fixtures/nras-2.0-eight-gpus.json"),
    nonce: "2c5b15565d7755ad89adfd60c7960266add3397034758ac25f6afb12385b4774",
    issued_at_ms: 1_788_985_406_000,
};
const EIGHT_GPUS_JWKS: &[u8] = include_bytes!("fixtures/nras-2.0-eight-gpus.jwks.json");

/// One H100 on 2025-08-26: claims 2.0.
const H100_2025: Recorded = Recorded {
    bundle: include_bytes!("fixtures/nras-2.0-h100-2025.json"),
    nonce: "4d6e0c49321d22daa9bd7fc2205e381f9506c20e77dd5082ecf5e124ec0f4618",
    issued_at_ms: 1_756_168_926_000,
};

/// One H100 on 2026-09-16: claims 2.0.
const H100_2026: Recorded = Recorded {
    bundle: include_bytes!("fixtures/nras-2.0-h100-2026.json"),
    nonce: "690bb51b904351e28100a0610fe60624255c26d7d38c53fb1285ecfed1cab17a",
    issued_at_ms: 1_789_565_719_000,
};

/// One H100 on 2025-10-24, NVIDIA's staging service: claims 3.0.
const STAGING: Recorded = Recorded {
    bundle: include_bytes!("fixtures/nras-3.0-staging.json"),
    nonce: "931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb",
    issued_at_ms: 1_761_285_487_000,
};

/// The overall token of one RTX PRO 6000 on 2026-10-07, and its key: claims 4.0.
const VERSION_4: &str = include_str!("fixtures/nras-4.0-overall.jwt");
const VERSION_4_JWKS: &[u8] = include_bytes!("fixtures/nras-4.0-overall.jwks.json");
const VERSION_4_NONCE: &str = "db83252a0b3f1707c17e213caab3a426bf1cf1507b9b46d9e79b673c5723c648";
const VERSION_4_ISSUED_AT_MS: u64 = 1_791_376_614_000;

/// NVIDIA's local verifier, and the envelope of its SDK around an answer of the service.
const LOCAL_VERIFIER: &[u8] = include_bytes!("fixtures/local-verifier.json");
const SDK_ENVELOPE: &[u8] = include_bytes!("fixtures/sdk-envelope.json");

fn nonce(hex_digits: &str) -> [u8; 32] {
    hex::decode(hex_digits).unwrap().try_into().unwrap()
}

impl Recorded {
    fn check(&self, jwks: &[u8], now_ms: u64) -> Result<Evidence, Refusal> {
        let keys = KeySet::from_jwks(jwks).unwrap();
        verify(self.bundle, &keys, &nonce(self.nonce), now_ms, &Policy::default())
    }

    /// The recorded claims, signed again with a test key: what the verifier would have said at the time.
    fn reissued(&self) -> Statement {
        let recorded: Value = serde_json::from_slice(self.bundle).unwrap();
        let claims = |token: &Value| serde_json::from_slice(&part(token.as_str().unwrap(), 1)).unwrap();
        Statement {
            overall: claims(&recorded[0][1]),
            devices: recorded[1]
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, token)| (name.clone(), claims(token)))
                .collect(),
        }
    }

    fn check_reissued(&self, policy: &Policy) -> Result<Evidence, Refusal> {
        let issuer = Issuer::new("published");
        let bundle = self.reissued().bundle(&issuer);
        verify(&bundle, &issuer.key_set(), &nonce(self.nonce), self.issued_at_ms, policy)
    }
}

#[test]
fn eight_real_gpus_verify_with_nvidias_key_at_their_time() {
    let evidence = EIGHT_GPUS.check(EIGHT_GPUS_JWKS, EIGHT_GPUS.issued_at_ms + 1_000).unwrap();
    assert_eq!(evidence.issued_at_ms, EIGHT_GPUS.issued_at_ms);
    assert_eq!(evidence.expires_at_ms, EIGHT_GPUS.issued_at_ms + 3_600_000);
    assert_eq!(evidence.devices.len(), 8);
    let lowest = &evidence.devices[0];
    assert_eq!((lowest.name.as_str(), lowest.model.as_str()), ("GPU-4", "GH100"));
    assert_eq!(lowest.ueid, "370171916218994397208515573580828922128226069603");
    assert_eq!(lowest.driver_version.as_deref(), Some("595.58.03"));
    assert_eq!(lowest.vbios_version.as_deref(), Some("96.00.CF.00.02"));
}

#[test]
fn real_tokens_expire() {
    let end_ms = EIGHT_GPUS.issued_at_ms + 3_600_000;
    assert!(EIGHT_GPUS.check(EIGHT_GPUS_JWKS, end_ms - 1).is_ok());
    assert_eq!(EIGHT_GPUS.check(EIGHT_GPUS_JWKS, end_ms), overall(Reason::Expired));
}

/// The signature is what is verified first: an expired token with a changed signature is not called expired.
#[test]
fn a_real_signature_is_verified_apart_from_the_time() {
    let text = String::from_utf8(EIGHT_GPUS.bundle.to_vec()).unwrap();
    let recorded: Value = serde_json::from_str(&text).unwrap();
    let token = recorded[0][1].as_str().unwrap();
    let mut signature = part(token, 2);
    signature[95] ^= 1;
    let forged = text.replace(token, &support::with_signature(token, &signature));
    let keys = KeySet::from_jwks(EIGHT_GPUS_JWKS).unwrap();
    for now_ms in [EIGHT_GPUS.issued_at_ms, u64::MAX] {
        let refused = verify(forged.as_bytes(), &keys, &nonce(EIGHT_GPUS.nonce), now_ms, &Policy::default());
        assert_eq!(refused, overall(Reason::BadSignature));
    }
}

#[test]
fn a_real_bundle_is_for_its_nonce_only() {
    let keys = KeySet::from_jwks(EIGHT_GPUS_JWKS).unwrap();
    let refused = verify(EIGHT_GPUS.bundle, &keys, &[0; 32], EIGHT_GPUS.issued_at_ms, &Policy::default());
    assert_eq!(refused, overall(Reason::OtherNonce));
}

#[test]
fn a_real_bundle_that_lacks_a_device_is_refused() {
    let mut recorded: Value = serde_json::from_slice(EIGHT_GPUS.bundle).unwrap();
    recorded[1].as_object_mut().unwrap().remove("GPU-7");
    let keys = KeySet::from_jwks(EIGHT_GPUS_JWKS).unwrap();
    let refused = verify(
        recorded.to_string().as_bytes(),
        &keys,
        &nonce(EIGHT_GPUS.nonce),
        EIGHT_GPUS.issued_at_ms,
        &Policy::default(),
    );
    let place = Place::Device("GPU-7".into());
    assert_eq!(refused, Err(Refusal { place, reason: Reason::DeviceTokenMissing }));
}

#[test]
fn a_real_overall_token_of_version_4_verifies_and_misses_its_device() {
    let keys = KeySet::from_jwks(VERSION_4_JWKS).unwrap();
    let stray: Value = serde_json::from_slice(H100_2026.bundle).unwrap();
    let with_stray = bundle(VERSION_4.trim(), stray[1]["GPU-0"].as_str().unwrap());
    let check = |now_ms| verify(&with_stray, &keys, &nonce(VERSION_4_NONCE), now_ms, &Policy::default());
    assert_eq!(
        check(VERSION_4_ISSUED_AT_MS),
        Err(Refusal { place: Place::Device("GPU-0".into()), reason: Reason::OtherDigest })
    );
    assert_eq!(check(VERSION_4_ISSUED_AT_MS + 3_600_000), overall(Reason::Expired));
}

#[test]
fn real_tokens_whose_key_is_gone_are_refused() {
    for recorded in [H100_2025, H100_2026, STAGING] {
        assert_eq!(recorded.check(EIGHT_GPUS_JWKS, recorded.issued_at_ms), overall(Reason::UnknownKey));
    }
}

#[test]
fn recorded_claims_of_versions_2_and_3_pass() {
    let h100 = "GH100 A01 GSP BROM";
    for (recorded, model, driver) in
        [(H100_2025, h100, "570.133.20"), (H100_2026, "GH100", "595.71.05"), (STAGING, h100, "575.28")]
    {
        let issuer = recorded.reissued().overall["iss"].as_str().unwrap().as_bytes().to_vec();
        let policy = Policy { issuer: issuer.try_into().unwrap(), ..Policy::default() };
        let evidence = recorded.check_reissued(&policy).unwrap();
        assert_eq!(evidence.devices.len(), 1);
        assert_eq!(evidence.devices[0].model, model);
        assert_eq!(evidence.devices[0].driver_version.as_deref(), Some(driver));
    }
}

#[test]
fn nvidias_staging_service_is_not_its_production_service() {
    assert_eq!(STAGING.check_reissued(&Policy::default()), overall(Reason::OtherIssuer));
}

/// Proves that the secrets are known, and that knowing them is of no use.
#[test]
fn published_secrets_sign_nvidias_local_tokens_and_open_nothing() {
    let local: Value = serde_json::from_slice(LOCAL_VERIFIER).unwrap();
    let envelope: Value = serde_json::from_slice(SDK_ENVELOPE).unwrap();
    for (token, secret) in
        [(&local[0][1], "secret"), (&local[1]["GPU-0"], "secret"), (&envelope[0][1], "notasecret")]
    {
        let token = token.as_str().unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(token.rsplit_once('.').unwrap().0.as_bytes());
        mac.verify_slice(&part(token, 2)).unwrap();
    }
    let keys = KeySet::from_jwks(EIGHT_GPUS_JWKS).unwrap();
    let check =
        |bundle| verify(bundle, &keys, &nonce(STAGING.nonce), STAGING.issued_at_ms, &Policy::default());
    assert_eq!(check(LOCAL_VERIFIER), overall(Reason::AlgorithmNotEs384));
    assert_eq!(check(SDK_ENVELOPE), whole(Reason::NotBundle));
}

/// NVIDIA's service, 2024: one token of claims 1.0 without a bundle, measurements `comparison-fail`.
#[test]
fn version_1_is_refused() {
    let mut statement = H100_2025.reissued();
    statement.overall["x-nvidia-ver"] = json!("1.0");
    let issuer = Issuer::new("published");
    let check = |bundle: &[u8]| {
        let now_ms = H100_2025.issued_at_ms;
        verify(bundle, &issuer.key_set(), &nonce(H100_2025.nonce), now_ms, &Policy::default())
    };
    assert_eq!(check(&statement.bundle(&issuer)), overall(Reason::OtherVersion));
    let alone = json!([["JWT", issuer.token(&statement.overall)]]).to_string();
    assert_eq!(check(alone.as_bytes()), whole(Reason::NotBundle));
}

/// A GPU whose firmware had no matching reference values: boot and debugging are then unknown.
#[test]
fn a_published_failure_is_refused() {
    let mut statement = H100_2025.reissued();
    let claims = statement.devices.get_mut("GPU-0").unwrap();
    for (name, value) in [("measres", json!("fail")), ("secboot", Value::Null), ("dbgstat", Value::Null)] {
        claims[name] = value;
    }
    let issuer = Issuer::new("published");
    let refused = verify(
        &statement.bundle(&issuer),
        &issuer.key_set(),
        &nonce(H100_2025.nonce),
        H100_2025.issued_at_ms,
        &Policy::default(),
    );
    let place = Place::Device("GPU-0".into());
    assert_eq!(refused, Err(Refusal { place, reason: Reason::MeasurementsDiffer }));
}
