//! What the hot path and the tasks behind it share.

use std::sync::{
    atomic::{AtomicUsize, Ordering},
    Arc,
};

use arc_swap::ArcSwap;
use blake2::{digest::consts::U32, Blake2b, Digest};
use http::HeaderValue;
use stipend_primitives::{key, Moment};
use stipend_receipt_log::Log;
use stipend_sdk::Signer;
use tokio::sync::{mpsc, Semaphore};
use zeroize::Zeroizing;

use crate::{
    chain::Records,
    config::{Limits, Reservations},
    jobs::Jobs,
    kept::Kept,
    keys::KeyTable,
    live::Live,
    metrics::Metrics,
    pipeline::compose::Pen,
    prices::Prices,
    server::Tls,
    status::{Refusal, Status},
    telemetry::{Otlp, RequestSpans},
    upstream::Upstreams,
    wallet::Account,
    wallets::Wallets,
    waste::Waste,
};

/// Receipts looked up at a time: each reads a segment of the log, and requests go first.
const LOOKUPS_MAX: usize = 4;

pub(crate) struct State {
    /// As of the newest configuration that was taken in.
    pub(crate) limits: Live<Limits>,
    /// What callers speak TLS with; `None`: they speak plain HTTP.
    pub(crate) tls: Option<Tls>,
    pub(crate) reservations: Reservations,
    /// See [`crate::config::Config::expiry_margin`].
    pub(crate) expiry_margin_ms: u64,
    pub(crate) keys: KeyTable,
    pub(crate) wallets: Arc<Wallets>,
    pub(crate) prices: Arc<ArcSwap<Prices>>,
    pub(crate) status: Arc<Status>,
    pub(crate) upstreams: Arc<Upstreams>,
    pub(crate) metrics: Metrics,
    /// What is exported to a collector, if there is one.
    pub(crate) otlp: Option<Otlp>,
    pub(crate) spans: RequestSpans,
    /// The durable log of receipts.
    pub(crate) receipts: Log,
    pub(crate) kept: Arc<Kept>,
    /// Receipts that are being looked up.
    pub(crate) lookups: Semaphore,
    /// What the chain says of them.
    pub(crate) records: Arc<dyn Records>,
    /// Accounts that need a top-up.
    pub(crate) wanted: mpsc::UnboundedSender<Arc<Account>>,
    /// Signs what this gateway says of a receipt.
    pub(crate) pen: Pen,
    pub(crate) secret: DigestSecret,
    /// Batch work; `None`: it is not taken.
    pub(crate) jobs: Option<Jobs>,
    /// Looks for waste; `None`: nobody does.
    pub(crate) waste: Option<Waste>,
    /// This gateway's account, as providers are told it.
    pub(crate) name: HeaderValue,
    in_flight: AtomicUsize,
}

/// Keys the digests of requests. Derived from the gateway's key, so that it needs no file of its own.
pub(crate) struct DigestSecret(pub(crate) Zeroizing<[u8; 32]>);

impl DigestSecret {
    pub(crate) fn of(signer: &Signer) -> Self {
        // An ed25519 signature is the same every time, and nobody else ever sees this one.
        let label = key::hash("stipend-gateway: the secret that keys request digests");
        let signature = Zeroizing::new(signer.sign(&label.0));
        DigestSecret(Zeroizing::new(Blake2b::<U32>::digest(&signature[..]).into()))
    }
}

/// Everything that [`State`] is made of besides its own counters.
pub(crate) struct Parts {
    pub(crate) limits: Limits,
    pub(crate) tls: Option<Tls>,
    pub(crate) reservations: Reservations,
    pub(crate) expiry_margin_ms: u64,
    pub(crate) wallets: Arc<Wallets>,
    pub(crate) upstreams: Arc<Upstreams>,
    pub(crate) metrics: Metrics,
    pub(crate) otlp: Option<Otlp>,
    pub(crate) receipts: Log,
    pub(crate) kept: Arc<Kept>,
    pub(crate) records: Arc<dyn Records>,
    pub(crate) wanted: mpsc::UnboundedSender<Arc<Account>>,
    pub(crate) pen: Pen,
    pub(crate) jobs: Option<Jobs>,
    pub(crate) waste: Option<Waste>,
}

impl State {
    pub(crate) fn new(parts: Parts) -> Self {
        let account = hex::encode(parts.pen.signer.public());
        State {
            limits: Live::new(parts.limits),
            tls: parts.tls,
            reservations: parts.reservations,
            expiry_margin_ms: parts.expiry_margin_ms,
            keys: KeyTable::default(),
            wallets: parts.wallets,
            prices: Arc::default(),
            status: Arc::default(),
            upstreams: parts.upstreams,
            metrics: parts.metrics,
            spans: parts.otlp.as_ref().map(Otlp::spans).unwrap_or_default(),
            otlp: parts.otlp,
            receipts: parts.receipts,
            kept: parts.kept,
            lookups: Semaphore::new(LOOKUPS_MAX),
            records: parts.records,
            wanted: parts.wanted,
            secret: DigestSecret::of(&parts.pen.signer),
            pen: parts.pen,
            jobs: parts.jobs,
            waste: parts.waste,
            name: HeaderValue::from_str(&account).expect("hex digits are a header's value; qed"),
            in_flight: AtomicUsize::new(0),
        }
    }

    /// Why nothing new is admitted; `None` while all is well.
    pub(crate) fn refusal(&self, now_ms: Moment) -> Option<Refusal> {
        if let Some(error) = self.receipts.failure() {
            return Some(Refusal::lasting(format!("receipts cannot be written: {error}")));
        }
        self.status.refusal(&self.limits, self.receipts.next_position(), now_ms)
    }

    /// Asks for a top-up of an account.
    pub(crate) fn want(&self, account: &Arc<Account>, amount: crate::credits::Micro) {
        if account.want(amount) && self.wanted.send(account.clone()).is_err() {
            tracing::debug!("the task that tops reservations up is gone");
        }
    }

    /// Requests being served or waiting.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Counts a request as long as the value lives; `None` if there are too many.
    pub(crate) fn enter(self: &Arc<Self>) -> Option<InFlight> {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let entered = InFlight(self.clone());
        (before < self.limits.requests_in_flight_max).then_some(entered)
    }
}

/// A request that is being served.
pub(crate) struct InFlight(Arc<State>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
