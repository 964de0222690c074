//! Issues test tokens, so that the whole path runs without a GPU.
//!
//! The tokens are of NVIDIA's form and pass every check, under two conditions: the verifier holds the test
//! key, and its policy accepts [`TEST_ISSUER`]. The default policy accepts NVIDIA's service alone, so a test
//! key that slips into a real key set is still worth nothing.

use std::collections::BTreeMap;

use base64ct::{Base64UrlUnpadded, Encoding};
use p384::ecdsa::{signature::Signer, Signature, SigningKey};
use serde_json::{json, Value};
use sha2::{Digest, Sha256, Sha384};
use sp_core::bounded::BoundedVec;

use crate::{
    keys::{KeySet, TrustedKey},
    policy::Policy,
};

/// The issuer of test tokens. No such host can exist (RFC 6761, section 6.4).
pub const TEST_ISSUER: &str = "https://evidence.invalid";

/// What test tokens call their device.
pub const TEST_MODEL: &str = "TEST GPU (no hardware)";

/// How long a test token lives: as long as NVIDIA's.
const LIFETIME_S: u64 = 3_600;

/// A policy that accepts test tokens, and nobody else's.
pub fn test_policy() -> Policy {
    Policy { issuer: BoundedVec::truncate_from(TEST_ISSUER.as_bytes().to_vec()), ..Policy::default() }
}

/// Whoever signs test tokens.
pub struct Issuer {
    key: SigningKey,
    key_id: String,
}

impl Issuer {
    /// The issuer with the key that follows from `seed`: whoever knows the seed can issue the same tokens.
    pub fn new(seed: &str) -> Self {
        let mut hash = Sha384::digest(seed.as_bytes());
        let key = loop {
            // One in 2^190 hashes is not below the group's order.
            match SigningKey::from_bytes(&hash) {
                Ok(key) => break key,
                Err(_) => hash = Sha384::digest(hash),
            }
        };
        let id_hash = Sha256::digest(key.verifying_key().to_encoded_point(false).as_bytes());
        Issuer { key, key_id: format!("stipend-test-{}", hex(&id_hash[..8])) }
    }

    /// The name of the key in tokens and key sets.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The public key in SEC1 form: 4, x, y.
    pub fn public_key(&self) -> Vec<u8> {
        self.key.verifying_key().to_encoded_point(false).as_bytes().to_vec()
    }

    /// The key set with which tokens of this issuer are verified.
    pub fn key_set(&self) -> KeySet {
        let point = self.public_key();
        let key = TrustedKey {
            id: BoundedVec::truncate_from(self.key_id.clone().into_bytes()),
            x: point[1..49].try_into().expect("a coordinate has 48 bytes; qed"),
            y: point[49..].try_into().expect("a coordinate has 48 bytes; qed"),
            valid_from_ms: None,
            valid_until_ms: None,
        };
        KeySet::new(vec![key]).expect("one valid key is a set; qed")
    }

    /// The same as a JSON Web Key Set, as NVIDIA's service publishes its own.
    pub fn jwks(&self) -> Value {
        let point = self.public_key();
        let [x, y] = [&point[1..49], &point[49..]].map(Base64UrlUnpadded::encode_string);
        json!({ "keys": [{ "kty": "EC", "crv": "P-384", "kid": self.key_id, "x": x, "y": y }] })
    }

    /// The header that its tokens have.
    pub fn header(&self) -> Value {
        json!({ "kid": self.key_id, "alg": "ES384" })
    }

    /// A token with these claims.
    pub fn token(&self, claims: &Value) -> String {
        self.sign(&self.header().to_string(), &claims.to_string())
    }

    /// A token with this header and these claims, signed with ES384 whatever the header says.
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let signed = signed_part(header, claims);
        let signature: Signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature.to_bytes()))
    }
}

/// The part of a token that is signed: header and claims in base64url with a dot between.
pub fn signed_part(header: &str, claims: &str) -> String {
    let [header, claims] = [header, claims].map(|part| Base64UrlUnpadded::encode_string(part.as_bytes()));
    format!("{header}.{claims}")
}

/// What a bundle says, before it is signed. Tests change it to their needs.
#[derive(Clone)]
pub struct Statement {
    /// Claims of the overall token. The digests (`submods`) are filled in by [`bundle`](Self::bundle).
    pub overall: Value,
    /// Claims of each device's token, by the device's name.
    pub devices: BTreeMap<String, Value>,
}

impl Statement {
    /// A success for this many devices, issued at a time (Unix time, ms) for a nonce: claims of version 3.0.
    pub fn new(nonce: &[u8; 32], issued_at_ms: u64, devices: usize) -> Self {
        let common = common_claims(nonce, issued_at_ms / 1_000);
        let mut overall = common.clone();
        overall["sub"] = json!("NVIDIA-PLATFORM-ATTESTATION");
        overall["x-nvidia-ver"] = json!("3.0");
        overall["x-nvidia-overall-att-result"] = json!(true);
        let devices =
            (0..devices).map(|index| (format!("GPU-{index}"), device_claims(&common, index))).collect();
        Statement { overall, devices }
    }

    /// The tokens of the devices by name, signed.
    pub fn device_tokens(&self, issuer: &Issuer) -> Vec<(String, String)> {
        self.devices.iter().map(|(name, claims)| (name.clone(), issuer.token(claims))).collect()
    }

    /// The overall token over these device tokens, signed.
    pub fn overall_token(&self, issuer: &Issuer, devices: &[(String, String)]) -> String {
        let mut overall = self.overall.clone();
        overall["submods"] = devices.iter().map(|(name, token)| (name.clone(), digest(token))).collect();
        issuer.token(&overall)
    }

    /// The bundle, as NVIDIA's service would answer.
    pub fn bundle(&self, issuer: &Issuer) -> Vec<u8> {
        let devices = self.device_tokens(issuer);
        bundle(&self.overall_token(issuer, &devices), &devices)
    }
}

/// The bundle of these tokens.
pub fn bundle(overall: &str, devices: &[(String, String)]) -> Vec<u8> {
    let devices: Value = devices.iter().map(|(name, token)| (name.clone(), json!(token))).collect();
    json!([["JWT", overall], devices]).to_string().into_bytes()
}

/// How an overall token refers to a device's token.
pub fn digest(token: &str) -> Value {
    json!(["DIGEST", ["SHA-256", hex(&Sha256::digest(token.as_bytes()))]])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn common_claims(nonce: &[u8; 32], issued_at_s: u64) -> Value {
    json!({
        "iss": TEST_ISSUER,
        "eat_nonce": hex(nonce),
        "iat": issued_at_s,
        "nbf": issued_at_s,
        "exp": issued_at_s + LIFETIME_S,
        "jti": "00000000-0000-4000-8000-000000000000",
    })
}

fn device_claims(common: &Value, index: usize) -> Value {
    let mut claims = common.clone();
    claims["ueid"] = json!(format!("{}", 490_457_405_999_046_854_973_671_u128 + index as u128));
    claims["hwmodel"] = json!(TEST_MODEL);
    claims["oemid"] = json!("5703");
    claims["measres"] = json!("success");
    claims["secboot"] = json!(true);
    claims["dbgstat"] = json!("disabled");
    claims["x-nvidia-device-type"] = json!("gpu");
    claims["x-nvidia-attestation-warning"] = Value::Null;
    claims["x-nvidia-mismatch-measurement-records"] = Value::Null;
    claims["x-nvidia-gpu-claims-version"] = json!("3.0");
    claims["x-nvidia-gpu-driver-version"] = json!("570.133.20");
    claims["x-nvidia-gpu-vbios-version"] = json!("96.00.CF.00.02");
    for check in [
        "arch-check",
        "attestation-report-cert-chain-fwid-match",
        "attestation-report-nonce-match",
        "attestation-report-parsed",
        "attestation-report-signature-verified",
        "driver-rim-fetched",
        "driver-rim-measurements-available",
        "driver-rim-schema-validated",
        "driver-rim-signature-verified",
        "driver-rim-version-match",
        "vbios-index-no-conflict",
        "vbios-rim-fetched",
        "vbios-rim-measurements-available",
        "vbios-rim-schema-validated",
        "vbios-rim-signature-verified",
        "vbios-rim-version-match",
    ] {
        claims[format!("x-nvidia-gpu-{check}")] = json!(true);
    }
    for chain in ["attestation-report", "driver-rim", "vbios-rim"] {
        claims[format!("x-nvidia-gpu-{chain}-cert-chain")] = json!({
            "x-nvidia-cert-expiration-date": "9999-12-31T23:59:59Z",
            "x-nvidia-cert-status": "valid",
            "x-nvidia-cert-ocsp-status": "good",
            "x-nvidia-cert-revocation-reason": null,
        });
    }
    claims
}
