//! Refusals for people: what was refused, why, and what to do.

use core::fmt;

use crate::refusal::{Place, Reason, Refusal};

impl core::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} was refused: {}", self.place, self.reason)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Bundle => out.write_str("the bundle"),
            Place::Overall => out.write_str("the overall token"),
            Place::Device(name) => write!(out, "the token of {name}"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::MissingClaim(name) => write!(out, "the claim {name} is missing"),
            Reason::BadClaim(name) => write!(out, "the claim {name} has a value that it cannot have"),
            Reason::CheckFailed(name) => write!(out, "NVIDIA's check {name} failed"),
            Reason::CertificateNotGood(name) => {
                write!(out, "the certificates of {name} are not valid and good")
            }
            reason => out.write_str(why(reason)),
        }?;
        write!(out, "; {}", remedy(self))
    }
}

fn why(reason: &Reason) -> &'static str {
    use Reason::*;
    match reason {
        BundleTooLong => "it is longer than the tokens of the most devices can be",
        BundleNotCompact => "it has white space or escapes outside of its tokens",
        NotBundle => "it is not a detached EAT bundle, [[\"JWT\", token], {\"GPU-0\": token}]",
        NoDevice => "it has no device, so it attests nothing",
        TooManyDevices => "it has more devices than a machine has",
        NotGpu => "it is not about a GPU",
        NotJson => "it is not JSON",
        DuplicateName => "two members of an object have one name, and readers differ on which counts",
        TooDeep => "its JSON is nested too deeply",
        TokenTooLong => "it is longer than any token of NVIDIA's",
        NotToken => "it is not header, claims and signature with dots between",
        BadBase64 => "a part of it is not base64url without padding, in its only form",
        AlgorithmNotEs384 => "it is not signed with ES384, the one algorithm of NVIDIA's attestation service",
        CriticalHeader => "its header demands an extension that is not known here",
        NoKeyId => "its header names no key",
        UnknownKey => "the key that it names is not in the key set, and NVIDIA replaces keys every few hours",
        KeyNotValidNow => "the key that it names is not valid at this time",
        BadKey => "the key that it names is no point on the curve P-384",
        SignatureLength => "its signature is not the 96 bytes r and s of ES384",
        BadSignature => "its signature is not that of the key that it names",
        OtherVersion => "its claims are not of version 2.0, 3.0 or 4.0",
        OtherIssuer => "it is of another issuer than the policy's",
        OtherSubject => "it is not about a platform",
        OtherNonce => "it was made for another nonce: another provider, block or request",
        Expired => "it has expired",
        NotYetValid => "its time has not begun",
        IssuedInFuture => "it was issued in the future",
        TooOld => "it was issued longer ago than the policy allows",
        AttestationFailed => "NVIDIA's overall result is that the attestation failed",
        DeviceTokenMissing => "the overall token names this device, and the bundle lacks it",
        DeviceTokenExtra => "the overall token does not name this device",
        OtherDigest => "it is not the token whose digest the overall token has",
        MeasurementsDiffer => "measurements differ from NVIDIA's reference values",
        SecureBootOff => "secure boot is off, or unknown",
        DebugEnabled => "debugging is not disabled, or unknown, so others could read the GPU's memory",
        Warning => "NVIDIA's service attached a warning",
        SameDeviceTwice => "its device is in the bundle already",
        MissingClaim(_) | BadClaim(_) | CheckFailed(_) | CertificateNotGood(_) => "a claim was refused",
    }
}

fn remedy(reason: &Reason) -> &'static str {
    use Reason::*;
    match reason {
        BundleTooLong | TooManyDevices | NoDevice | NotGpu => "send the evidence of the GPUs of one machine",
        BundleNotCompact => "send NVIDIA's answer as compact JSON",
        NotBundle => "send the answer of NVIDIA's attestation service without the envelope of NVIDIA's SDK",
        AlgorithmNotEs384 => {
            "attest with NVIDIA's remote verifier: everybody knows the secret of its local one"
        }
        UnknownKey | KeyNotValidNow | BadKey => "renew the key set, or ask for new evidence",
        OtherVersion => "use version 3 or 4 of NVIDIA's attestation service, or update this verifier",
        OtherIssuer => "use the service that the policy names: NVIDIA's production service by default",
        OtherNonce | Expired | TooOld => {
            "ask NVIDIA's attestation service for new evidence with the nonce of this request"
        }
        NotYetValid | IssuedInFuture => "check the clocks, or try again later",
        AttestationFailed
        | MeasurementsDiffer
        | SecureBootOff
        | DebugEnabled
        | Warning
        | CheckFailed(_)
        | CertificateNotGood(_) => {
            "bring the machine's GPU, driver and firmware to a state that NVIDIA attests"
        }
        NotJson | DuplicateName | TooDeep | TokenTooLong | NotToken | BadBase64 | CriticalHeader
        | NoKeyId | SignatureLength | BadSignature | MissingClaim(_) | BadClaim(_) | OtherSubject
        | DeviceTokenMissing | DeviceTokenExtra | OtherDigest | SameDeviceTwice => {
            "send the answer of NVIDIA's attestation service as it came"
        }
    }
}
