//! A device's token: what NVIDIA checked of one GPU.

use alloc::string::{String, ToString};

use crate::{claims::Claims, evidence::Device, json::Json, policy::Policy, refusal::Reason};

/// Every claim with this prefix that is a yes or no must be a yes, known here or not.
const CHECKS: &str = "x-nvidia-gpu-";

/// Checks that must have been made: those that all versions of the claims have.
const CHECKS_DEMANDED: [&str; 11] = [
    "x-nvidia-gpu-arch-check",
    "x-nvidia-gpu-attestation-report-parsed",
    "x-nvidia-gpu-attestation-report-nonce-match",
    "x-nvidia-gpu-attestation-report-signature-verified",
    "x-nvidia-gpu-driver-rim-fetched",
    "x-nvidia-gpu-driver-rim-signature-verified",
    "x-nvidia-gpu-driver-rim-measurements-available",
    "x-nvidia-gpu-vbios-rim-fetched",
    "x-nvidia-gpu-vbios-rim-signature-verified",
    "x-nvidia-gpu-vbios-rim-measurements-available",
    "x-nvidia-gpu-vbios-index-no-conflict",
];

/// The three certificate chains: as an object since version 3.0, and as a yes or no before.
const CHAINS: [(&str, &str); 3] = [
    ("x-nvidia-gpu-attestation-report-cert-chain", "x-nvidia-gpu-attestation-report-cert-chain-validated"),
    ("x-nvidia-gpu-driver-rim-cert-chain", "x-nvidia-gpu-driver-rim-cert-validated"),
    ("x-nvidia-gpu-vbios-rim-cert-chain", "x-nvidia-gpu-vbios-rim-cert-validated"),
];

/// Lists of what differs from the reference values; not there, null or empty where nothing does.
const MISMATCHES: [&str; 2] =
    ["x-nvidia-mismatch-measurement-records", "x-nvidia-mismatch-opaque-data-records"];

/// The device that `claims` attest.
pub(crate) fn read(name: String, claims: &Claims, policy: &Policy) -> Result<Device, Reason> {
    if claims.0.get("x-nvidia-device-type").is_some_and(|kind| *kind != Json::Text("gpu".into())) {
        return Err(Reason::NotGpu);
    }
    measurements(claims)?;
    if *claims.get("secboot")? != Json::Bool(true) {
        return Err(Reason::SecureBootOff);
    }
    if *claims.get("dbgstat")? != Json::Text("disabled".into()) {
        return Err(Reason::DebugEnabled);
    }
    checks(claims)?;
    for (chain, flag) in CHAINS {
        certificates(claims, chain, flag)?;
    }
    if !policy.accept_warnings && !is_nothing(claims, "x-nvidia-attestation-warning") {
        return Err(Reason::Warning);
    }
    let optional = |name| match claims.label(name) {
        Ok(text) => Ok(Some(text.to_string())),
        Err(Reason::MissingClaim(_)) => Ok(None),
        Err(reason) => Err(reason),
    };
    Ok(Device {
        name,
        ueid: claims.label("ueid")?.into(),
        model: claims.label("hwmodel")?.into(),
        driver_version: optional("x-nvidia-gpu-driver-version")?,
        vbios_version: optional("x-nvidia-gpu-vbios-version")?,
    })
}

fn measurements(claims: &Claims) -> Result<(), Reason> {
    // NVIDIA's service writes the first, the schema of its SDK says the second.
    let same = matches!(claims.text("measres")?, "success" | "Success");
    if same && MISMATCHES.iter().all(|name| is_nothing(claims, name)) {
        Ok(())
    } else {
        Err(Reason::MeasurementsDiffer)
    }
}

fn checks(claims: &Claims) -> Result<(), Reason> {
    for (name, value) in claims.0.iter().filter(|(name, _)| name.starts_with(CHECKS)) {
        if *value == Json::Bool(false) {
            return Err(Reason::CheckFailed(name.clone()));
        }
    }
    for name in CHECKS_DEMANDED {
        if *claims.get(name)? != Json::Bool(true) {
            return Err(Reason::BadClaim(name));
        }
    }
    Ok(())
}

fn certificates(claims: &Claims, chain: &'static str, flag: &'static str) -> Result<(), Reason> {
    let good = match (claims.0.get(chain), claims.0.get(flag)) {
        (None, None) => return Err(Reason::MissingClaim(chain)),
        (chain, flag) => chain.is_none_or(is_good) && flag.is_none_or(|flag| *flag == Json::Bool(true)),
    };
    if good {
        Ok(())
    } else {
        Err(Reason::CertificateNotGood(chain))
    }
}

/// Whether NVIDIA found a certificate chain valid and its revocation service called it good.
fn is_good(chain: &Json) -> bool {
    let Json::Object(chain) = chain else { return false };
    let says = |name: &str, text: &str| chain.get(name) == Some(&Json::Text(text.into()));
    says("x-nvidia-cert-status", "valid")
        && says("x-nvidia-cert-ocsp-status", "good")
        && chain.values().all(|value| *value != Json::Bool(false))
}

fn is_nothing(claims: &Claims, name: &str) -> bool {
    match claims.0.get(name) {
        None | Some(Json::Null) => true,
        Some(Json::List(values)) => values.is_empty(),
        Some(_) => false,
    }
}
