//! The configuration, checked as a whole before anything is opened.

mod check;
pub(crate) use check::account_hex;
mod file;

use std::{net::SocketAddr, path::PathBuf};

use http::uri::Authority;
use serde::Deserialize;
use sp_core::H256;
use stipend_primitives::{batch::RECEIPTS_MAX, AccountId, ModelId};

use crate::secret::{AttestationKey, EngineToken, TokenHash};

/// Everything an attestor needs to know.
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The provider's account.
    pub provider: AccountId,
    /// Signs the attestations.
    pub key: AttestationKey,
    /// Where the log is.
    pub data_dir: PathBuf,
    /// Hash of the chain's first block: signatures are for this chain only.
    pub genesis: H256,
    /// The engine behind.
    pub engine: EngineConfig,
    /// Who may ask.
    pub gateways: Vec<GatewayConfig>,
    /// What is served.
    pub models: Vec<ModelConfig>,
    /// Bounds.
    pub limits: Limits,
    /// Requests whose output is understated, to see that the chain notices. 0 outside of tests.
    pub misreport: u64,
}

/// The engine behind the attestor.
pub struct EngineConfig {
    /// Host and port; plain HTTP, for the engine stands beside the attestor.
    pub authority: Authority,
    /// What the engine wants to see, if anything.
    pub token: Option<EngineToken>,
}

/// A gateway that may ask.
pub struct GatewayConfig {
    /// Its account, whose key signs its claims.
    pub account: AccountId,
    /// Recognises its token.
    pub token: TokenHash,
}

/// A model that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelConfig {
    /// The name that gateways ask for: the price book's.
    pub name: String,
    /// The price book's number for it.
    pub id: ModelId,
    /// The name that the engine knows it by.
    pub engine_name: String,
}

/// Bounds on time and memory. Those that hold for a gateway hold for each one separately, so that
/// none can take another's room.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections; more wait to be accepted.
    pub connections_max: u32,
    /// Requests at the engine, those included whose gateway went away. More are refused with 503.
    pub requests_max: u32,
    /// Bytes of a request.
    pub body_bytes_max: usize,
    /// Bytes of an answer that is no stream.
    pub answer_bytes_max: usize,
    /// Milliseconds that an answer may take, streams included.
    pub answer_ms_max: u64,
    /// Requests of a gateway that no claim has named yet. More are refused with 503.
    pub unclaimed_max: usize,
    /// Milliseconds after which a request that no claim named is forgotten.
    pub unclaimed_ms_max: u64,
    /// Leaves of a gateway's ranges; beyond that the oldest ranges are forgotten.
    pub leaves_max: usize,
    /// Milliseconds after which a range is forgotten.
    pub range_ms_max: u64,
    /// Milliseconds between two looks at the engine's counters; 0 for never.
    pub scrape_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        const DAY_MS: u64 = 24 * 60 * 60 * 1000;
        Limits {
            connections_max: 10_000,
            requests_max: 4_096,
            // A context of a million tokens fits; images as well.
            body_bytes_max: 32 << 20,
            answer_bytes_max: 64 << 20,
            answer_ms_max: 600_000,
            // 100 MB of memory for each million.
            unclaimed_max: 1_000_000,
            // A gateway that was down for a night can still claim what it acknowledged.
            unclaimed_ms_max: DAY_MS,
            // 100 s of 20,000 requests a second: longer than the chain waits for an attestation.
            leaves_max: 2_000_000,
            range_ms_max: DAY_MS,
            scrape_ms: 5_000,
        }
    }
}

impl Limits {
    /// Names the bounds that cannot be.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut at_least = |name: &str, value: u64, min: u64| {
            if value < min {
                faults.push(format!("limits.{name} is {value}; it must be at least {min}"));
            }
        };
        at_least("connections_max", self.connections_max.into(), 1);
        at_least("requests_max", self.requests_max.into(), 1);
        at_least("body_bytes_max", self.body_bytes_max as u64, 1_024);
        at_least("answer_bytes_max", self.answer_bytes_max as u64, 1_024);
        at_least("answer_ms_max", self.answer_ms_max, 1);
        at_least("unclaimed_max", self.unclaimed_max as u64, 1);
        // A range must outlive the chain's wait for its attestation.
        at_least("unclaimed_ms_max", self.unclaimed_ms_max, 60_000);
        at_least("leaves_max", self.leaves_max as u64, u64::from(RECEIPTS_MAX));
        at_least("range_ms_max", self.range_ms_max, 600_000);
        faults
    }
}

/// All that is wrong with a configuration.
#[derive(Debug)]
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
