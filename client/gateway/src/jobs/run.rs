//! A runner begins, and what becomes of its report.

use bytes::Bytes;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use stipend_openai::{error::ErrorObject, reshaped_error, ApiError, RequestView, UsageReader};
use stipend_primitives::{AccountId, Digest, Moment};

use super::{
    failure,
    order::{order, targets, Order},
    record::{Answer, Attempt, Charge, Stage},
    Inner, Job, Jobs,
};
use crate::{
    clock::now_ms,
    exchange::{charge, Served, NOT_RECORDED},
    server::new_digest,
    state::State,
    telemetry::RequestSpan,
};

/// Runners of one job. What a provider does for one that never reports is charged to nobody.
const ATTEMPTS_MAX: usize = 8;

/// Seconds after which what stands in the way may have passed.
pub(super) const RETRY_S: u32 = 10;

/// What a runner brings back.
pub(crate) struct Report {
    /// Which attempt it was.
    pub(crate) digest: Digest,
    pub(crate) provider: AccountId,
    /// The status that the provider answered.
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Jobs {
    /// A runner asks what to do. From here on the job has begun.
    pub(crate) async fn begin(&self, state: &State, job: &Job, inner: &mut Inner) -> Result<Order, ApiError> {
        if inner.record.stage != Stage::Pending {
            return Err(over());
        }
        if inner.record.is_cancelled {
            // The runner before this one is gone, and nobody waits for another.
            self.end(state, job, inner, Stage::Cancelled(now_ms())).await;
            return Err(over());
        }
        if let Some(refusal) = state.refusal(now_ms()) {
            return Err(refusal.answer().with_retry_after(RETRY_S));
        }
        if let Some(error) = inner.not_to_begin(state, now_ms()) {
            self.fail(state, job, inner, error).await;
            return Err(over());
        }
        if inner.record.attempts.len() >= ATTEMPTS_MAX {
            let message = format!(
                "The job was begun {ATTEMPTS_MAX} times and no runner reported. Nothing was charged; submit it again."
            );
            self.fail(state, job, inner, failure("too_many_attempts", message)).await;
            return Err(over());
        }
        let body = self.store.request(&job.id).await.map_err(|error| unreadable(job, &error))?;
        let upstreams = targets(state, inner)?;
        let digest = new_digest(&state.secret, &body);
        let order = order(state, inner, &upstreams, digest, &body)?;
        let providers = upstreams.iter().map(|upstream| upstream.provider.clone()).collect();
        inner.record.attempts.push(Attempt { digest, providers });
        if let Err(error) = self.store.put(&inner.record).await {
            // A report that names a digest which a restart does not know would be refused.
            inner.record.attempts.pop();
            return Err(unreadable(job, &error));
        }
        inner.is_suspended = false;
        job.show(inner);
        tracing::info!(job = %job.id, attempt = inner.record.attempts.len(), "a job has begun");
        Ok(order)
    }

    /// A runner brings what a provider answered. Charged once, however often it is brought.
    pub(crate) async fn report(
        &self,
        state: &State,
        job: &Job,
        inner: &mut Inner,
        report: Report,
    ) -> Result<(), ApiError> {
        match &inner.record.stage {
            Stage::Done(_) => return Ok(()),
            Stage::Failed(_) | Stage::Cancelled(_) => return Err(over()),
            // An earlier report could not be recorded.
            Stage::Answered(_) => return self.settle(state, job, inner).await,
            Stage::Pending => {}
        }
        let attempt = inner.record.attempts.iter().find(|attempt| attempt.digest == report.digest);
        if !attempt.is_some_and(|attempt| attempt.providers.contains(&report.provider)) {
            return Err(ApiError::invalid_request(
                "unknown_attempt",
                "The job has no attempt with this digest and this provider. Ask at `/begin` first.",
            ));
        }
        if report.status != 200 {
            let body = reshaped_error(inner.record.endpoint, report.status, report.body);
            self.fail(state, job, inner, refused(report.status, &body)).await;
            return Ok(());
        }
        let request = self.store.request(&job.id).await.map_err(|error| unreadable(job, &error))?;
        let view = RequestView::read(inner.record.endpoint, &request).map_err(|_| ApiError::internal())?;
        let usage = match UsageReader::of(&view).of_answer(&report.body) {
            Ok(usage) => usage,
            Err(error) => {
                tracing::warn!(%error, job = %job.id, provider = %report.provider, "a job's answer cannot be metered");
                state.metrics.unmetered.inc();
                let message = "The provider's answer does not say what it used. Nothing was charged.";
                self.fail(state, job, inner, failure("unmetered", message)).await;
                return Ok(());
            }
        };
        let answer = Answer {
            digest: report.digest,
            provider: report.provider,
            usage,
            sha256: Sha256::digest(&report.body).into(),
            bytes: report.body.len() as u64,
        };
        self.keep(job, inner, answer, report.body).await.map_err(|error| unreadable(job, &error))?;
        self.settle(state, job, inner).await
    }

    /// Puts the answer on the disk, so that a crash neither loses it nor charges it twice.
    async fn keep(&self, job: &Job, inner: &mut Inner, answer: Answer, body: Bytes) -> std::io::Result<()> {
        self.store.put_answer(&job.id, body).await?;
        let before = std::mem::replace(&mut inner.record.stage, Stage::Answered(answer));
        let put = self.store.put(&inner.record).await;
        if put.is_err() {
            inner.record.stage = before;
        }
        put
    }

    /// Makes the receipt of a job whose answer is on the disk, unless the log has it already.
    pub(super) async fn settle(&self, state: &State, job: &Job, inner: &mut Inner) -> Result<(), ApiError> {
        let Stage::Answered(answer) = inner.record.stage.clone() else { return Ok(()) };
        let cost = match inner.admitted.take() {
            // A crash came between the receipt and the record.
            Some(_) if state.kept.find(&answer.digest).is_some() => inner.record.entry.cost(&answer.usage),
            Some(admitted) => {
                let served = Served {
                    provider: &answer.provider,
                    digest: answer.digest,
                    model: &inner.record.model,
                    usage: answer.usage,
                    request_sha256: inner.record.request_sha256,
                    response_sha256: answer.sha256,
                    endpoint: inner.record.endpoint,
                    // Its request ended when it was submitted.
                    span: &RequestSpan::default(),
                };
                let charged = charge(state, admitted, served).await.map_err(|error| {
                    tracing::error!(%error, job = %job.id, "a job's receipt could not be recorded");
                    ApiError::unavailable(NOT_RECORDED)
                })?;
                charged.cost
            }
            // The log failed: only a restart says whether it has the receipt.
            None => return Err(ApiError::unavailable(NOT_RECORDED)),
        };
        tracing::info!(job = %job.id, cost, "a job is done");
        self.end(state, job, inner, Stage::Done(Charge { answer, cost, at_ms: now_ms() })).await;
        Ok(())
    }
}

impl Inner {
    /// Why a job that has not begun must not begin any more, if there is a reason. Takes in the prices in force.
    pub(super) fn not_to_begin(&mut self, state: &State, now_ms: Moment) -> Option<ErrorObject> {
        let key = state.keys.get(&self.record.key).filter(|key| !key.is_expired(now_ms));
        if key.is_none_or(|key| key.wallet.is_frozen()) {
            return Some(failure(
                "withdrawn",
                "The API key that the job was submitted with is gone, or its wallet is frozen. Nothing was charged.",
            ));
        }
        let prices = state.prices.load();
        let quote = prices.quote(&self.record.model);
        let admitted = self.admitted.as_mut()?;
        if quote.as_ref().is_some_and(|quote| quote.book == admitted.quote.book) {
            return None;
        }
        // The book that it was quoted from is about to be chargeable no more.
        let covered = quote.filter(|quote| {
            let (now, before) = (&quote.entry, &admitted.quote.entry);
            let is_same = (now.model, now.class) == (before.model, before.class);
            is_same && admitted.bound.cost(now, admitted.max_tokens) <= admitted.base.amount()
        });
        let Some(quote) = covered else {
            return Some(failure(
                "price_changed",
                "The model's price changed while the job waited, and what is held does not cover the new one. Nothing \
                 was charged; submit the job again.",
            ));
        };
        (self.record.book, self.record.entry) = (quote.book, quote.entry.clone());
        admitted.quote = quote;
        None
    }
}

/// The provider's own words, if there are any.
fn refused(status: u16, body: &[u8]) -> ErrorObject {
    #[derive(Deserialize)]
    struct Said {
        error: Words,
    }
    #[derive(Deserialize)]
    struct Words {
        message: String,
    }
    let said = serde_json::from_slice::<Said>(body).map(|said| said.error.message);
    let unsaid = |_| format!("The provider refused the request with status {status}. Nothing was charged.");
    ApiError::invalid_request("provider_refused", said.unwrap_or_else(unsaid)).error
}

/// The answer to a runner that nobody waits for.
pub(super) fn over() -> ApiError {
    ApiError::new(410, "invalid_request_error", "job_over", "The job is over: it needs no runner any more.")
}

fn unreadable(job: &Job, error: &std::io::Error) -> ApiError {
    tracing::error!(%error, job = %job.id, "a job's files cannot be used");
    ApiError::unavailable("The gateway cannot use the job's files. Try again later.")
        .with_retry_after(RETRY_S)
}
