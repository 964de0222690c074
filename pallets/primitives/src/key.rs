//! API keys as the chain knows them: by hash.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{bounded::BoundedVec, ConstU32};

use crate::ids::{AccountId, Credits, KeyHash, ModelId, Moment};

/// Models that one key can be limited to.
pub const KEY_MODELS_MAX: u32 = 32;

/// What an owner allows one key to do.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct KeyLimits {
    /// The models that the key may use; empty: every model.
    pub models: BoundedVec<ModelId, ConstU32<KEY_MODELS_MAX>>,
    /// Micro-credits (of all classes together) that one request may cost at most; `None`: no cap.
    #[serde(with = "crate::view::decimal_option")]
    pub request_cost_max: Option<Credits>,
    /// Requests per minute at one gateway; `None`: no cap.
    pub requests_per_minute_max: Option<u32>,
    /// First moment at which the key is refused (Unix time, ms); `None`: never.
    pub expires_at: Option<Moment>,
}

/// A registered key.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct ApiKey {
    /// The wallet that pays.
    pub owner: AccountId,
    /// What the owner allows.
    pub limits: KeyLimits,
}

/// The hash by which the chain knows a key: BLAKE2b-256 of the key's text.
pub fn hash(key_text: &str) -> KeyHash {
    sp_core::H256(sp_io::hashing::blake2_256(key_text.as_bytes()))
}

/// Begins every API key's text, so that secret scanners can find a leaked one.
pub const KEY_PREFIX: &str = "sk-stipend-";

/// The text of a key made of 256 random bits.
pub fn text(random: &[u8; 32]) -> alloc::string::String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digits: Vec<u8> =
        random.iter().flat_map(|byte| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]).collect();
    let mut text = alloc::string::String::from(KEY_PREFIX);
    text.extend(digits.into_iter().map(char::from));
    text
}
