//! The configuration, read and checked as a whole before anything is bound or opened.

mod jobs;
mod operate;
mod otlp;
mod read;
mod upstreams;
mod values;
mod waste;

#[cfg(test)]
mod tests;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use http::{uri::Authority, uri::Scheme, HeaderValue};
use rustls::pki_types::CertificateDer;
use stipend_primitives::{AccountId, Credits};
use stipend_sdk::Signer;

pub use jobs::JobsConfig;
pub use operate::{Log, Operate, TlsFiles};
pub use otlp::Otlp;
pub use values::Faults;
pub(crate) use waste::token_hash;
pub use waste::WasteConfig;

/// Everything that the gateway is told by its operator.
#[derive(Clone)]
pub struct Config {
    /// Where callers connect; port 0 takes any free one.
    pub listen: SocketAddr,
    /// WebSocket address of a node.
    pub chain: String,
    /// The gateway's key: signs batches and claims, and is its account.
    pub signer: Signer,
    /// Folder of the durable logs.
    pub data_dir: PathBuf,
    /// How credits are reserved.
    pub reservations: Reservations,
    /// When batches are closed.
    pub batch: BatchLimits,
    /// How long receipts can be looked up.
    pub receipts: Receipts,
    /// Limits on callers and on the gateway itself.
    pub limits: Limits,
    /// Who serves.
    pub upstreams: Vec<UpstreamConfig>,
    /// How batch work is handed to a cluster; `None`: it is not taken.
    pub jobs: Option<JobsConfig>,
    /// How waste is shown; `None`: nobody looks for it.
    pub waste: Option<WasteConfig>,
    /// What operators see of the gateway, and how callers reach it.
    pub operate: Operate,
}

/// How credits are reserved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservations {
    /// Micro-credits that a reservation is filled up to, per wallet and class.
    pub target: Credits,
    /// Micro-credits below which it is filled up.
    pub low_water: Credits,
    /// How long a reservation lasts.
    pub lifetime: Duration,
    /// How long a request waits for credits that the wallet has but the gateway has not reserved.
    pub wait_max: Duration,
}

/// When a batch is closed: whichever comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchLimits {
    /// After this time.
    pub interval: Duration,
    /// At this many receipts.
    pub receipts_max: u32,
}

/// How long receipts can be looked up: until the first of the two is reached, and up to twice as long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipts {
    /// For this time.
    pub keep: Duration,
    /// Until so many came after: each takes some 30 bytes of memory and 250 of the disk.
    pub keep_max: usize,
}

impl Default for Receipts {
    fn default() -> Self {
        // A week to look into what a person wonders about; at most 25 MB of memory and 200 MB of the disk.
        Receipts { keep: Duration::from_secs(7 * 24 * 3_600), keep_max: 400_000 }
    }
}

/// Limits on callers and on the gateway itself.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes_max: usize,
    /// How long a caller may take to send its request.
    pub body_wait_max: Duration,
    /// Bytes of an answer that is not streamed, and of one event of a stream.
    pub answer_bytes_max: usize,
    /// Open connections.
    pub connections_max: usize,
    /// Requests being served or waiting, all upstreams together.
    pub requests_in_flight_max: usize,
    /// Receipts that no finalised block has yet; beyond it nothing new is admitted.
    pub backlog_receipts_max: u64,
    /// Answers that one request can ask for.
    pub generations_max: u32,
    /// `max_tokens` of a request that names none.
    pub output_tokens_default: u32,
    /// `max_tokens` that a request can name.
    pub output_tokens_max: u32,
    /// Tokens that an engine's chat template and default system prompt may add to a prompt.
    pub template_tokens_max: u32,
    /// Tokens that one image, sound or file in a message may count; 0: they are not served.
    pub media_part_tokens_max: u32,
    /// How long a caller may leave a stream unread before it counts as gone.
    pub client_stall_max: Duration,
    /// How long the chain may be silent before nothing new is admitted.
    pub chain_silence_max: Duration,
    /// How long requests in flight may go on after the order to stop.
    pub drain_max: Duration,
    /// Whether a class that requires evidence is served by providers without it, where there are no others:
    /// the chain gives the charges back, and the provider is not paid.
    pub serve_unpaid: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body_bytes_max: 8 << 20,
            body_wait_max: Duration::from_secs(30),
            answer_bytes_max: 32 << 20,
            connections_max: 16_384,
            requests_in_flight_max: 8_192,
            backlog_receipts_max: 1_000_000,
            generations_max: 16,
            output_tokens_default: 4_096,
            output_tokens_max: 131_072,
            template_tokens_max: 512,
            media_part_tokens_max: 0,
            client_stall_max: Duration::from_secs(30),
            chain_silence_max: Duration::from_secs(120),
            drain_max: Duration::from_secs(30),
            serve_unpaid: false,
        }
    }
}

/// One provider's attestor.
#[derive(Clone, PartialEq, Eq)]
pub struct UpstreamConfig {
    /// The provider's account.
    pub provider: AccountId,
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host and port.
    pub authority: Authority,
    /// `Bearer` and the secret that gateway and provider share.
    pub token: HeaderValue,
    /// Models by their names in the price book.
    pub models: Vec<String>,
    /// The only certificate authorities that are trusted for it; `None`: the system's.
    pub ca: Option<Vec<CertificateDer<'static>>>,
    /// Requests at a time, at most.
    pub concurrency_max: usize,
    /// Whether fewer are sent while the upstream shows that it has too many.
    pub concurrency_learned: bool,
    /// Requests that wait for their turn.
    pub queue_max: usize,
    /// How long they wait.
    pub queue_wait_max: Duration,
    /// Time after which a request that waits gets its turn whatever others offer: every fourth place.
    pub ageing: Duration,
    /// How long the whole answer may take.
    pub answer_wait_max: Duration,
    /// How long a stream may be silent.
    pub silence_max: Duration,
    /// Whether the engine schedules by vLLM's `priority`.
    pub priorities: Priorities,
    /// When it is left alone because it keeps failing.
    pub breaker: BreakerConfig,
    /// Time between two looks at its readiness; zero: nobody looks.
    pub health_every: Duration,
    /// Whether requests carry this gateway's signature.
    pub signs: bool,
}

/// Whether requests to an upstream carry vLLM's `priority`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priorities {
    /// Where its attestor says that the engine schedules by it.
    Probe,
    /// Always.
    On,
    /// Never.
    Off,
}

/// When an upstream is left alone, and for how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerConfig {
    /// Failures in a row after which nobody asks it.
    pub failures_max: u32,
    /// For how long, the first time; doubled each time that it fails again.
    pub pause: Duration,
    /// For how long at most.
    pub pause_max: Duration,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        // One request that an engine cannot bear must not take it from everybody: others succeed in between.
        BreakerConfig { failures_max: 5, pause: Duration::from_secs(1), pause_max: Duration::from_secs(30) }
    }
}

impl Config {
    /// Reads a configuration file and every secret it points to. All faults are found at once.
    pub fn load(path: &std::path::Path) -> Result<Self, Faults> {
        read::load(path)
    }

    /// How long before its end a reservation takes no new request: the longest answer, and as long as
    /// a batch may take to be finalised.
    pub(crate) fn expiry_margin(&self) -> Duration {
        let longest = self.upstreams.iter().map(|upstream| upstream.answer_wait_max).max();
        longest.unwrap_or_default() + self.limits.client_stall_max + Duration::from_secs(60)
    }
}
