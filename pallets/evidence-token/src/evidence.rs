//! What evidence says once it is verified.

use alloc::{string::String, vec::Vec};

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Verified evidence. Only [`verify`](crate::verify) makes it: it cannot be decoded from bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Evidence {
    /// When NVIDIA issued the oldest of the tokens (Unix time, ms).
    pub issued_at_ms: u64,
    /// First moment at which it no longer counts (Unix time, ms).
    pub expires_at_ms: u64,
    /// The devices by unique id, so that the order in the bundle makes no difference.
    pub devices: Vec<Device>,
}

/// One attested GPU.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Device {
    /// Its name in the bundle, such as `GPU-0`.
    pub name: String,
    /// Its unique id, a decimal number (claim `ueid`).
    pub ueid: String,
    /// Its model, such as `GH100` (claim `hwmodel`).
    pub model: String,
    /// Version of the driver that was measured.
    pub driver_version: Option<String>,
    /// Version of the firmware that was measured.
    pub vbios_version: Option<String>,
}

/// What is known about where a provider's key lives: `software` unless evidence says otherwise, and as long
/// as it counts.
///
/// Whether it is hardware can only be asked together with the time, so expired evidence is never shown as
/// hardware.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Level {
    hardware_until_ms: Option<u64>,
}

impl Level {
    /// A key about which there is no evidence.
    pub const SOFTWARE: Level = Level { hardware_until_ms: None };

    /// Whether evidence says at this time that the key is used on attested hardware.
    pub fn is_hardware_at(&self, now_ms: u64) -> bool {
        self.hardware_until_ms.is_some_and(|until| now_ms < until)
    }

    /// What to show to people: `hardware` or `software`.
    pub fn name_at(&self, now_ms: u64) -> &'static str {
        if self.is_hardware_at(now_ms) {
            "hardware"
        } else {
            "software"
        }
    }
}

impl From<&Evidence> for Level {
    fn from(evidence: &Evidence) -> Self {
        Level { hardware_until_ms: Some(evidence.expires_at_ms) }
    }
}
