//! Batch work: `POST /v1/jobs`, and what callers do with a job afterwards.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant},
};

use http::{header, HeaderMap, HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stipend_openai::{error::ErrorObject, ApiError, Endpoint, RequestView};
use stipend_primitives::{view::decimal, ClassId, Credits, Moment};

use super::{
    answer::{of_kind, AnswerBody},
    completions, span,
};
pub(super) use crate::jobs::PATH;
use crate::{
    admission::admit,
    clock::now_ms,
    jobs::{
        record::{JobId, Record, Stage},
        submit::{submit as hand_over, Submission},
        Inner, Job, Jobs,
    },
    keys::Key,
    state::State,
    terms::Terms,
};

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    endpoint: Cow<'a, str>,
    #[serde(borrow)]
    request: &'a RawValue,
    /// From now; as long as the gateway allows where it is left out.
    deadline_ms: Option<u64>,
}

/// A job as its caller sees it. Amounts are micro-credits of the class; moments are Unix time in milliseconds.
#[derive(Serialize)]
struct View<'a> {
    object: &'static str,
    id: JobId,
    state: &'static str,
    endpoint: &'static str,
    model: &'a str,
    created_at_ms: Moment,
    deadline_at_ms: Moment,
    ended_at_ms: Option<Moment>,
    class: ClassId,
    /// What is held while it is not over.
    #[serde(with = "decimal")]
    held: Credits,
    /// What it did cost.
    cost: Option<String>,
    /// Runners that began it.
    attempts: usize,
    /// Id of its receipt.
    receipt: Option<String>,
    answer: Option<&'a RawValue>,
    error: Option<&'a ErrorObject>,
}

/// Takes a request whose answer nobody waits for. It is admitted as a live one is, and refused as one.
pub(super) async fn submit(
    request: Request<Incoming>,
    state: Arc<State>,
    key: Arc<Key>,
) -> Result<Response<AnswerBody>, ApiError> {
    let config = &offered(&state)?.config;
    if let Some(refusal) = state.refusal(now_ms()) {
        return Err(refusal.answer());
    }
    completions::count(&key)?;
    let _in_flight = completions::enter(&state)?;
    let terms = terms(request.headers())?;
    let body = completions::read(&state, request).await?;
    let unreadable = |message: String| ApiError::invalid_request("invalid_body", message);
    let asked: Asked = serde_json::from_slice(&body).map_err(|error| {
        unreadable(format!("Send {{\"endpoint\": \"/v1/chat/completions\", \"request\": {{…}}}}: {error}."))
    })?;
    let endpoint = Endpoint::of_path(&asked.endpoint).ok_or_else(|| {
        let paths = Endpoint::ALL.map(Endpoint::path).join(", ");
        unreadable(format!("There is no such endpoint. These are there: {paths}.")).with_param("endpoint")
    })?;
    let deadline = deadline(asked.deadline_ms, config.deadline_max)?;
    let view = RequestView::read(endpoint, asked.request.get().as_bytes())
        .map_err(|error| unreadable(error.to_string()))?;
    if view.stream {
        let message = "Nobody waits for a job's answer, so it cannot be streamed. Leave `stream` out.";
        return Err(ApiError::invalid_request("stream_not_served", message).with_param("stream"));
    }
    span::of_model(&view.model);
    let admitted = admit(&state, &key, &view, terms).await?;
    let submission = Submission { owner: key.owner().clone(), key: key.hash, deadline };
    let job = hand_over(&state, submission, &view, admitted).await?;
    let inner = job.lock().await;
    let mut answer = view_of(StatusCode::ACCEPTED, &inner, None)?;
    let location = HeaderValue::from_str(&format!("{PATH}{}", job.id));
    answer.headers_mut().insert(header::LOCATION, location.map_err(|_| ApiError::internal())?);
    Ok(answer)
}

/// A place in this gateway's queue is not what a job waits for, so nobody shall pay for one.
fn terms(headers: &HeaderMap) -> Result<Terms, ApiError> {
    let terms = Terms::read(headers, Instant::now())?;
    if terms.priority_fee == 0 && terms.start_by.is_none() {
        return Ok(terms);
    }
    Err(ApiError::invalid_request(
        "terms_not_served",
        "A job waits in the cluster's queue, where `x-stipend-priority-fee` buys nothing and `x-stipend-deadline-ms` \
         says nothing. Leave both out; `deadline_ms` in the body says by when the job must be done.",
    ))
}

fn deadline(asked_ms: Option<u64>, max: Duration) -> Result<Duration, ApiError> {
    match asked_ms.map(Duration::from_millis) {
        None => Ok(max),
        Some(asked) if !asked.is_zero() && asked <= max => Ok(asked),
        Some(_) => Err(ApiError::invalid_request(
            "invalid_deadline",
            format!("`deadline_ms` must be a whole number of milliseconds from 1 to {}.", max.as_millis()),
        )
        .with_param("deadline_ms")),
    }
}

/// A job of the key's wallet, with its answer once that is there.
pub(super) async fn look(key: &Key, id: &str, state: &State) -> Result<Response<AnswerBody>, ApiError> {
    let jobs = offered(state)?;
    let job = own(jobs, key, id)?;
    let _place = state.lookups.try_acquire().map_err(|_| {
        ApiError::rate_limit("Many jobs and receipts are being looked up. Try again in a moment.")
            .with_retry_after(1)
    })?;
    let inner = job.lock().await;
    let text = match &inner.record.stage {
        Stage::Done(_) if !inner.record.is_cancelled => {
            Some(jobs.store.answer(&job.id).await.map_err(|error| {
                tracing::error!(%error, job = %job.id, "a job's answer cannot be read back");
                ApiError::internal()
            })?)
        }
        _ => None,
    };
    view_of(StatusCode::OK, &inner, text.as_deref())
}

/// Takes a job back.
pub(super) async fn cancel(key: &Key, id: &str, state: &State) -> Result<Response<AnswerBody>, ApiError> {
    let jobs = offered(state)?;
    let job = own(jobs, key, id)?;
    let mut inner = job.lock().await;
    jobs.cancel(state, &job, &mut inner).await;
    view_of(StatusCode::OK, &inner, None)
}

fn offered(state: &State) -> Result<&Jobs, ApiError> {
    state.jobs.as_ref().ok_or_else(|| {
        ApiError::not_found(
            "jobs_not_served",
            "This gateway takes no batch work: its operator has not named a cluster for it. Send the request to its own \
             endpoint instead.",
        )
    })
}

/// A job of the key's wallet. One answer for a job that never was, is forgotten, or is somebody else's.
fn own(jobs: &Jobs, key: &Key, id: &str) -> Result<Arc<Job>, ApiError> {
    let job = id.parse().ok().and_then(|id| jobs.find(&id)).filter(|job| job.owner == *key.owner());
    job.ok_or_else(|| {
        ApiError::not_found(
            "job_not_found",
            "No job of this wallet has that id here: it was another gateway's or wallet's, or it has been over for longer \
             than this gateway keeps jobs.",
        )
    })
}

fn view_of(
    status: StatusCode,
    inner: &Inner,
    answer: Option<&[u8]>,
) -> Result<Response<AnswerBody>, ApiError> {
    let record: &Record = &inner.record;
    let (charge, error) = match &record.stage {
        Stage::Done(charge) => (Some(charge), None),
        Stage::Failed(failure) => (None, Some(&failure.error)),
        Stage::Pending | Stage::Answered(_) | Stage::Cancelled(_) => (None, None),
    };
    let answer: Option<&RawValue> =
        answer.map(serde_json::from_slice).transpose().map_err(|_| ApiError::internal())?;
    let is_over = record.ended_at_ms().is_some();
    let view = View {
        object: "job",
        id: record.id,
        state: inner.state().name(),
        endpoint: record.endpoint.path(),
        model: &record.model,
        created_at_ms: record.created_at_ms,
        deadline_at_ms: record.deadline_at_ms,
        ended_at_ms: record.ended_at_ms(),
        class: record.entry.class,
        held: if is_over { 0 } else { record.held },
        cost: charge.map(|charge| charge.cost.to_string()),
        attempts: record.attempts.len(),
        receipt: charge.map(|charge| hex::encode(charge.answer.digest)),
        answer,
        error,
    };
    let body = serde_json::to_vec(&view).map_err(|_| ApiError::internal())?;
    Ok(unstored(status, body))
}

pub(super) fn unstored(status: StatusCode, body: Vec<u8>) -> Response<AnswerBody> {
    let mut answer = of_kind(status, "application/json", body);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
