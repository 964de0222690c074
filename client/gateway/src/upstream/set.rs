//! All upstreams, replaced as a whole while requests are served.
//!
//! A request takes what it needs of a set once and keeps it: the next set changes nothing for requests in flight. An upstream
//! that is configured as before is the same one in the next set, with its queue, its circuit and all that was learned of it.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use arc_swap::ArcSwap;
use http::HeaderValue;
use parking_lot::Mutex;
use stipend_primitives::{evidence::EvidencePolicy, AccountId, BlockNumber, ClassId};
use tokio::task::{AbortHandle, JoinSet};

use super::{watch, Servers, Upstream};
use crate::{chain::Evidence, client::HttpClient, config::UpstreamConfig};

/// Who serves what, as of one configuration.
#[derive(Default)]
pub(crate) struct UpstreamSet {
    pub(crate) all: Vec<Arc<Upstream>>,
    by_model: HashMap<String, Arc<Servers>>,
}

impl UpstreamSet {
    /// The models that somebody serves.
    pub(crate) fn models(&self) -> impl Iterator<Item = &str> {
        self.by_model.keys().map(String::as_str)
    }

    fn of(&self, provider: &AccountId) -> Option<&Arc<Upstream>> {
        self.all.iter().find(|upstream| upstream.provider == *provider)
    }

    fn holds(&self, upstream: &Arc<Upstream>) -> bool {
        self.all.iter().any(|held| Arc::ptr_eq(held, upstream))
    }
}

/// All upstreams.
pub(crate) struct Upstreams {
    set: ArcSwap<UpstreamSet>,
    /// What classes ask for.
    asked: ArcSwap<HashMap<ClassId, EvidencePolicy>>,
    client: HttpClient,
    kept: Mutex<Kept>,
}

/// What outlives a set. Locked by those who change something, never by requests.
#[derive(Default)]
struct Kept {
    suspended: HashSet<AccountId>,
    attested_until: HashMap<AccountId, BlockNumber>,
    /// The newest upstream of every provider of this run: claims are due to those, too, that were taken out.
    known: HashMap<AccountId, Arc<Upstream>>,
    watched: Vec<(Arc<Upstream>, AbortHandle)>,
    watches: JoinSet<()>,
}

impl Upstreams {
    /// Upstreams with connections of `client`, except where one trusts a certificate authority of its own.
    pub(crate) fn new(configs: &[UpstreamConfig], client: HttpClient) -> std::io::Result<Self> {
        let (set, asked, kept) = Default::default();
        let upstreams = Upstreams { set, asked, client, kept };
        upstreams.install(upstreams.prepare(configs)?);
        Ok(upstreams)
    }

    /// The set that a configuration asks for. Nobody sees it before it is installed.
    pub(crate) fn prepare(&self, configs: &[UpstreamConfig]) -> std::io::Result<UpstreamSet> {
        let kept = self.kept.lock();
        // Whoever comes back is the one it was: what it still serves counts.
        let upstream = |config: &UpstreamConfig| match kept.known.get(&config.provider) {
            Some(same) if same.is_as(config) => Ok(same.clone()),
            before => Upstream::new(config, &self.client, before.map(Arc::as_ref)).map(Arc::new),
        };
        let all: Vec<Arc<Upstream>> = configs.iter().map(upstream).collect::<Result<_, _>>()?;
        let mut by_model: HashMap<String, Vec<Arc<Upstream>>> = HashMap::new();
        for (config, upstream) in configs.iter().zip(&all) {
            for model in &config.models {
                by_model.entry(model.clone()).or_default().push(upstream.clone());
            }
        }
        let servers = |(model, upstreams)| (model, Arc::new(Servers { upstreams }));
        Ok(UpstreamSet { all, by_model: by_model.into_iter().map(servers).collect() })
    }

    /// What is asked from now on. Requests in flight, and those that wait in a queue, end where they are.
    pub(crate) fn install(&self, next: UpstreamSet) {
        let next = Arc::new(next);
        let mut kept = self.kept.lock();
        let Kept { suspended, attested_until, known, .. } = &mut *kept;
        for upstream in &next.all {
            // Ahead of the first request that could be sent there.
            upstream.set_suspended(suspended.contains(&upstream.provider));
            upstream.set_attested_until(attested_until.get(&upstream.provider).copied());
            known.insert(upstream.provider.clone(), upstream.clone());
        }
        let before = self.set.swap(next.clone());
        for gone in before.all.iter().filter(|upstream| next.of(&upstream.provider).is_none()) {
            let requests = gone.load();
            tracing::info!(provider = %gone.address, requests, "a provider is asked no more; its requests end there");
        }
    }

    /// Looks after those that are to be looked after, and no more after those that were taken out or replaced. `name` is
    /// this gateway's account, as attestors are told it.
    pub(crate) fn watch(&self, name: &HeaderValue) {
        let mut kept = self.kept.lock();
        let Kept { watched, watches, .. } = &mut *kept;
        let set = self.set.load();
        watched.retain(|(upstream, watch)| {
            let stays = set.holds(upstream);
            if !stays {
                watch.abort();
            }
            stays
        });
        while watches.try_join_next().is_some() {}
        for upstream in set.all.iter().filter(|upstream| !upstream.health_every.is_zero()) {
            if !watched.iter().any(|(known, _)| Arc::ptr_eq(known, upstream)) {
                let watch = watches.spawn(watch::watch(upstream.clone(), name.clone()));
                watched.push((upstream.clone(), watch));
            }
        }
    }

    /// As of the newest configuration that was taken in.
    pub(crate) fn set(&self) -> Arc<UpstreamSet> {
        self.set.load_full()
    }

    /// Who serves a model.
    pub(crate) fn of(&self, model: &str) -> Option<Arc<Servers>> {
        self.set.load().by_model.get(model).cloned()
    }

    /// How a provider is reached, or was last, if it was taken out.
    pub(crate) fn known(&self, provider: &AccountId) -> Option<Arc<Upstream>> {
        self.kept.lock().known.get(provider).cloned()
    }

    /// Takes in which providers are suspended, and which no longer.
    pub(crate) fn set_suspended(&self, suspended: &HashSet<AccountId>) {
        let mut kept = self.kept.lock();
        for upstream in &self.set.load().all {
            upstream.set_suspended(suspended.contains(&upstream.provider));
        }
        kept.suspended.clone_from(suspended);
    }

    /// Takes in the evidence in force and what classes ask for.
    pub(crate) fn set_evidence(&self, evidence: Evidence) {
        let mut kept = self.kept.lock();
        for upstream in &self.set.load().all {
            upstream.set_attested_until(evidence.until.get(&upstream.provider).copied());
        }
        kept.attested_until = evidence.until;
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
}
