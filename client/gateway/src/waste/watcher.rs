//! The thread that looks at requests.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
};

use stipend_detectors::{Detectors, Endpoint as Kind, Finish, Observation, Sketch, Sketcher};
use stipend_openai::Endpoint;
use stipend_primitives::AccountId;
use tokio::sync::mpsc;

use super::{book::Book, gate::Gate, prompt, seen::Seen, since::Since};
use crate::{clock::now_ms, config::WasteConfig, metrics::WasteMetrics};

/// Providers that are told apart.
const PROVIDERS_MAX: usize = 4_096;

/// Where findings go.
pub(super) struct Outlets {
    pub(super) book: Arc<Book>,
    pub(super) gate: Arc<Gate>,
    pub(super) metrics: WasteMetrics,
    pub(super) queued_bytes: Arc<AtomicUsize>,
}

pub(super) struct Watcher {
    sketcher: Sketcher,
    detectors: Detectors,
    since: Since,
    providers: HashMap<AccountId, u32>,
    outlets: Outlets,
}

impl Watcher {
    pub(super) fn new(config: &WasteConfig, sketcher: Sketcher, since: Since, outlets: Outlets) -> Self {
        let detectors = Detectors::new(config.policy, config.memory);
        Watcher { sketcher, detectors, since, providers: HashMap::new(), outlets }
    }

    /// Looks at what comes until nothing can come any more.
    pub(super) fn run(mut self, mut queued: mpsc::Receiver<Seen>) {
        while let Some(seen) = queued.blocking_recv() {
            let bytes = seen.body.len();
            self.look(seen);
            self.outlets.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    fn look(&mut self, seen: Seen) {
        let since_ms = self.since.of(&seen.owner, seen.at_ms);
        let observation = self.observation(&seen, since_ms);
        for finding in self.detectors.observe(&observation) {
            self.outlets.metrics.found(finding.rule);
            self.outlets.gate.learn(&finding);
            if let Err(error) = self.outlets.book.add(finding, now_ms()) {
                tracing::warn!(%error, "a finding could not be written down; it is kept in memory");
            }
        }
        self.outlets.metrics.looked_at.inc();
    }

    fn observation(&mut self, seen: &Seen, since_ms: u64) -> Observation {
        let digest = u64::from_le_bytes(seen.digest[..8].try_into().expect("eight bytes; qed"));
        // A prompt that cannot be read is like no other.
        let (prompt, tool_calls) =
            prompt::read(&self.sketcher, &seen.body).unwrap_or((Sketch::unknown(digest), None));
        let address = seen.peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let known = self.providers.len();
        let provider = match &seen.provider {
            Some(provider) if known < PROVIDERS_MAX => {
                *self.providers.entry(provider.clone()).or_insert(known as u32)
            }
            _ => u32::MAX,
        };
        let wallet: &[u8; 32] = seen.owner.as_ref();
        let output = seen.usage.output;
        Observation {
            request: seen.digest,
            at_ms: seen.at_ms,
            wallet: *wallet,
            wallet_since_ms: Some(since_ms),
            key: seen.key.0,
            model: seen.model,
            provider,
            endpoint: kind(seen.endpoint),
            input_tokens: seen.usage.input.saturating_add(seen.usage.cached_input),
            output_tokens: output,
            max_tokens: seen.max_tokens,
            finish: if output > 0 && output >= seen.max_tokens { Finish::Length } else { Finish::Unknown },
            fetched_permille: seen.fetched_permille,
            prompt,
            tool_calls,
            origin: self.sketcher.origin(address, seen.agent.as_deref().unwrap_or_default()),
            purpose: seen.purpose.map(|purpose| purpose.0),
            // A gateway knows what is reserved for it, and not when a wallet's credits expire.
            period_ends_ms: None,
        }
    }
}

fn kind(endpoint: Endpoint) -> Kind {
    match endpoint {
        Endpoint::Embeddings => Kind::Embeddings,
        Endpoint::Images => Kind::Other,
        Endpoint::Chat | Endpoint::Completions | Endpoint::Responses | Endpoint::Messages => Kind::Text,
    }
}
