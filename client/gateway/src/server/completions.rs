//! Requests for inference, at the path of every endpoint.

use std::{sync::Arc, time::Instant};

use blake2::{
    digest::{consts::U16, Mac},
    Blake2bMac,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use rand::RngCore;
use sha2::{Digest as _, Sha256};
use stipend_openai::{ApiError, Endpoint, RequestView, Rewrite, UsageReader};
use stipend_primitives::Digest;
use tokio::{sync::oneshot, time::timeout};
use tracing::Instrument;

use super::{answer::AnswerBody, span};
use crate::{
    admission::{admit, Admitted},
    clock::now_ms,
    exchange::{self, Bodies, Order},
    keys::Key,
    state::{DigestSecret, InFlight, State},
    telemetry::RequestSpan,
    terms::Terms,
    waste::{Source, Watch, Watched},
};

/// A share of one of the key's caps was reached: `credits_per_day=80`.
const X_CAP_WARNING: HeaderName = HeaderName::from_static("x-stipend-cap-warning");

pub(super) async fn answer(
    request: Request<Incoming>,
    state: Arc<State>,
    key: Arc<Key>,
    endpoint: Endpoint,
) -> Result<Response<AnswerBody>, ApiError> {
    let span = state.spans.begin(endpoint, request.headers());
    let answered = serve(request, state, key, endpoint, &span).await;
    span.answered(&answered);
    answered
}

async fn serve(
    request: Request<Incoming>,
    state: Arc<State>,
    key: Arc<Key>,
    endpoint: Endpoint,
    span: &RequestSpan,
) -> Result<Response<AnswerBody>, ApiError> {
    let began = Instant::now();
    if let Some(refusal) = state.refusal(now_ms()) {
        return Err(refusal.answer());
    }
    count(&key)?;
    let in_flight = enter(&state)?;
    let terms = Terms::read(request.headers(), began)?;
    let watched = watched(&state, &key, &request)?;
    let body = read(&state, request).await?;
    let view = RequestView::read(endpoint, &body)
        .map_err(|error| ApiError::invalid_request("invalid_body", error.to_string()))?;
    span.asks_for(endpoint, &view.model, || state.upstreams.of(&view.model).is_some());
    let admitted = admit(&state, &key, &view, terms).await?;
    let digest = digest(&state.secret, &body);
    span.admitted(&digest, endpoint.generates_text().then_some(admitted.max_tokens));
    let watch = watched.map(|from| {
        let (model, max_tokens) = (admitted.quote.entry.model.0.into(), admitted.max_tokens);
        let (owner, key) = (key.owner(), key.hash);
        Watch::new(&state, from, Watched { endpoint, body: &body, owner, key, model, max_tokens, digest })
    });
    let order = Order {
        endpoint,
        usage: UsageReader::of(&view),
        model: view.model.to_string(),
        body: rewrite(&view, &admitted),
        digest,
        request_sha256: Sha256::digest(&body).into(),
        show_usage: view.include_usage,
        admitted,
        began,
        span: span.clone(),
        watch,
        in_flight,
        state,
    };
    let (reply, answer) = oneshot::channel();
    span::of_model(&order.model);
    tokio::spawn(exchange::serve(order, reply).in_current_span());
    let mut answer = answer.await.unwrap_or_else(|_| Err(ApiError::internal()))?;
    warn_of_caps(&key, &mut answer);
    Ok(answer)
}

/// What is known of a request before its body, if anybody looks for waste; refuses it if it is held back for that.
fn watched(state: &State, key: &Key, request: &Request<Incoming>) -> Result<Option<Source>, ApiError> {
    let Some(waste) = &state.waste else { return Ok(None) };
    let purpose = waste.admit(key.owner(), request.headers(), now_ms())?;
    Ok(Some(Source::of(request.headers(), request.extensions().get().copied(), purpose)))
}

/// Tells the caller, once, that its key has used a large share of a cap.
fn warn_of_caps(key: &Key, answer: &mut Response<AnswerBody>) {
    let warning = if key.caps.is_none() { None } else { key.used.take_untold() };
    let value = warning.map(|warning| format!("{}={}", warning.cap.name(), warning.percent));
    if let Some(value) = value.and_then(|text| HeaderValue::from_str(&text).ok()) {
        answer.headers_mut().insert(X_CAP_WARNING, value);
    }
}

/// Counts a request as in flight, if there is room for it.
pub(super) fn enter(state: &Arc<State>) -> Result<InFlight, ApiError> {
    state.enter().ok_or_else(|| {
        ApiError::rate_limit("The gateway has as many requests in flight as it takes. Try again later.")
            .with_retry_after(1)
    })
}

pub(super) fn count(key: &Key) -> Result<(), ApiError> {
    let Some(limit) = key.limits.requests_per_minute_max else { return Ok(()) };
    key.rate.admit(limit, now_ms()).map_err(|seconds| {
        ApiError::rate_limit(format!(
            "This API key may send {limit} requests per minute. Try again in {seconds} s."
        ))
        .with_retry_after(u32::try_from(seconds).unwrap_or(u32::MAX))
    })
}

pub(super) async fn read(state: &State, request: Request<Incoming>) -> Result<Bytes, ApiError> {
    read_within(state, request, state.limits.body_bytes_max).await
}

/// A request's body, if it has at most so many bytes and comes in time.
pub(super) async fn read_within(
    state: &State,
    request: Request<Incoming>,
    bytes_max: usize,
) -> Result<Bytes, ApiError> {
    let body = request.into_body();
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(ApiError::too_large(bytes_max));
    }
    match timeout(state.limits.body_wait_max, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::too_large(bytes_max)),
        Ok(Err(_)) => Err(ApiError::invalid_request("incomplete_body", "The request broke off.")),
        Err(_) => Err(ApiError::new(
            408,
            "invalid_request_error",
            "request_timeout",
            "The request's body did not come in time. Send it faster.",
        )),
    }
}

/// The body as upstreams get it: bounded by what is held, with the usage asked for, and without the
/// caller's idea of its priority.
fn rewrite(view: &RequestView, admitted: &Admitted) -> Bodies {
    let bounded = || Rewrite::new(view).max_tokens(admitted.max_tokens).ask_for_usage();
    let (some_rank, all_rank) = admitted.servers.priorities();
    // vLLM serves lower numbers sooner.
    let rank = -i64::from(admitted.terms.priority_fee);
    let ranked = some_rank.then(|| Bytes::from(bounded().priority(rank).finish()));
    let plain = match &ranked {
        Some(ranked) if all_rank => ranked.clone(),
        _ => bounded().no_priority().finish().into(),
    };
    Bodies { plain, ranked }
}

/// Names the request and commits to its body: see [`Digest`].
pub(crate) fn digest(secret: &DigestSecret, body: &[u8]) -> Digest {
    let mut nonce = [0; 16];
    rand::thread_rng().fill_bytes(&mut nonce);
    let mut mac = Blake2bMac::<U16>::new_from_slice(&*secret.0).expect("32 bytes are a key of BLAKE2b; qed");
    mac.update(&nonce);
    mac.update(body);
    mac.finalize().into_bytes().into()
}
