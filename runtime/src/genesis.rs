//! The chains that the node knows by name.
//!
//! Each is a patch of the empty genesis, in JSON, and stands in `chain-spec/`: to found a chain of
//! one's own, one copies such a file and edits it.

use alloc::{vec, vec::Vec};

use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};

/// One validator, Alice, who is the council too.
const DEVELOPMENT: &str = include_str!("../../chain-spec/dev.json");

/// Four validators, Alice to Dave; the first three are the council.
const LOCAL_TESTNET: &str = include_str!("../../chain-spec/local.json");

/// The names of the presets.
pub fn preset_names() -> Vec<PresetId> {
    vec![PresetId::from(DEV_RUNTIME_PRESET), PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET)]
}

/// The patch that makes a preset; `None` if there is none of that name.
pub fn preset(id: &PresetId) -> Option<Vec<u8>> {
    let patch = match id.as_ref() {
        DEV_RUNTIME_PRESET => DEVELOPMENT,
        LOCAL_TESTNET_RUNTIME_PRESET => LOCAL_TESTNET,
        _ => return None,
    };
    Some(patch.as_bytes().to_vec())
}
