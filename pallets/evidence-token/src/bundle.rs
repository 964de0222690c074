//! The detached EAT bundle: the overall token and one token per device.

use alloc::{string::String, vec::Vec};

use crate::{
    json::{self, Json},
    refusal::{Place, Reason, Refusal},
    BUNDLE_LEN_MAX, DEVICES_MAX,
};

/// A bundle whose tokens nobody has looked at yet.
pub(crate) struct Bundle {
    pub(crate) overall: String,
    /// By name.
    pub(crate) devices: Vec<(String, String)>,
}

impl Bundle {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() > BUNDLE_LEN_MAX {
            return Err(refused(Reason::BundleTooLong));
        }
        // Names and tokens need neither. Without them no byte of a bundle can change unnoticed.
        if bytes.iter().any(|byte| byte.is_ascii_whitespace() || *byte == b'\\') {
            return Err(refused(Reason::BundleNotCompact));
        }
        let (overall, members) = parts(json::read(bytes).map_err(|fault| refused(fault.into()))?)
            .ok_or_else(|| refused(Reason::NotBundle))?;
        if members.is_empty() {
            return Err(refused(Reason::NoDevice));
        }
        if members.len() > DEVICES_MAX {
            return Err(refused(Reason::TooManyDevices));
        }
        let mut devices = Vec::with_capacity(members.len());
        for (name, token) in members {
            let Json::Text(token) = token else { return Err(refused(Reason::NotBundle)) };
            if !is_gpu(&name) {
                return Err(refused(Reason::NotGpu));
            }
            devices.push((name, token));
        }
        Ok(Bundle { overall, devices })
    }
}

fn refused(reason: Reason) -> Refusal {
    Refusal { place: Place::Bundle, reason }
}

fn parts(bundle: Json) -> Option<(String, json::Members)> {
    let Json::List(halves) = bundle else { return None };
    let [Json::List(overall), Json::Object(devices)] = <[Json; 2]>::try_from(halves).ok()? else {
        return None;
    };
    let [Json::Text(kind), Json::Text(overall)] = <[Json; 2]>::try_from(overall).ok()? else { return None };
    (kind == "JWT").then_some((overall, devices))
}

/// Whether `name` is `GPU-` and a number below 1,000, in its only form.
pub(crate) fn is_gpu(name: &str) -> bool {
    let Some(number) = name.strip_prefix("GPU-") else { return false };
    (1..=3).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && (number == "0" || !number.starts_with('0'))
}
