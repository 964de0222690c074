//! The configuration, checked as a whole before anything is opened.

mod check;
pub(crate) use check::account_hex;
mod file;

use std::{net::SocketAddr, path::PathBuf};

use http::{uri::Authority, Uri};
use serde::Deserialize;
use sp_core::H256;
use stipend_primitives::{batch::RECEIPTS_MAX, AccountId, ModelId};

use crate::{
    engine::EngineKind,
    secret::{AttestationKey, EngineToken, TokenHash},
};

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
    /// Where evidence of the hardware comes from; `None` where there is none to give.
    pub evidence: Option<EvidenceConfig>,
    /// Whose GPU time and energy are measured; `None`: no attestation carries them.
    pub gpu: Option<GpuConfig>,
    /// Bounds.
    pub limits: Limits,
    /// Requests whose output is understated, to see that the chain notices. 0 outside of tests.
    pub misreport: u64,
}

/// The engine behind the attestor.
pub struct EngineConfig {
    /// Which engine it is; `None`: found out by asking it.
    pub kind: Option<EngineKind>,
    /// Host and port; plain HTTP, for the engine stands beside the attestor.
    pub authority: Authority,
    /// What the engine wants to see, if anything.
    pub token: Option<EngineToken>,
    /// Whether an engine that does not say how it schedules is tried: filled with requests of the attestor's own, once.
    pub try_priorities: bool,
}

/// The GPUs that serve.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpuConfig {
    /// Their UUIDs, as `nvidia-smi -L` shows them; empty: all GPUs of the machine.
    #[serde(default)]
    pub devices: Vec<String>,
}

/// The local service that asks the GPU and NVIDIA's verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceConfig {
    /// Its address with `{nonce}` in the place of the nonce.
    template: String,
}

impl EvidenceConfig {
    const NONCE: &'static str = "{nonce}";

    /// Checks an address: plain HTTP, with `{nonce}` in path or query.
    pub fn new(template: &str) -> Option<Self> {
        let (before, after) = template.split_once(Self::NONCE)?;
        let is_twice = after.contains(Self::NONCE);
        let uri: Uri = format!("{before}{}{after}", "0".repeat(64)).parse().ok()?;
        let authority = uri.authority()?.as_str();
        // User and password in an address would end up in logs.
        let is_plain = uri.scheme_str() == Some("http") && !authority.contains('@');
        let is_in_host = !before.strip_prefix("http://")?.contains(['/', '?']);
        (is_plain && !is_in_host && !is_twice).then(|| EvidenceConfig { template: template.into() })
    }

    /// The address for a nonce, written as 64 hex digits.
    pub(crate) fn uri(&self, nonce: &[u8; 32]) -> Uri {
        let address = self.template.replacen(Self::NONCE, &hex::encode(nonce), 1);
        address.parse().expect("it was parsed with other digits in the same place; qed")
    }
}

/// A gateway that may ask.
#[derive(Clone)]
pub struct GatewayConfig {
    /// Its account, whose key signs its claims.
    pub account: AccountId,
    /// Recognises its token.
    pub token: TokenHash,
    /// Whether every request must bear its signature. One that is there must be good either way.
    pub signs: bool,
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
    /// Leaves of a gateway's ranges; beyond that the oldest ranges are forgotten, but for those that can still be
    /// open on the chain: its newest 272.
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
            // Older ranges are for whoever looks back; 70 bytes of memory each. The newest 272 ranges stay whatever
            // they have: 27,200,000 leaves, 1.9 GB, of a gateway that fills every batch and is not settled.
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
