//! What a relying party asks of evidence beyond its being genuine.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};

/// Bytes of an issuer's name: an `https` origin with a long host name.
pub const ISSUER_LEN_MAX: u32 = 128;

/// The issuer of tokens by NVIDIA's production service: the origin that its requests go to.
pub const NVIDIA_ISSUER: &str = "https://nras.attestation.nvidia.com";

/// Tolerance for an issuer's clock that is ahead: NTP keeps clocks within a second, a minute is generous.
pub const SKEW_MS_DEFAULT: u64 = 60_000;

/// NVIDIA's tokens live for an hour.
pub const AGE_MS_MAX_DEFAULT: u64 = 3_600_000;

/// What a relying party asks of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Policy {
    /// The one issuer whose tokens count.
    pub issuer: BoundedVec<u8, ConstU32<ISSUER_LEN_MAX>>,
    /// How far the beginning of a token's time may lie in the future. There is no tolerance at its
    /// end: evidence that is about to expire is of no use.
    pub skew_ms: u64,
    /// Time after issue at which a token ends, if it does not say an earlier one.
    pub age_ms_max: u64,
    /// Whether tokens to which NVIDIA attached a warning count, such as one about a certificate on hold.
    pub accept_warnings: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            issuer: BoundedVec::truncate_from(NVIDIA_ISSUER.as_bytes().to_vec()),
            skew_ms: SKEW_MS_DEFAULT,
            age_ms_max: AGE_MS_MAX_DEFAULT,
            accept_warnings: false,
        }
    }
}
