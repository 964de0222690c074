//! Why evidence was refused.

use alloc::string::String;

use crate::json;

/// What was refused, and why. Its text is for people; `reason` is for code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The part of the bundle that was refused.
    pub place: Place,
    /// Why.
    pub reason: Reason,
}

/// A part of the bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The bundle around the tokens.
    Bundle,
    /// The token about all devices together.
    Overall,
    /// The token of the device with this name, such as `GPU-0`.
    Device(String),
}

/// Why a part of the bundle was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// More bytes than [`BUNDLE_LEN_MAX`](crate::BUNDLE_LEN_MAX).
    BundleTooLong,
    /// White space or escapes outside of the tokens.
    BundleNotCompact,
    /// JSON, but not of the form `[["JWT", token], {"GPU-0": token, …}]`.
    NotBundle,
    /// A bundle without a device.
    NoDevice,
    /// More devices than [`DEVICES_MAX`](crate::DEVICES_MAX).
    TooManyDevices,
    /// A device whose name is not `GPU-` and a number.
    NotGpu,
    /// Bytes that are not JSON.
    NotJson,
    /// Two members of one JSON object have one name.
    DuplicateName,
    /// JSON that is nested too deeply.
    TooDeep,
    /// More bytes than [`TOKEN_LEN_MAX`](crate::TOKEN_LEN_MAX).
    TokenTooLong,
    /// Not three parts with two dots between them.
    NotToken,
    /// A part that is not the one base64url form of its bytes.
    BadBase64,
    /// Signed by another algorithm than ES384.
    AlgorithmNotEs384,
    /// The header demands an extension.
    CriticalHeader,
    /// The header names no key.
    NoKeyId,
    /// The header names a key that is not in the key set.
    UnknownKey,
    /// The key set says that the key is not valid at this time.
    KeyNotValidNow,
    /// The key set has a key that is no point on the curve P-384.
    BadKey,
    /// A signature that is not 96 bytes long.
    SignatureLength,
    /// A signature that is not the key's.
    BadSignature,
    /// A claim is not there.
    MissingClaim(&'static str),
    /// A claim has another type, or a value that it cannot have.
    BadClaim(&'static str),
    /// Claims of a version that this verifier does not know.
    OtherVersion,
    /// A token of another issuer than the policy's.
    OtherIssuer,
    /// A token about something else than a platform.
    OtherSubject,
    /// A token for another provider, block or request.
    OtherNonce,
    /// The token's time is over.
    Expired,
    /// The token's time has not begun.
    NotYetValid,
    /// Issued later than now.
    IssuedInFuture,
    /// Issued longer ago than the policy allows.
    TooOld,
    /// NVIDIA's result for all devices together is that they failed.
    AttestationFailed,
    /// The overall token names a device whose token is not in the bundle.
    DeviceTokenMissing,
    /// The bundle has the token of a device that the overall token does not name.
    DeviceTokenExtra,
    /// The device's token is not the one whose digest is in the overall token.
    OtherDigest,
    /// NVIDIA's check of this name failed.
    CheckFailed(String),
    /// Measurements differ from NVIDIA's reference values.
    MeasurementsDiffer,
    /// Secure boot is off, or unknown.
    SecureBootOff,
    /// Debugging is not disabled, or unknown.
    DebugEnabled,
    /// The certificate chain of this claim is not valid and good.
    CertificateNotGood(&'static str),
    /// NVIDIA's service attached a warning.
    Warning,
    /// A device counted twice.
    SameDeviceTwice,
}

impl From<json::Fault> for Reason {
    fn from(fault: json::Fault) -> Self {
        match fault {
            json::Fault::Malformed => Reason::NotJson,
            json::Fault::Duplicate => Reason::DuplicateName,
            json::Fault::TooDeep => Reason::TooDeep,
        }
    }
}
