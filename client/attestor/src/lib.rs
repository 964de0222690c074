//! Meters what an inference engine serves and signs it.
//!
//! The attestor stands between a gateway and a provider's engine (anything that speaks OpenAI's
//! protocol). It counts on its own from the engine's answers, makes each count durable before the
//! gateway sees the answer's end, and signs one attestation for every range of requests that the
//! gateway claims: one, ever, whatever crashes.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | `attestor.toml`, checked as a whole |
//! | [`secret`] | key and tokens, in types that cannot be printed |
//! | `proxy` | one request: admit, forward, meter |
//! | `store` | what was metered, claimed and attested |
//! | `engine` | the engine, which one it is, and what its own counters say |
//! | `gpu` | GPU time and energy of requests |
//! | `evidence` | what proves that a GPU stands behind the key |
//! | `http`, `server`, `metrics` | paths, connections, figures |
//! | `outbound` | asking services beside the attestor |

pub mod config;
mod engine;
mod evidence;
mod gpu;
mod http;
mod metrics;
mod outbound;
mod proxy;
pub mod secret;
mod server;
mod store;

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{atomic::AtomicU64, Arc},
    time::Duration,
};

use ::http::HeaderValue;
use sp_core::H256;
use stipend_forward::{ForwardKey, Parties};
use stipend_primitives::AccountId;
use tokio::{
    net::TcpListener,
    sync::{watch, Semaphore},
    task::JoinHandle,
};

pub use config::{Config, Faults};
pub use engine::EngineKind;
pub use store::OpenError;

use crate::{
    config::{GatewayConfig, Limits, ModelConfig},
    engine::{cross_check, Engine},
    evidence::Evidence,
    gpu::Gpu,
    metrics::Metrics,
    outbound::Outbound,
    store::{now_ms, Store},
};

/// Time between two rounds of forgetting.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// Time that requests at the engine get to end when the attestor stops.
const STOP_MAX: Duration = Duration::from_secs(30);

/// What all tasks share.
struct App {
    store: Store,
    engine: Engine,
    evidence: Evidence,
    gpu: Gpu,
    metrics: Metrics,
    gateways: HashMap<AccountId, GatewayConfig>,
    /// Whether the engine is tried where it does not say how it schedules.
    try_priorities: bool,
    /// What each of them proves its requests with; none where its account is no key.
    forward_keys: HashMap<AccountId, ForwardKey>,
    /// This provider's public key, as gateways are told it.
    key_name: HeaderValue,
    models: Vec<ModelConfig>,
    provider: AccountId,
    genesis: H256,
    limits: Limits,
    /// One place for each request at the engine.
    places: Arc<Semaphore>,
    /// Requests whose usage is still to be understated.
    misreport: AtomicU64,
}

/// Why an attestor does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// What it has stored cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// A running attestor.
pub struct Attestor {
    app: Arc<App>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    helpers: Vec<JoinHandle<()>>,
}

impl Attestor {
    /// Opens the store and begins to serve.
    pub async fn start(config: Config) -> Result<Attestor, StartError> {
        let address = config.listen;
        let app = Arc::new(App::open(config)?);
        // An engine that runs already is known before the first request comes.
        let is_known = app.engine.detect().await.is_ok();
        let listen = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let (stop, stopped) = watch::channel(false);
        let router = http::router(app.clone());
        let server = tokio::spawn(server::serve(listener, router, app.limits.connections_max, stopped));
        let mut helpers = vec![tokio::spawn(sweep(app.clone()))];
        if !is_known {
            helpers.push(tokio::spawn(engine::detect(app.clone())));
        }
        helpers.push(tokio::spawn(engine::schedule::run(app.clone())));
        if app.gpu.is_measured() {
            helpers.push(tokio::spawn(gpu::run(app.gpu.clone())));
        }
        if app.limits.scrape_ms > 0 {
            let every = Duration::from_millis(app.limits.scrape_ms);
            helpers.push(tokio::spawn(cross_check::run(app.clone(), every)));
        }
        Ok(Attestor { app, address, stop, server, helpers })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests and waits for those at the engine, for a bounded time. What is cut off
    /// then is not metered, and its gateway has not seen its end either.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let ended = async {
            // The server has run to its end or panicked; either way it serves no more.
            let _ = self.server.await;
            let _ = self.app.places.acquire_many(self.app.limits.requests_max).await;
        };
        if tokio::time::timeout(STOP_MAX, ended).await.is_err() {
            tracing::warn!("requests at the engine are cut off: they took too long to end");
        }
        for helper in self.helpers {
            helper.abort();
        }
    }
}

impl App {
    fn open(config: Config) -> Result<App, OpenError> {
        if config.misreport > 0 {
            tracing::warn!(
                requests = config.misreport,
                "THIS ATTESTOR MISREPORTS ON PURPOSE: it understates what it served. Only for tests"
            );
        }
        let outbound = Outbound::new();
        let forward_keys = config.gateways.iter().filter_map(|gateway| {
            let Config { genesis, provider, .. } = &config;
            let parties = Parties { genesis, gateway: &gateway.account, provider };
            let key = config.key.forward_key(gateway.account.as_ref(), &parties)?;
            Some((gateway.account.clone(), key))
        });
        let key_name = hex::encode(config.key.public());
        Ok(App {
            forward_keys: forward_keys.collect(),
            key_name: HeaderValue::from_str(&key_name).expect("hex digits are a header's value; qed"),
            engine: Engine::new(&config.engine, outbound.clone()),
            evidence: Evidence::new(config.evidence.clone(), outbound),
            gpu: Gpu::of(config.gpu.as_ref()),
            metrics: Metrics::new(),
            gateways: config
                .gateways
                .iter()
                .map(|gateway| (gateway.account.clone(), gateway.clone()))
                .collect(),
            try_priorities: config.engine.try_priorities,
            models: config.models.clone(),
            provider: config.provider.clone(),
            genesis: config.genesis,
            limits: config.limits.clone(),
            places: Arc::new(Semaphore::new(config.limits.requests_max as usize)),
            misreport: AtomicU64::new(config.misreport),
            store: Store::open(config)?,
        })
    }
}

/// Forgets what nobody will ask for, again and again.
async fn sweep(app: Arc<App>) {
    loop {
        if let Err(error) = app.store.sweep(now_ms()).await {
            tracing::error!(%error, "old ranges and requests cannot be forgotten");
        }
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}
