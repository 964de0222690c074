//! API keys as the chain knows them: by hash.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::{bounded::BoundedVec, ConstU32};

use crate::ids::{AccountId, Credits, KeyHash, ModelId, Moment};

/// Models that one key can be limited to.
pub const KEY_MODELS_MAX: u32 = 32;

/// Models that one key can have a cap for: the expensive ones; whoever reads a key reads them all.
pub const KEY_MODEL_CAPS_MAX: u32 = 8;

/// What an owner allows one key to do. Gateways keep the caps, each for the requests that it admits: with two
/// gateways a key can use twice as much.
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
    /// Micro-credits (of all classes together) per day at one gateway, from midnight to midnight UTC; `None`: no
    /// cap.
    #[serde(with = "crate::view::decimal_option")]
    pub credits_per_day_max: Option<Credits>,
    /// Micro-credits (of all classes together) per minute at one gateway; `None`: no cap.
    #[serde(with = "crate::view::decimal_option")]
    pub credits_per_minute_max: Option<Credits>,
    /// Tokens (prompt and answer together) per minute at one gateway; `None`: no cap.
    pub tokens_per_minute_max: Option<u64>,
    /// Micro-credits (of all classes together) per day at one gateway for single models; a model that is not
    /// named has no cap of its own. Of a model that is named twice the smaller cap counts.
    #[serde(with = "model_caps")]
    pub model_credits_per_day_max: BoundedVec<(ModelId, Credits), ConstU32<KEY_MODEL_CAPS_MAX>>,
}

impl KeyLimits {
    /// Micro-credits per day at one gateway for a model alone; `None`: no cap.
    pub fn credits_per_day_max_for(&self, model: ModelId) -> Option<Credits> {
        let caps = self.model_credits_per_day_max.iter().filter(|(capped, _)| *capped == model);
        caps.map(|(_, cap)| *cap).min()
    }
}

/// Caps of models in JSON: `{"model": 7, "credits_max": "5000000"}`.
mod model_caps {
    use super::*;

    type Caps = BoundedVec<(ModelId, Credits), ConstU32<KEY_MODEL_CAPS_MAX>>;

    #[derive(Serialize, Deserialize)]
    struct Row {
        model: ModelId,
        #[serde(with = "crate::view::decimal")]
        credits_max: Credits,
    }

    pub fn serialize<S: serde::Serializer>(caps: &Caps, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(caps.iter().map(|(model, cap)| Row { model: *model, credits_max: *cap }))
    }

    pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Caps, D::Error> {
        let rows = Vec::<Row>::deserialize(deserializer)?;
        let caps: Vec<_> = rows.into_iter().map(|row| (row.model, row.credits_max)).collect();
        Caps::try_from(caps).map_err(|caps| {
            serde::de::Error::custom(alloc::format!(
                "a key has caps for at most {KEY_MODEL_CAPS_MAX} models, not for {}",
                caps.len()
            ))
        })
    }
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
