//! The providers' attestors, and which of them serves a request.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use http::{uri::PathAndQuery, HeaderValue, Uri};
use sp_core::crypto::Ss58Codec;
use stipend_openai::ApiError;
use stipend_primitives::{evidence::EvidencePolicy, AccountId, BlockNumber, ClassId, Moment};

use crate::{chain::Evidence, config::UpstreamConfig, forward::Proof, queue::Queue};

/// How long an upstream that failed is asked only if no other can be.
const AVOID_MS: u64 = 2_000;

/// Seconds after which a provider may have shown evidence.
const EVIDENCE_RETRY_S: u32 = 60;

/// Blocks before its end at which evidence is no longer counted on: a request takes its time, and its batch is
/// in a block only afterwards. A third of the shortest time for which evidence can be in force.
const EVIDENCE_MARGIN_BLOCKS: BlockNumber = 10;

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
    suspended: AtomicBool,
    /// First block in which its evidence counts no longer; 0: it has none.
    attested_until: AtomicU32,
    /// Whether requests to it carry this gateway's signature.
    pub(crate) signs: bool,
    pub(crate) proof: Proof,
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
            suspended: AtomicBool::new(false),
            attested_until: AtomicU32::new(0),
            signs: config.signs,
            proof: Proof::default(),
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

    /// Whether its evidence is in force when a request that begins at `block` is in a batch.
    pub(crate) fn is_attested(&self, block: BlockNumber) -> bool {
        block.saturating_add(EVIDENCE_MARGIN_BLOCKS) < self.attested_until.load(Ordering::Relaxed)
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
    /// The one to ask next: not avoided if possible, then one with evidence where that is asked for, then the
    /// least loaded. Those that would not be paid and `tried` are left out.
    pub(crate) fn choose(&self, tried: &[AccountId], asked: Asked, now_ms: Moment) -> Option<Arc<Upstream>> {
        let left = self.upstreams.iter().filter(|upstream| !tried.contains(&upstream.provider));
        let order = |upstream: &&Arc<Upstream>| {
            let lacks = asked.policy != EvidencePolicy::None && !upstream.is_attested(asked.block);
            (upstream.is_avoided(now_ms), lacks, upstream.load())
        };
        left.filter(|upstream| asked.is_met_by(upstream)).min_by_key(order).cloned()
    }

    /// Why nobody may be asked; `None` if somebody may.
    pub(crate) fn refusal(&self, asked: Asked) -> Option<ApiError> {
        if self.upstreams.iter().all(|upstream| upstream.is_suspended()) {
            return Some(providers_suspended());
        }
        let is_met = self.upstreams.iter().any(|upstream| asked.is_met_by(upstream));
        (!is_met).then(evidence_required)
    }
}

/// What a request asks of whoever serves it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// The strictest policy of the classes that pay for it.
    pub(crate) policy: EvidencePolicy,
    /// The newest block.
    pub(crate) block: BlockNumber,
}

impl Asked {
    /// Whether a provider would be paid.
    pub(crate) fn is_met_by(self, upstream: &Upstream) -> bool {
        let required = self.policy == EvidencePolicy::Required;
        !upstream.is_suspended() && (!required || upstream.is_attested(self.block))
    }
}

fn providers_suspended() -> ApiError {
    ApiError::new(
        503,
        "api_error",
        "providers_suspended",
        "The chain has suspended every provider of this model, so nothing of it is served. Choose another model; \
         the council can reinstate a provider.",
    )
}

fn evidence_required() -> ApiError {
    ApiError::new(
        503,
        "api_error",
        "evidence_required",
        "The class that pays for this model demands attested GPUs, and no provider of the model has evidence in \
         force now. Choose another model, or try again later: evidence is looked at every few minutes.",
    )
    .with_retry_after(EVIDENCE_RETRY_S)
}

/// All upstreams.
pub(crate) struct Upstreams {
    pub(crate) all: Vec<Arc<Upstream>>,
    by_model: HashMap<String, Arc<Servers>>,
    /// What classes ask for.
    asked: ArcSwap<HashMap<ClassId, EvidencePolicy>>,
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
        Upstreams { all, by_model, asked: ArcSwap::default() }
    }

    /// Who serves a model.
    pub(crate) fn of(&self, model: &str) -> Option<&Arc<Servers>> {
        self.by_model.get(model)
    }

    /// Takes in which providers are suspended, and which no longer.
    pub(crate) fn set_suspended(&self, suspended: &HashSet<AccountId>) {
        for upstream in &self.all {
            upstream.set_suspended(suspended.contains(&upstream.provider));
        }
    }

    /// Takes in the evidence in force and what classes ask for.
    pub(crate) fn set_evidence(&self, evidence: Evidence) {
        for upstream in &self.all {
            let until = evidence.until.get(&upstream.provider).copied().unwrap_or(0);
            upstream.attested_until.store(until, Ordering::Relaxed);
        }
        if **self.asked.load() != evidence.asked {
            self.asked.store(Arc::new(evidence.asked));
        }
    }

    /// The stricter policy of two classes.
    pub(crate) fn asked(&self, classes: [ClassId; 2]) -> EvidencePolicy {
        let asked = self.asked.load();
        let policies = classes.map(|class| asked.get(&class).copied().unwrap_or_default());
        match policies {
            _ if policies.contains(&EvidencePolicy::Required) => EvidencePolicy::Required,
            _ if policies.contains(&EvidencePolicy::Preferred) => EvidencePolicy::Preferred,
            _ => EvidencePolicy::None,
        }
    }

    /// The suspended ones.
    pub(crate) fn suspended(&self) -> impl Iterator<Item = &Arc<Upstream>> {
        self.all.iter().filter(|upstream| upstream.is_suspended())
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

    const ANYBODY: Asked = Asked { policy: EvidencePolicy::None, block: 0 };

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
            signs: true,
        }
    }

    #[tokio::test]
    async fn the_least_loaded_is_asked_and_one_that_failed_comes_last() {
        let upstreams = Upstreams::new(&[config(1, &["m"]), config(2, &["m"]), config(3, &["other"])]);
        let servers = upstreams.of("m").unwrap();
        let (one, two) = (&upstreams.all[0], &upstreams.all[1]);
        let _place = one.queue.enter(0).await.unwrap();
        assert_eq!(servers.choose(&[], ANYBODY, 0).unwrap().provider, two.provider);
        two.avoid(1_000);
        assert_eq!(servers.choose(&[], ANYBODY, 1_500).unwrap().provider, one.provider);
        assert_eq!(servers.choose(&[], ANYBODY, 1_000 + AVOID_MS).unwrap().provider, two.provider);
        assert_eq!(
            servers.choose(std::slice::from_ref(&one.provider), ANYBODY, 1_500).unwrap().provider,
            two.provider
        );
        assert!(servers.choose(&[one.provider.clone(), two.provider.clone()], ANYBODY, 0).is_none());
        assert!(upstreams.of("nobody serves this").is_none());
    }

    #[test]
    fn a_suspended_provider_is_not_asked_until_it_is_reinstated() {
        let upstreams = Upstreams::new(&[config(1, &["m"]), config(2, &["m"])]);
        let servers = upstreams.of("m").unwrap();
        let [one, two] = [1, 2].map(|number| AccountId::new([number; 32]));
        upstreams.set_suspended(&HashSet::from([one.clone()]));
        assert_eq!(servers.choose(&[], ANYBODY, 0).unwrap().provider, two);
        assert!(servers.choose(std::slice::from_ref(&two), ANYBODY, 0).is_none());
        upstreams.set_suspended(&HashSet::from([one.clone(), two.clone()]));
        assert!(servers.choose(&[], ANYBODY, 0).is_none());
        upstreams.set_suspended(&HashSet::from([two]));
        assert_eq!(servers.choose(&[], ANYBODY, 0).unwrap().provider, one);
        assert_eq!(upstreams.suspended().count(), 1);
    }

    #[test]
    fn who_would_not_be_paid_is_not_asked_and_evidence_is_preferred_where_it_is_wished() {
        let upstreams = Upstreams::new(&[config(1, &["m"]), config(2, &["m"])]);
        let servers = upstreams.of("m").unwrap();
        let [one, two] = [1, 2].map(|number| AccountId::new([number; 32]));
        let (until, class) = (1_000, ClassId::RENDER);
        let asked = |policy, block| Asked { policy, block };
        let chosen = |policy, block, tried: &[AccountId]| {
            servers.choose(tried, asked(policy, block), 0).map(|upstream| upstream.provider.clone())
        };
        for policy in [EvidencePolicy::Required, EvidencePolicy::Preferred, EvidencePolicy::None] {
            upstreams.set_evidence(Evidence {
                until: [(two.clone(), until)].into(),
                asked: [(class, policy)].into(),
            });
            assert_eq!(upstreams.asked([class, class]), policy);
            assert_eq!(upstreams.asked([ClassId::INNOVATION, class]), policy);
            assert_eq!(upstreams.asked([ClassId::INNOVATION; 2]), EvidencePolicy::None);
        }
        assert_eq!(chosen(EvidencePolicy::None, 5, &[]), Some(one.clone()));
        assert_eq!(chosen(EvidencePolicy::Preferred, 5, &[]), Some(two.clone()));
        assert_eq!(chosen(EvidencePolicy::Preferred, 5, std::slice::from_ref(&two)), Some(one.clone()));
        assert_eq!(chosen(EvidencePolicy::Required, 5, &[]), Some(two.clone()));
        assert_eq!(chosen(EvidencePolicy::Required, 5, std::slice::from_ref(&two)), None);

        let last = until - EVIDENCE_MARGIN_BLOCKS - 1;
        assert_eq!(chosen(EvidencePolicy::Required, last, &[]), Some(two));
        assert!(servers.refusal(asked(EvidencePolicy::Required, last)).is_none());
        assert_eq!(chosen(EvidencePolicy::Required, last + 1, &[]), None);
        assert!(servers.refusal(asked(EvidencePolicy::Required, last + 1)).is_some());
        assert_eq!(chosen(EvidencePolicy::Preferred, last + 1, &[]), Some(one));
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
