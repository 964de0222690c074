//! The providers' attestors, and which of them serves a request.

use std::{
    collections::HashMap,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};

use http::{uri::PathAndQuery, HeaderValue, Uri};
use sp_core::crypto::Ss58Codec;
use stipend_primitives::{AccountId, Moment};

use crate::{config::UpstreamConfig, queue::Queue};

/// How long an upstream that failed is asked only if no other can be.
const AVOID_MS: u64 = 2_000;

/// Which of OpenAI's two ways of asking for text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Chat,
    Completions,
}

impl Endpoint {
    pub(crate) fn path(self) -> &'static str {
        match self {
            Endpoint::Chat => "/v1/chat/completions",
            Endpoint::Completions => "/v1/completions",
        }
    }
}

/// One provider's attestor.
pub(crate) struct Upstream {
    pub(crate) provider: AccountId,
    /// The provider's account as people read it.
    pub(crate) address: String,
    pub(crate) token: HeaderValue,
    pub(crate) queue: Arc<Queue>,
    pub(crate) queue_wait_max: Duration,
    pub(crate) answer_wait_max: Duration,
    pub(crate) silence_max: Duration,
    pub(crate) claims: Uri,
    chat: Uri,
    completions: Uri,
    avoid_until_ms: AtomicU64,
    places: usize,
}

impl Upstream {
    fn new(config: &UpstreamConfig) -> Self {
        let uri = |path: &'static str| {
            let mut parts = http::uri::Parts::default();
            parts.scheme = Some(config.scheme.clone());
            parts.authority = Some(config.authority.clone());
            parts.path_and_query = Some(PathAndQuery::from_static(path));
            Uri::from_parts(parts).expect("scheme, authority and path make a URI; qed")
        };
        Upstream {
            provider: config.provider.clone(),
            address: config.provider.to_ss58check(),
            token: config.token.clone(),
            queue: Arc::new(Queue::new(config.concurrency_max, config.queue_max)),
            queue_wait_max: config.queue_wait_max,
            answer_wait_max: config.answer_wait_max,
            silence_max: config.silence_max,
            claims: uri("/v1/claims"),
            chat: uri(Endpoint::Chat.path()),
            completions: uri(Endpoint::Completions.path()),
            avoid_until_ms: AtomicU64::new(0),
            places: config.concurrency_max,
        }
    }

    pub(crate) fn uri(&self, endpoint: Endpoint) -> Uri {
        match endpoint {
            Endpoint::Chat => self.chat.clone(),
            Endpoint::Completions => self.completions.clone(),
        }
    }

    /// Others are asked before this one for a while.
    pub(crate) fn avoid(&self, now_ms: Moment) {
        self.avoid_until_ms.store(now_ms + AVOID_MS, Ordering::Relaxed);
    }

    /// Requests that it serves or that wait for it.
    pub(crate) fn load(&self) -> usize {
        self.places.saturating_sub(self.queue.free()) + self.queue.waiting()
    }

    fn is_avoided(&self, now_ms: Moment) -> bool {
        now_ms < self.avoid_until_ms.load(Ordering::Relaxed)
    }
}

/// Who serves one model.
pub(crate) struct Servers {
    upstreams: Vec<Arc<Upstream>>,
    /// Whether one of them schedules by vLLM's `priority`.
    pub(crate) priorities: bool,
}

impl Servers {
    /// The one to ask next: not avoided if possible, then the least loaded. `tried` are left out.
    pub(crate) fn choose(&self, tried: &[AccountId], now_ms: Moment) -> Option<Arc<Upstream>> {
        let left = self.upstreams.iter().filter(|upstream| !tried.contains(&upstream.provider));
        left.min_by_key(|upstream| (upstream.is_avoided(now_ms), upstream.load())).cloned()
    }
}

/// All upstreams.
pub(crate) struct Upstreams {
    pub(crate) all: Vec<Arc<Upstream>>,
    by_model: HashMap<String, Arc<Servers>>,
}

impl Upstreams {
    pub(crate) fn new(configs: &[UpstreamConfig]) -> Self {
        let all: Vec<Arc<Upstream>> = configs.iter().map(|config| Arc::new(Upstream::new(config))).collect();
        let mut by_model: HashMap<String, Servers> = HashMap::new();
        for (config, upstream) in configs.iter().zip(&all) {
            for model in &config.models {
                let servers = by_model
                    .entry(model.clone())
                    .or_insert_with(|| Servers { upstreams: Vec::new(), priorities: false });
                servers.upstreams.push(upstream.clone());
                servers.priorities |= config.priorities;
            }
        }
        let by_model = by_model.into_iter().map(|(model, servers)| (model, Arc::new(servers))).collect();
        Upstreams { all, by_model }
    }

    /// Who serves a model.
    pub(crate) fn of(&self, model: &str) -> Option<&Arc<Servers>> {
        self.by_model.get(model)
    }

    /// The models that somebody serves.
    pub(crate) fn models(&self) -> impl Iterator<Item = &str> {
        self.by_model.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn config(number: u8, models: &[&str]) -> UpstreamConfig {
        UpstreamConfig {
            provider: AccountId::new([number; 32]),
            scheme: http::uri::Scheme::HTTP,
            authority: "127.0.0.1:1".parse().unwrap(),
            token: HeaderValue::from_static("Bearer x"),
            models: models.iter().map(|model| (*model).to_owned()).collect(),
            concurrency_max: 4,
            queue_max: 4,
            queue_wait_max: Duration::from_secs(1),
            answer_wait_max: Duration::from_secs(1),
            silence_max: Duration::from_secs(1),
            priorities: false,
        }
    }

    #[tokio::test]
    async fn the_least_loaded_is_asked_and_one_that_failed_comes_last() {
        let upstreams = Upstreams::new(&[config(1, &["m"]), config(2, &["m"]), config(3, &["other"])]);
        let servers = upstreams.of("m").unwrap();
        let (one, two) = (&upstreams.all[0], &upstreams.all[1]);
        let _place = one.queue.enter(0).await.unwrap();
        assert_eq!(servers.choose(&[], 0).unwrap().provider, two.provider);
        two.avoid(1_000);
        assert_eq!(servers.choose(&[], 1_500).unwrap().provider, one.provider);
        assert_eq!(servers.choose(&[], 1_000 + AVOID_MS).unwrap().provider, two.provider);
        assert_eq!(
            servers.choose(std::slice::from_ref(&one.provider), 1_500).unwrap().provider,
            two.provider
        );
        assert!(servers.choose(&[one.provider.clone(), two.provider.clone()], 0).is_none());
        assert!(upstreams.of("nobody serves this").is_none());
    }

    #[test]
    fn addresses_are_made_of_the_configured_host() {
        let upstreams = Upstreams::new(&[config(1, &["m"])]);
        let upstream = &upstreams.all[0];
        assert_eq!(upstream.uri(Endpoint::Chat), "http://127.0.0.1:1/v1/chat/completions");
        assert_eq!(upstream.uri(Endpoint::Completions), "http://127.0.0.1:1/v1/completions");
        assert_eq!(upstream.claims, "http://127.0.0.1:1/v1/claims");
    }
}
