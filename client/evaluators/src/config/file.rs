//! `evaluator.toml` as it is written.

use std::path::PathBuf;

use serde::Deserialize;

use super::{ExperimentRule, JudgeRule, Limits, MergeRule, SuiteRule};
use crate::forge::Kind;

/// The file. Whatever must be there is still optional here, so that everything that is missing can be named
/// at once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) listen: Option<String>,
    pub(super) data_dir: Option<PathBuf>,
    pub(super) genesis_hash: Option<String>,
    pub(super) chain: Option<String>,
    pub(super) key_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) gateways: Vec<String>,
    #[serde(default)]
    pub(super) forge: Vec<Forge>,
    #[serde(default)]
    pub(super) merge: MergeRule,
    #[serde(default)]
    pub(super) junit: SuiteRule,
    pub(super) evals: Option<SuiteRule>,
    #[serde(default)]
    pub(super) experiment: ExperimentRule,
    pub(super) judge: Option<Judge>,
    #[serde(default)]
    pub(super) limits: Limits,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forge {
    pub(super) name: Option<String>,
    pub(super) kind: Option<Kind>,
    pub(super) secret_file: Option<PathBuf>,
    #[serde(default)]
    pub(super) repositories: Vec<String>,
    pub(super) branch: Option<String>,
    pub(super) purpose: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Judge {
    pub(super) url: Option<String>,
    pub(super) key_file: Option<PathBuf>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) model: Option<String>,
    #[serde(default)]
    pub(super) rule: JudgeRule,
}
