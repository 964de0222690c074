//! Telling providers which of their requests stand where in a batch.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{header, Method, Request, StatusCode};
use http_body_util::Full;
use stipend_primitives::{AccountId, Sequence};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{compose::ClosedBatch, work::Work};
use crate::upstream::{Upstream, Upstreams};

/// How long a claim is worth sending: by then validators have settled without the provider.
const PATIENCE: Duration = Duration::from_secs(600);

const ANSWER_WAIT_MAX: Duration = Duration::from_secs(10);
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

struct Parcel {
    first_seq: Sequence,
    body: Bytes,
    since: Instant,
}

/// Where claims are handed over; one task per provider delivers them in order.
pub(crate) struct Claims {
    upstreams: Arc<Upstreams>,
    work: Arc<Work>,
    desks: HashMap<AccountId, mpsc::UnboundedSender<Parcel>>,
    tasks: JoinSet<()>,
}

impl Claims {
    pub(crate) fn new(upstreams: Arc<Upstreams>, work: Arc<Work>) -> Self {
        Claims { upstreams, work, desks: HashMap::new(), tasks: JoinSet::new() }
    }

    /// Hands the claims of a batch over.
    pub(crate) fn post(&mut self, batch: &ClosedBatch) {
        let since = Instant::now();
        for (provider, body) in &batch.claims {
            let parcel = Parcel { first_seq: batch.first_seq, body: body.clone(), since };
            let posted = self.desk(provider).is_some_and(|desk| desk.send(parcel).is_ok());
            if !posted {
                // Its upstream was taken out of the configuration before this run: nobody knows where it answers.
                tracing::warn!(provider = %provider, "a provider without an upstream gets no claim");
                self.work.claimed(batch.first_seq, provider);
            }
        }
    }

    /// The desk of a provider that is, or was in this run, an upstream.
    fn desk(&mut self, provider: &AccountId) -> Option<&mpsc::UnboundedSender<Parcel>> {
        if !self.desks.contains_key(provider) {
            self.upstreams.known(provider)?;
            let (sender, receiver) = mpsc::unbounded_channel();
            let (upstreams, work) = (self.upstreams.clone(), self.work.clone());
            self.tasks.spawn(deliver(upstreams, provider.clone(), work, receiver));
            self.desks.insert(provider.clone(), sender);
        }
        self.desks.get(provider)
    }
}

async fn deliver(
    upstreams: Arc<Upstreams>,
    provider: AccountId,
    work: Arc<Work>,
    mut parcels: mpsc::UnboundedReceiver<Parcel>,
) {
    while let Some(parcel) = parcels.recv().await {
        deliver_one(&upstreams, &provider, &parcel).await;
        work.claimed(parcel.first_seq, &provider);
    }
}

/// Tries until the provider has the claim, has contradicted it, or it is too late.
async fn deliver_one(upstreams: &Upstreams, provider: &AccountId, parcel: &Parcel) {
    let mut pause = PAUSE_MIN;
    let first_seq = parcel.first_seq;
    // Each time as it is configured then: its address or its secret may be what was wrong.
    while let Some(upstream) = upstreams.known(provider) {
        let trouble = match timeout(ANSWER_WAIT_MAX, post(&upstream, &parcel.body)).await {
            Ok(Ok(status)) if status.is_success() => return,
            Ok(Ok(StatusCode::CONFLICT)) => {
                tracing::error!(
                    first_seq,
                    provider = %upstream.address,
                    "the provider holds another claim of this gateway for this batch: two gateways use one key, \
                     or this one lost its data folder; the provider's part will be settled without it"
                );
                return;
            }
            Ok(Ok(status)) => format!("it answered {status}"),
            Ok(Err(error)) => error,
            Err(_) => "it did not answer in time".to_owned(),
        };
        if parcel.since.elapsed() >= PATIENCE {
            tracing::error!(first_seq, provider = %upstream.address, trouble, "a claim was not delivered");
            return;
        }
        tracing::warn!(first_seq, provider = %upstream.address, trouble, "a claim waits for its provider");
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

async fn post(upstream: &Upstream, body: &Bytes) -> Result<StatusCode, String> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(upstream.claims.clone())
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::AUTHORIZATION, upstream.token.clone())
        .body(Full::new(body.clone()))
        .map_err(|error| error.to_string())?;
    upstream.client.send(request).await.map(|response| response.status()).map_err(|error| error.to_string())
}
