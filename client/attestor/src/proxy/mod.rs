//! One inference request, from the gateway to the engine and back.

mod admit;
mod forward;
mod meter;
mod stream;

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{header::CONTENT_TYPE, HeaderMap, HeaderName, StatusCode};
use stipend_openai::{ApiError, Endpoint, RequestView, Rewrite, UsageReader};
use tokio::{
    sync::{oneshot, OwnedSemaphorePermit},
    time::{timeout, Instant},
};

use self::{forward::Plan, meter::Meter};
use crate::App;

pub(crate) use admit::admit;

/// Time for a request's body to arrive.
const BODY_MAX: Duration = Duration::from_secs(60);

/// Tells a gateway the provider's public key, so that it need not sign each request.
const KEY_HEADER: HeaderName = HeaderName::from_static("x-stipend-key");

/// Serves an inference request on one of the engine's endpoints.
pub(crate) async fn infer(app: Arc<App>, endpoint: Endpoint, headers: HeaderMap, body: Body) -> Response {
    let mut answer = match begin(&app, endpoint, &headers, body).await {
        Ok(answer) => answer.await.unwrap_or_else(|_| refuse(&ApiError::internal())),
        Err(error) => {
            app.metrics.requests.with_label_values(&["refused"]).inc();
            refuse(&error)
        }
    };
    answer.headers_mut().insert(KEY_HEADER, app.key_name.clone());
    answer
}

/// Checks the request and sends it on in a task of its own, which lives on when the gateway goes
/// away: what the engine does is metered to its end.
async fn begin(
    app: &Arc<App>,
    endpoint: Endpoint,
    headers: &HeaderMap,
    body: Body,
) -> Result<oneshot::Receiver<Response>, ApiError> {
    let gateway = admit(app, headers)?;
    let digest = admit::digest(app, &gateway, headers)?;
    let permit = place(app)?;
    if let Some(failure) = app.store.failure() {
        tracing::error!(%failure, "a request is refused because nothing can be metered");
        return Err(ApiError::unavailable("The provider cannot meter at present. Ask another one."));
    }
    let body = read_body(app, body).await?;
    let view = RequestView::read(endpoint, &body)
        .map_err(|error| ApiError::invalid_request("invalid_body", error.to_string()))?;
    let model = app
        .models
        .iter()
        .find(|model| model.name == view.model)
        .ok_or_else(|| ApiError::model_not_found(&view.model))?;
    if view.generations_count() > 1 && !app.engine.kind().counts_every_generation(view.stream) {
        return Err(ApiError::invalid_request(
            "one_generation",
            "The engine behind this model counts one answer per request. Send one prompt and `n` of 1.",
        ));
    }
    if let Some(field) = view.outside {
        return Err(unbounded(field));
    }
    let is_renamed = model.engine_name != model.name;
    let mut rewrite = Rewrite::new(&view).ask_for_usage();
    if is_renamed {
        rewrite = rewrite.model(&model.engine_name);
    }
    let upstream_body = Bytes::from(rewrite.finish());
    let ticket = app.store.begin(&gateway, digest).map_err(admit::cannot_begin)?;
    let plan = Plan {
        usage: UsageReader::of(&view),
        body: upstream_body,
        hide_usage: !view.include_usage,
        rename: is_renamed.then(|| model.name.clone()),
        deadline: Instant::now() + Duration::from_millis(app.limits.answer_ms_max),
    };
    let meter = Meter::new(app.clone(), ticket, model, &view);
    let (reply, answer) = oneshot::channel();
    tokio::spawn(forward::run(app.clone(), plan, meter, permit, reply));
    Ok(answer)
}

/// What an engine would do for such a request is not in its answer's usage, or is not answered at all.
fn unbounded(field: &'static str) -> ApiError {
    ApiError::invalid_request(
        "unbounded_request",
        "Only what stands in the request itself can be metered. Send the whole input, and leave this field out.",
    )
    .with_param(field)
}

fn place(app: &App) -> Result<OwnedSemaphorePermit, ApiError> {
    app.places.clone().try_acquire_owned().map_err(|_| {
        ApiError::unavailable("The provider has all the requests it takes. Try again in a moment.")
    })
}

async fn read_body(app: &App, body: Body) -> Result<Bytes, ApiError> {
    let bytes_max = app.limits.body_bytes_max;
    let body = timeout(BODY_MAX, axum::body::to_bytes(body, bytes_max)).await;
    let body = body.map_err(|_| {
        ApiError::invalid_request(
            "body_too_slow",
            "The request's body did not arrive in time. Send it again.",
        )
    })?;
    // What fails here is the size, or a caller that is gone and reads no answer.
    body.map_err(|_| ApiError::too_large(bytes_max))
}

/// An error as a response.
pub(crate) fn refuse(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(CONTENT_TYPE, "application/json")], error.to_json()).into_response()
}
