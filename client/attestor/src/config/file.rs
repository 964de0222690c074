//! `attestor.toml` as it is written.

use std::path::PathBuf;

use serde::Deserialize;

use super::{GpuConfig, Limits};
use crate::engine::EngineKind;

/// The file. Whatever must be there is still optional here, so that everything that is missing can be named
/// at once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) listen: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) genesis_hash: Option<String>,
    pub(super) engine: Option<Engine>,
    pub(super) evidence: Option<Evidence>,
    pub(super) gpu: Option<GpuConfig>,
    #[serde(default)]
    pub(super) gateway: Vec<Gateway>,
    #[serde(default)]
    pub(super) model: Vec<Model>,
    #[serde(default)]
    pub(super) limits: Limits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Engine {
    pub(super) kind: Option<EngineKind>,
    pub(super) url: Option<String>,
    pub(super) token_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) try_priorities: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Evidence {
    pub(super) url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Gateway {
    pub(super) account: Option<String>,
    pub(super) token_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) signs: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Model {
    pub(super) name: Option<String>,
    pub(super) id: Option<u16>,
    pub(super) engine_name: Option<String>,
}
