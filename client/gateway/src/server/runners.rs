//! What runners of jobs ask and bring: `POST /v1/jobs/{id}/begin` and `/answer`.

use std::sync::Arc;

use http::{header, HeaderMap, HeaderName, Request, Response, StatusCode};
use hyper::body::Incoming;
use sp_core::crypto::Ss58Codec;
use stipend_openai::ApiError;
use stipend_primitives::AccountId;

use super::{answer::AnswerBody, completions, jobs::unstored, routes::Runner};
use crate::{
    jobs::{record::JobId, run::Report, token, Job, Jobs},
    state::State,
};

/// Which attempt of a job a report is of: its digest.
pub(crate) const X_REQUEST: HeaderName = HeaderName::from_static("x-stipend-request");

/// Which provider answered, as an SS58 address.
pub(crate) const X_PROVIDER: HeaderName = HeaderName::from_static("x-stipend-provider");

/// The status that it answered.
pub(crate) const X_STATUS: HeaderName = HeaderName::from_static("x-stipend-status");

/// What the runner of a job asks or brings.
pub(super) async fn answer(
    request: Request<Incoming>,
    state: Arc<State>,
    id: &str,
    runner: Runner,
) -> Result<Response<AnswerBody>, ApiError> {
    let (jobs, job) = authenticated(&state, request.headers(), id)?;
    match runner {
        Runner::Begin => {
            let mut inner = job.lock().await;
            let order = jobs.begin(&state, &job, &mut inner).await?;
            let body = serde_json::to_vec(&order).map_err(|_| ApiError::internal())?;
            Ok(unstored(StatusCode::OK, body))
        }
        Runner::Report => {
            let head = report_head(request.headers())?;
            let bytes_max = state.limits.answer_bytes_max;
            let body = completions::read_within(&state, request, bytes_max).await?;
            let (digest, provider, status) = head;
            let report = Report { digest, provider, status, body };
            let mut inner = job.lock().await;
            jobs.report(&state, &job, &mut inner, report).await?;
            let state = format!("{{\"state\":\"{}\"}}", inner.state().name());
            Ok(unstored(StatusCode::OK, state.into_bytes()))
        }
    }
}

/// The job whose token a request shows. One answer for a job that never was and for a wrong token.
fn authenticated<'s>(
    state: &'s State,
    headers: &HeaderMap,
    id: &str,
) -> Result<(&'s Jobs, Arc<Job>), ApiError> {
    let shown =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let (Some(jobs), Some(shown), Ok(id)) = (&state.jobs, shown, id.parse::<JobId>()) else {
        return Err(not_the_runner());
    };
    if !token::is_right(&state.secret, &id, shown) {
        return Err(not_the_runner());
    }
    let job = jobs.find(&id).ok_or_else(|| {
        ApiError::new(410, "invalid_request_error", "job_over", "The job is over, and was forgotten since.")
    })?;
    Ok((jobs, job))
}

fn not_the_runner() -> ApiError {
    ApiError::new(
        401,
        "authentication_error",
        "invalid_job_token",
        "This is for the runner of a job, which shows the job's own token as `Authorization: Bearer TOKEN`.",
    )
}

fn report_head(headers: &HeaderMap) -> Result<([u8; 16], AccountId, u16), ApiError> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let mut digest = [0; 16];
    let is_named = text(X_REQUEST).is_some_and(|text| hex::decode_to_slice(text, &mut digest).is_ok());
    let provider = text(X_PROVIDER).and_then(|text| AccountId::from_ss58check(text).ok());
    let status = text(X_STATUS).and_then(|text| text.parse().ok());
    match (is_named, provider, status) {
        (true, Some(provider), Some(status)) => Ok((digest, provider, status)),
        _ => Err(ApiError::invalid_request(
            "invalid_report",
            "A report names its attempt in `x-stipend-request`, who answered in `x-stipend-provider`, and the status in \
             `x-stipend-status`.",
        )),
    }
}
