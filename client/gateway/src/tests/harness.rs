//! A whole gateway between a chain in memory and providers that do what they are told.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{header, HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{json, Value};
use stipend_primitives::{key::KeyLimits, AccountId, ClassId, Credits};
use stipend_sdk::Signer;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::watch};

use super::{fake_chain::FakeChain, fake_upstream::FakeUpstream};
use crate::{
    client::HttpClient,
    config::{
        BatchLimits, BreakerConfig, Config, Limits, Operate, Priorities, Receipts, Reservations,
        UpstreamConfig,
    },
    server,
    start::{self, Engine},
};

/// The key of [`Setup::owner`].
pub(super) const KEY: &str = "sk-stipend-test";

pub(super) const MILLION: Credits = 1_000_000;

pub(super) struct Setup {
    pub(super) chain: Arc<FakeChain>,
    pub(super) upstreams: Vec<Arc<FakeUpstream>>,
    pub(super) engine: Option<Engine>,
    pub(super) address: SocketAddr,
    pub(super) owner: AccountId,
    pub(super) config: Config,
    client: HttpClient,
    _dir: TempDir,
    stop: watch::Sender<bool>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {:?}", self.body))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    /// The error's code, which must come in OpenAI's form.
    pub(super) fn code(&self) -> String {
        let error = self.json()["error"].clone();
        assert!(error["message"].is_string() && error["type"].is_string(), "{error}");
        error["code"].as_str().unwrap().to_owned()
    }

    pub(super) fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

impl Setup {
    /// A gateway with one provider of "m" and "premium", and an owner with a million credits.
    pub(super) async fn new() -> Self {
        Self::with(1, |_| ()).await
    }

    pub(super) async fn with(providers: u8, adapt: impl FnOnce(&mut Config)) -> Self {
        let signer = Signer::generate();
        let chain = FakeChain::new(signer.account());
        let owner = AccountId::new([7; 32]);
        chain.change(|ledger| {
            ledger.endow(&owner, ClassId::INNOVATION, 1_000_000 * MILLION);
            ledger.set_key(KEY, &owner, KeyLimits::default());
        });
        chain.produce();
        chain.run();
        let mut upstreams = Vec::new();
        for _ in 0..providers {
            upstreams.push(FakeUpstream::start().await);
        }
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(signer, dir.path().join("data"), &upstreams);
        adapt(&mut config);
        let client = HttpClient::new().unwrap();
        let (stop, _) = watch::channel(false);
        let address = "127.0.0.1:0".parse().unwrap();
        let mut setup =
            Setup { chain, upstreams, engine: None, address, owner, config, client, _dir: dir, stop };
        setup.start().await;
        setup
    }

    pub(super) async fn start(&mut self) {
        let engine = start::start(&self.config, self.chain.clone()).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        self.address = listener.local_addr().unwrap();
        self.stop = watch::channel(false).0;
        tokio::spawn(server::serve(listener, engine.state.clone(), self.stop.subscribe()));
        self.engine = Some(engine);
    }

    /// Ends the gateway as a crash would: tasks stop wherever they are.
    pub(super) async fn crash(&mut self) {
        self.stop.send_replace(true);
        let Engine { state, mut tasks } = self.engine.take().unwrap();
        tasks.shutdown().await;
        until("the gateway is gone", || Arc::strong_count(&state) == 1).await;
        drop(state);
    }

    /// Gives the order to stop.
    pub(super) fn stop(&self) {
        self.stop.send_replace(true);
    }

    pub(super) fn engine(&self) -> &Engine {
        self.engine.as_ref().unwrap()
    }

    pub(super) async fn send(&self, request: Request<Full<Bytes>>) -> Got {
        let response = self.client.send(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Got { status: head.status, headers: head.headers, body }
    }

    pub(super) fn request(&self, path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
        Request::builder()
            .method(Method::POST)
            .uri(format!("http://{}{path}", self.address))
            .header(header::AUTHORIZATION, format!("Bearer {KEY}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body.into()))
            .unwrap()
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Got {
        self.send(self.request(path, body.to_string())).await
    }

    /// A chat with one message.
    pub(super) async fn chat(&self, prompt: &str) -> Got {
        self.post("/v1/chat/completions", chat(prompt)).await
    }

    pub(super) async fn get(&self, path: &str) -> Got {
        let mut request = self.request(path, "");
        *request.method_mut() = Method::GET;
        self.send(request).await
    }

    /// Waits until the chain has `count` receipts of this gateway.
    pub(super) async fn charged(&self, count: usize) {
        until("the chain has the receipts", || self.chain.now(|ledger| ledger.digests.len()) >= count).await;
        assert_eq!(self.chain.now(|ledger| ledger.digests.len()), count);
    }

    /// Waits until a key can be used.
    pub(super) async fn knows(&self, key: &str) {
        let hash = stipend_primitives::key::hash(key);
        until("the key is known", || self.engine().state.keys.get(&hash).is_some()).await;
    }

    /// What the owner has spent in a class.
    pub(super) fn spent(&self, class: ClassId) -> Credits {
        self.chain.now(|ledger| ledger.pot(&self.owner, class).spent)
    }

    /// Receipts in the log.
    pub(super) fn recorded(&self) -> u64 {
        self.engine().state.receipts.next_position()
    }

    /// What requests in flight hold.
    pub(super) fn held(&self) -> i64 {
        let wallet = self.engine().state.wallets.get(&self.owner).unwrap();
        wallet.accounts().iter().map(|account| account.figures().held).sum()
    }
}

pub(super) fn chat(prompt: &str) -> Value {
    json!({"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": prompt}]})
}

/// The price of what the fake upstream serves, in book 1.
pub(super) fn price(completion_tokens: u64) -> Credits {
    Credits::from(super::fake_upstream::PROMPT_TOKENS + 10 * completion_tokens + 5)
}

/// Waits for something that must happen.
pub(super) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn config(signer: Signer, data_dir: std::path::PathBuf, upstreams: &[Arc<FakeUpstream>]) -> Config {
    let upstream = |(index, upstream): (usize, &Arc<FakeUpstream>)| UpstreamConfig {
        provider: AccountId::new([100 + index as u8; 32]),
        scheme: http::uri::Scheme::HTTP,
        authority: upstream.address.to_string().parse().unwrap(),
        token: "Bearer shared".parse().unwrap(),
        models: vec!["m".into(), "premium".into()],
        ca: None,
        concurrency_max: 64,
        concurrency_learned: false,
        queue_max: 64,
        queue_wait_max: Duration::from_secs(5),
        answer_wait_max: Duration::from_secs(5),
        silence_max: Duration::from_secs(2),
        ageing: Duration::from_secs(5),
        priorities: Priorities::Off,
        breaker: BreakerConfig { failures_max: 1_000, ..BreakerConfig::default() },
        health_every: Duration::ZERO,
        signs: true,
    };
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        chain: "ws://nowhere".into(),
        signer,
        data_dir,
        reservations: Reservations {
            target: 100 * MILLION,
            low_water: 10 * MILLION,
            lifetime: Duration::from_secs(86_400),
            wait_max: Duration::from_secs(3),
        },
        batch: BatchLimits { interval: Duration::from_millis(5), receipts_max: 1_000 },
        receipts: Receipts::default(),
        limits: Limits::default(),
        upstreams: upstreams.iter().enumerate().map(upstream).collect(),
        jobs: None,
        waste: None,
        operate: Operate::default(),
    }
}
