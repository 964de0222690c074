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
    time::{sleep, timeout},
};

use super::{compose::ClosedBatch, work::Work};
use crate::upstream::Upstream;

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
#[derive(Clone, Default)]
pub(crate) struct Claims(HashMap<AccountId, mpsc::UnboundedSender<Parcel>>);

impl Claims {
    /// Starts a task for each upstream.
    pub(crate) fn start(
        upstreams: &[Arc<Upstream>],
        work: &Arc<Work>,
        tasks: &mut tokio::task::JoinSet<()>,
    ) -> Self {
        let mut desks = HashMap::new();
        for upstream in upstreams {
            let (sender, receiver) = mpsc::unbounded_channel();
            desks.insert(upstream.provider.clone(), sender);
            tasks.spawn(deliver(upstream.clone(), work.clone(), receiver));
        }
        Claims(desks)
    }

    /// Hands the claims of a batch over.
    pub(crate) fn post(&self, batch: &ClosedBatch, work: &Work) {
        let since = Instant::now();
        for (provider, body) in &batch.claims {
            let parcel = Parcel { first_seq: batch.first_seq, body: body.clone(), since };
            let posted = self.0.get(provider).is_some_and(|desk| desk.send(parcel).is_ok());
            if !posted {
                // Its upstream was taken out of the configuration: nobody knows where it answers.
                tracing::warn!(provider = %provider, "a provider without an upstream gets no claim");
                work.claimed(batch.first_seq, provider);
            }
        }
    }
}

async fn deliver(upstream: Arc<Upstream>, work: Arc<Work>, mut parcels: mpsc::UnboundedReceiver<Parcel>) {
    while let Some(parcel) = parcels.recv().await {
        deliver_one(&upstream, &parcel).await;
        work.claimed(parcel.first_seq, &upstream.provider);
    }
}

/// Tries until the provider has the claim, has contradicted it, or it is too late.
async fn deliver_one(upstream: &Upstream, parcel: &Parcel) {
    let mut pause = PAUSE_MIN;
    let first_seq = parcel.first_seq;
    loop {
        let trouble = match timeout(ANSWER_WAIT_MAX, post(upstream, &parcel.body)).await {
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
