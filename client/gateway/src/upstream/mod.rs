//! The providers' attestors: how each is reached, whether it is well, and which of them serves a request.

mod breaker;
mod servers;
mod set;
#[cfg(test)]
mod tests;
mod watch;

use std::{
    sync::{
        atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicU8, Ordering},
        Arc,
    },
    time::Duration,
};

use http::{
    uri::{PathAndQuery, Scheme},
    HeaderValue, Uri,
};
use sp_core::crypto::Ss58Codec;
use stipend_openai::Endpoint;
use stipend_primitives::{AccountId, BlockNumber, Moment};

use crate::{
    client::HttpClient,
    clock::now_ms,
    config::{Priorities, UpstreamConfig},
    forward::Proof,
    queue::{Queue, Settings},
};
pub(crate) use breaker::{Breaker, Circuit};
pub(crate) use servers::{Asked, Servers};
pub(crate) use set::{UpstreamSet, Upstreams};

/// How long an upstream that failed is asked only if no other can be.
const AVOID_MS: u64 = 2_000;

/// Blocks before its end at which evidence is no longer counted on: a request takes its time, and its batch is
/// in a block only afterwards. A third of the shortest time for which evidence can be in force.
const EVIDENCE_MARGIN_BLOCKS: BlockNumber = 10;

/// What is known of whether an engine schedules by vLLM's `priority`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Honours {
    /// It was not found out: nothing is sent.
    Unknown,
    /// It takes the field and does not heed it: nothing is sent.
    No,
    /// It serves lower values sooner.
    Yes,
}

/// One provider's attestor.
pub(crate) struct Upstream {
    pub(crate) provider: AccountId,
    /// The provider's account as people read it.
    pub(crate) address: String,
    pub(crate) token: HeaderValue,
    pub(crate) client: HttpClient,
    pub(crate) queue: Arc<Queue>,
    pub(crate) queue_wait_max: Duration,
    pub(crate) answer_wait_max: Duration,
    pub(crate) silence_max: Duration,
    pub(crate) claims: Uri,
    readiness: Uri,
    engine: Uri,
    /// By the endpoint's number.
    uris: [Uri; Endpoint::ALL.len()],
    pub(crate) breaker: Breaker,
    health_every: Duration,
    avoid_until_ms: AtomicU64,
    suspended: AtomicBool,
    /// First block in which its evidence counts no longer; 0: it has none.
    attested_until: AtomicU32,
    /// Whether requests to it carry this gateway's signature.
    pub(crate) signs: bool,
    /// How that is proved.
    pub(crate) proof: Proof,
    /// Whether `honours` is asked of the attestor.
    probes_priorities: bool,
    /// A [`Honours`].
    honours: AtomicU8,
    /// What all of this was made of, without the models: which of them it serves is the set's affair.
    config: UpstreamConfig,
}

impl Upstream {
    /// `before` is the upstream that this one replaces: it hands its queue on where nothing about that changes, so that the
    /// provider gets no more requests at a time than it should.
    fn new(config: &UpstreamConfig, client: &HttpClient, before: Option<&Upstream>) -> std::io::Result<Self> {
        let uri = |path: &'static str| {
            let mut parts = http::uri::Parts::default();
            parts.scheme = Some(config.scheme.clone());
            parts.authority = Some(config.authority.clone());
            parts.path_and_query = Some(PathAndQuery::from_static(path));
            Uri::from_parts(parts).expect("scheme, authority and path make a URI; qed")
        };
        let client = match &config.ca {
            Some(authorities) => HttpClient::trusting(authorities)?,
            None => client.clone(),
        };
        let honours = match config.priorities {
            Priorities::Probe => Honours::Unknown,
            Priorities::On => Honours::Yes,
            Priorities::Off => Honours::No,
        };
        let settings = queue_settings(config);
        let queue = match before {
            Some(before) if queue_settings(&before.config) == settings => before.queue.clone(),
            _ => Arc::new(Queue::new(&settings)),
        };
        Ok(Upstream {
            provider: config.provider.clone(),
            address: config.provider.to_ss58check(),
            token: config.token.clone(),
            client,
            queue,
            queue_wait_max: config.queue_wait_max,
            answer_wait_max: config.answer_wait_max,
            silence_max: config.silence_max,
            claims: uri("/v1/claims"),
            readiness: uri("/readyz"),
            engine: uri("/v1/engine"),
            uris: Endpoint::ALL.map(|endpoint| uri(endpoint.path())),
            breaker: Breaker::new(&config.breaker),
            health_every: config.health_every,
            avoid_until_ms: AtomicU64::new(0),
            suspended: AtomicBool::new(false),
            attested_until: AtomicU32::new(0),
            signs: config.signs,
            proof: Proof::default(),
            probes_priorities: config.priorities == Priorities::Probe,
            honours: AtomicU8::new(honours as u8),
            config: without_models(config),
        })
    }

    /// Whether it is what a configuration asks for.
    fn is_as(&self, config: &UpstreamConfig) -> bool {
        self.config == without_models(config)
    }

    pub(crate) fn uri(&self, endpoint: Endpoint) -> Uri {
        self.uris[endpoint as usize].clone()
    }

    /// Where it is: host and port.
    pub(crate) fn host(&self) -> (&str, u16) {
        let UpstreamConfig { scheme, authority, .. } = &self.config;
        let usual = if *scheme == Scheme::HTTPS { 443 } else { 80 };
        (authority.host(), authority.port_u16().unwrap_or(usual))
    }

    /// The only certificate authorities to trust for it, in DER as hex digits; `None`: the system's.
    pub(crate) fn authorities(&self) -> Option<Vec<String>> {
        self.config.ca.as_ref().map(|found| found.iter().map(hex::encode).collect())
    }

    /// It failed: others are asked before it for a while, and nobody asks it once it did so too often.
    pub(crate) fn failed(&self, why: &str) {
        let now = now_ms();
        self.avoid(now);
        if let Some(pause) = self.breaker.failed(now) {
            let pause_ms = pause.as_millis() as u64;
            tracing::warn!(provider = %self.address, why, pause_ms, "a provider is not asked for a while: it keeps failing");
        }
    }

    /// It answered as it should.
    pub(crate) fn succeeded(&self) {
        if self.breaker.succeeded() {
            tracing::info!(provider = %self.address, "a provider that failed is well again: it is asked");
        }
    }

    /// Others are asked before this one for a while.
    fn avoid(&self, now_ms: Moment) {
        self.avoid_until_ms.store(now_ms + AVOID_MS, Ordering::Relaxed);
    }

    /// Requests that it serves or that wait for it.
    pub(crate) fn load(&self) -> usize {
        self.queue.inside() + self.queue.waiting()
    }

    /// What is known of whether its engine schedules by priority.
    pub(crate) fn honours(&self) -> Honours {
        match self.honours.load(Ordering::Relaxed) {
            honours if honours == Honours::Yes as u8 => Honours::Yes,
            honours if honours == Honours::No as u8 => Honours::No,
            _ => Honours::Unknown,
        }
    }

    /// Whether requests to it carry vLLM's `priority`.
    pub(crate) fn honours_priorities(&self) -> bool {
        self.honours() == Honours::Yes
    }

    /// What an operator should know of it, if anything.
    pub(crate) fn note(&self) -> Option<&'static str> {
        if self.is_suspended() {
            return Some("suspended by the chain");
        }
        if self.breaker.circuit(now_ms()) == Circuit::Open {
            return Some("fails, and is not asked for a while");
        }
        match self.honours() {
            Honours::No if self.probes_priorities => Some("its engine ignores priorities"),
            Honours::Unknown => {
                Some("it is not known whether its engine schedules by priorities: none are sent")
            }
            Honours::No | Honours::Yes => None,
        }
    }

    /// Whether nobody would be sent there now.
    pub(crate) fn is_out(&self) -> bool {
        self.is_suspended() || self.breaker.circuit(now_ms()) == Circuit::Open
    }

    fn set_honours(&self, honours: Honours) {
        if self.honours.swap(honours as u8, Ordering::Relaxed) == honours as u8 {
            return;
        }
        let provider = &self.address;
        match honours {
            Honours::Yes => tracing::info!(%provider, "the provider's engine schedules by priority"),
            Honours::No => tracing::warn!(
                %provider,
                "the provider's engine ignores priorities: fees order this gateway's queue only. Start vLLM with \
                 `--scheduling-policy priority`"
            ),
            Honours::Unknown => {
                tracing::warn!(%provider, "it is not known any more whether the provider's engine schedules by priority")
            }
        }
    }

    /// Whether the chain has suspended the provider: it would not attest what it serves.
    pub(crate) fn is_suspended(&self) -> bool {
        self.suspended.load(Ordering::Relaxed)
    }

    fn set_suspended(&self, suspended: bool) {
        if self.suspended.swap(suspended, Ordering::Relaxed) == suspended {
            return;
        }
        match suspended {
            true => {
                tracing::warn!(provider = %self.address, "the chain suspended a provider: it is asked no more")
            }
            false => tracing::info!(provider = %self.address, "a provider is reinstated: it is asked again"),
        }
    }

    /// `None`: it has no evidence.
    fn set_attested_until(&self, block: Option<BlockNumber>) {
        self.attested_until.store(block.unwrap_or(0), Ordering::Relaxed);
    }

    /// Whether its evidence is in force when a request that begins at `block` is in a batch.
    pub(crate) fn is_attested(&self, block: BlockNumber) -> bool {
        block.saturating_add(EVIDENCE_MARGIN_BLOCKS) < self.attested_until.load(Ordering::Relaxed)
    }

    fn is_avoided(&self, now_ms: Moment) -> bool {
        now_ms < self.avoid_until_ms.load(Ordering::Relaxed)
    }
}

fn without_models(config: &UpstreamConfig) -> UpstreamConfig {
    UpstreamConfig { models: Vec::new(), ..config.clone() }
}

fn queue_settings(config: &UpstreamConfig) -> Settings {
    Settings {
        places_max: config.concurrency_max,
        learned: config.concurrency_learned,
        waiting_max: config.queue_max,
        ageing: config.ageing,
    }
}
