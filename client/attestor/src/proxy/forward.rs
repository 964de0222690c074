//! Asking the engine and reading its answer to the end.

use std::sync::Arc;

use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::{header::CONTENT_TYPE, HeaderValue};
use hyper::body::Incoming;
use stipend_openai::{rewrite::with_answer_model, ApiError, UsageReader};
use tokio::{
    sync::{oneshot, OwnedSemaphorePermit},
    time::Instant,
};

use super::{meter::Meter, refuse, stream};
use crate::{
    outbound::{collect, AskError},
    App,
};

/// Bytes of an engine's error that are passed on.
const ERROR_BYTES_MAX: usize = 64 << 10;

/// What is asked, and how the answer is to be given.
pub(super) struct Plan {
    /// Reads what the answer says it used, and names the endpoint.
    pub(super) usage: UsageReader,
    pub(super) body: Bytes,
    /// The usage chunk of a stream was our wish, not the gateway's.
    pub(super) hide_usage: bool,
    /// The model's name in the answer, where the engine calls it otherwise.
    pub(super) rename: Option<String>,
    pub(super) deadline: Instant,
}

/// Asks the engine, replies, and meters; whether or not anybody still listens.
pub(super) async fn run(
    app: Arc<App>,
    mut plan: Plan,
    meter: Meter,
    permit: OwnedSemaphorePermit,
    reply: oneshot::Sender<Response>,
) {
    // Held to the end: what is read for a gateway that went away is a request at the engine too.
    let _permit = permit;
    let body = std::mem::take(&mut plan.body);
    let response = match app.engine.infer(plan.usage.endpoint().path(), body, plan.deadline).await {
        Ok(response) => response,
        Err(error) => return answer(&app, reply, engine_failed(&app, &error)),
    };
    if !response.status().is_success() {
        let refusal = pass_refusal(&app, response, plan.deadline).await;
        return answer(&app, reply, refusal);
    }
    let is_stream = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    if is_stream {
        stream::run(app, plan, meter, response.into_body(), reply).await;
    } else {
        let whole = whole(&app, &plan, meter, response.into_body()).await;
        answer(&app, reply, whole);
    }
}

fn answer(app: &App, reply: oneshot::Sender<Response>, response: Response) {
    if reply.send(response).is_err() {
        app.metrics.drained.inc();
    }
}

/// An answer in one piece: metered, then passed on.
async fn whole(app: &App, plan: &Plan, meter: Meter, body: Incoming) -> Response {
    let body = match collect(body, app.limits.answer_bytes_max, plan.deadline).await {
        Ok(body) => body,
        Err(error) => return engine_failed(app, &error),
    };
    let usage = match plan.usage.of_answer(&body) {
        Ok(usage) => usage,
        Err(error) => {
            tracing::warn!(%error, "an answer is withheld because it cannot be metered");
            app.metrics.requests.with_label_values(&["unmetered"]).inc();
            return refuse(&ApiError::upstream("The engine's answer carries no usage that can be metered."));
        }
    };
    if let Err(error) = meter.record_usage(usage).await {
        return refuse(&not_durable(&error));
    }
    let renamed = plan.rename.as_ref().and_then(|name| with_answer_model(&body, name));
    let mut response = Response::new(Body::from(renamed.map_or(body, Bytes::from)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// What the engine refused, as it said it. A redirect is no answer.
async fn pass_refusal(app: &App, response: http::Response<Incoming>, deadline: Instant) -> Response {
    let status = response.status();
    app.metrics.requests.with_label_values(&["engine_refused"]).inc();
    if !status.is_client_error() && !status.is_server_error() {
        return engine_failed(app, &AskError::Status(status.as_u16()));
    }
    // The engine's token is the attestor's matter: a gateway must not take this for its own.
    if matches!(status.as_u16(), 401 | 403) {
        tracing::error!(status = status.as_u16(), "the engine refuses the attestor: check engine.token_file");
        return refuse(&ApiError::upstream("The engine refuses the provider's attestor. Tell the provider."));
    }
    let body = collect(response.into_body(), ERROR_BYTES_MAX, deadline).await.unwrap_or_default();
    let mut refusal = Response::new(Body::from(body));
    *refusal.status_mut() = status;
    refusal.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    refusal
}

fn engine_failed(app: &App, error: &AskError) -> Response {
    tracing::warn!(%error, "the engine gave no usable answer");
    app.metrics.requests.with_label_values(&["engine_failed"]).inc();
    refuse(&match error {
        AskError::TimedOut => ApiError::timeout("The engine did not answer in time. Try again."),
        AskError::Unreachable(_) => ApiError::upstream("The engine cannot be reached. Try again later."),
        AskError::Broken(_) => ApiError::upstream("The engine's answer broke off or is too large."),
        AskError::Status(_) => ApiError::upstream("The engine answered something that cannot be used."),
    })
}

/// What a gateway hears when an answer's metering could not be made durable: it does not get the answer.
pub(super) fn not_durable(error: &stipend_receipt_log::Error) -> ApiError {
    tracing::error!(%error, "an answer is withheld because its metering is not durable");
    ApiError::unavailable("The provider cannot meter at present. Ask another one.")
}
