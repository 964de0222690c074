//! The configuration, checked as a whole before anything is opened.

mod check;
mod file;
mod rules;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, path::PathBuf};

use serde::Deserialize;
use sp_core::H256;
use stipend_primitives::AccountId;
use stipend_sdk::Signer;

pub use rules::{ExperimentRule, JudgeRule, MergeRule, SuiteRule};

use crate::{forge::Forge, secret::Secret};

/// Everything that an evaluator is told by its operator.
pub struct Config {
    /// Where webhooks and receipts come in; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where journal and reports are.
    pub data_dir: PathBuf,
    /// Hash of the chain's first block: receipts of another chain are none.
    pub genesis: H256,
    /// The chain that outcomes are recorded on; `None`: they wait in the journal.
    pub chain: Option<ChainConfig>,
    /// The gateways whose receipts are believed.
    pub gateways: Vec<AccountId>,
    /// The forges that may send webhooks.
    pub forges: Vec<Forge>,
    /// What merges earn.
    pub merge: MergeRule,
    /// What runs of tests earn.
    pub junit: SuiteRule,
    /// What runs of evals earn.
    pub evals: SuiteRule,
    /// What experiments earn.
    pub experiment: ExperimentRule,
    /// The model that judges; `None`: `judge` is refused.
    pub judge: Option<JudgeConfig>,
    /// Bounds.
    pub limits: Limits,
}

/// The chain that outcomes are recorded on.
pub struct ChainConfig {
    /// WebSocket address of a node.
    pub url: String,
    /// The evaluator's key.
    pub evaluator: Signer,
}

/// The model that judges, behind a gateway.
#[derive(Clone)]
pub struct JudgeConfig {
    /// The gateway's address up to `/v1`.
    pub url: String,
    /// An API key of the program's own wallet, which pays for judging.
    pub key: Secret,
    /// Certificate authorities (PEM) that the gateway's certificate must be from; `None`: the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// The model that is asked.
    pub model: String,
    /// What it earns.
    pub rule: JudgeRule,
}

/// Bounds on time and memory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Bytes of a webhook.
    pub body_bytes_max: usize,
    /// Milliseconds that a body may take to come in.
    pub body_ms_max: u64,
    /// Requests at a time; more get 503.
    pub requests_max: usize,
    /// Receipts that one merge, run or experiment may name.
    pub receipts_max: usize,
    /// Milliseconds between two tries of a ledger that cannot be reached.
    pub retry_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            // GitHub sends up to 25 MB.
            body_bytes_max: 25 << 20,
            body_ms_max: 30_000,
            requests_max: 16,
            receipts_max: 256,
            retry_ms: 5_000,
        }
    }
}

impl Limits {
    fn faults(&self) -> Vec<String> {
        [
            ("body_bytes_max", self.body_bytes_max as u64, 1_024..=64 << 20),
            ("body_ms_max", self.body_ms_max, 100..=600_000),
            ("requests_max", self.requests_max as u64, 1..=1_024),
            ("receipts_max", self.receipts_max as u64, 1..=4_096),
            ("retry_ms", self.retry_ms, 10..=3_600_000),
        ]
        .into_iter()
        .filter_map(|(name, value, range)| rules::out_of("limits", name, value, range))
        .collect()
    }
}

/// All that is wrong with a configuration.
#[derive(Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<String>);

impl std::fmt::Display for Faults {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(formatter, "the configuration cannot be used:")?;
        for fault in &self.0 {
            writeln!(formatter, "  - {fault}")?;
        }
        write!(formatter, "Correct all of these and start again; nothing was opened or changed.")
    }
}

impl std::error::Error for Faults {}
