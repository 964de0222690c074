//! One request's way to an upstream and back.
//!
//! From the first byte that goes upstream the exchange runs in a task of its own: a caller that leaves
//! does not stop it, because the engine goes on counting, and what it counts is charged.

mod charge;
mod stream;
mod told;
mod whole;

#[cfg(test)]
pub(crate) use charge::charge as charge_for_test;
pub(crate) use charge::{charge, Served, NOT_RECORDED};

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{header, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use stipend_openai::{reshaped_error, ApiError, Endpoint, UsageReader};
use stipend_primitives::{AccountId, Digest};
use tokio::{
    sync::oneshot,
    time::{timeout, timeout_at},
};

use crate::{
    admission::Admitted,
    clock::now_ms,
    queue::{Place, QueueFull},
    server::answer::AnswerBody,
    state::{InFlight, State},
    telemetry::{RequestSpan, TRACEPARENT},
    terms::too_late,
    upstream::{Asked, Upstream},
    waste::Watch,
};

const X_GATEWAY: HeaderName = HeaderName::from_static("x-stipend-gateway");
const X_REQUEST: HeaderName = HeaderName::from_static("x-stipend-request");
const X_SIGNATURE: HeaderName = HeaderName::from_static("x-stipend-signature");

/// Bytes of an engine's error that are passed on.
const ERROR_BYTES_MAX: usize = 64 << 10;

/// Seconds for which a provider can keep callers away.
const RETRY_AFTER_S_MAX: u32 = 60;

/// Upstreams that one request is sent to, at most: a request that engines cannot bear must not go through all of them.
const SENDS_MAX: u32 = 3;

/// A body as upstreams get it.
pub(crate) struct Bodies {
    /// For engines that do not schedule by vLLM's `priority`.
    pub(crate) plain: Bytes,
    /// For those that do, if there are any.
    pub(crate) ranked: Option<Bytes>,
}

impl Bodies {
    fn of(&self, upstream: &Upstream) -> Bytes {
        let ranked = self.ranked.as_ref().filter(|_| upstream.honours_priorities());
        ranked.unwrap_or(&self.plain).clone()
    }
}

/// A request on its way.
pub(crate) struct Order {
    pub(crate) state: Arc<State>,
    pub(crate) endpoint: Endpoint,
    /// Reads what the answer says it used.
    pub(crate) usage: UsageReader,
    pub(crate) model: String,
    pub(crate) admitted: Admitted,
    pub(crate) body: Bodies,
    pub(crate) digest: Digest,
    /// SHA-256 of the body as the caller sent it.
    pub(crate) request_sha256: [u8; 32],
    /// Whether the caller asked for usage at the end of its stream.
    pub(crate) show_usage: bool,
    pub(crate) began: Instant,
    pub(crate) span: RequestSpan,
    /// What will be looked at when it has ended, if anybody looks.
    pub(crate) watch: Option<Watch>,
    /// Last: whoever waits until no request is in flight finds their spans ended.
    pub(crate) in_flight: InFlight,
}

pub(crate) type Answer = Result<Response<AnswerBody>, ApiError>;

/// Where the caller waits; closed when it left.
pub(crate) type Reply = oneshot::Sender<Answer>;

/// An upstream that took the request.
struct Taken {
    upstream: Arc<Upstream>,
    place: Place,
    response: Response<Incoming>,
    deadline: Instant,
    /// How long the request waited for its place.
    queued: Duration,
}

/// Serves a request to its end.
pub(crate) async fn serve(order: Order, mut reply: Reply) {
    let taken = match find_upstream(&order, &mut reply).await {
        Ok(Some(taken)) => taken,
        // The caller left before anybody served it.
        Ok(None) => return order.state.metrics.callers_gone.inc(),
        Err(error) => return answer(reply, Err(error)),
    };
    order.span.taken(&taken.upstream, taken.queued);
    let status = taken.response.status();
    if status != StatusCode::OK {
        let refused = refusal(&order, taken, status).await;
        return answer(reply, refused);
    }
    if is_stream(&taken.response) {
        stream::pass_on(order, taken, reply).await;
    } else {
        whole::pass_on(order, taken, reply).await;
    }
}

fn answer(reply: Reply, answer: Answer) {
    // A caller that left does not need it.
    drop(reply.send(answer));
}

/// Waits for a place at an upstream and hands the request over. Another one is asked only while the caller has no byte of
/// an answer: what a provider did that is not passed on is claimed by no receipt, so the request is charged once. `None` if the
/// caller left first.
async fn find_upstream(order: &Order, reply: &mut Reply) -> Result<Option<Taken>, ApiError> {
    let began = Instant::now();
    let mut tried: Vec<AccountId> = Vec::new();
    let mut sends = 0;
    let servers = &order.admitted.servers;
    let unreached = || ApiError::upstream("No provider of this model can be reached. Try again later.");
    let refused = || servers.refusal(asked(order), now_ms()).unwrap_or_else(unreached);
    let mut trouble = refused();
    while let Some(upstream) = servers.choose(&tried, asked(order), now_ms()).filter(|_| sends < SENDS_MAX) {
        tried.push(upstream.provider.clone());
        let place = tokio::select! {
            place = enter(order, &upstream) => place,
            () = reply.closed() => return Ok(None),
        };
        if order.admitted.terms.is_late() {
            return Err(too_late());
        }
        let place = match place {
            Ok(place) => place,
            Err(error) => {
                trouble = error;
                continue;
            }
        };
        order.span.placed(&upstream);
        let pass = upstream.breaker.pass(now_ms()).filter(|_| asked(order).is_met_by(&upstream));
        if pass.is_none() {
            // It was suspended, its evidence ran out, or it began to fail while the request waited.
            trouble = refused();
            continue;
        }
        sends += 1;
        match send(order, &upstream, place, began.elapsed()).await {
            Sent::Taken(taken) => return Ok(Some(taken)),
            Sent::Nobody(error) => trouble = error,
            Sent::Lost(error) => return Err(error),
        }
    }
    Err(trouble)
}

/// What became of sending a request to an upstream.
enum Sent {
    /// It answers.
    Taken(Taken),
    /// It does not serve it; another one may.
    Nobody(ApiError),
    /// It had all the time there is.
    Lost(ApiError),
}

async fn send(order: &Order, upstream: &Arc<Upstream>, place: Place, queued: Duration) -> Sent {
    order.span.sent(upstream);
    let sent = Instant::now();
    let deadline = sent + upstream.answer_wait_max;
    let response =
        match timeout(upstream.answer_wait_max, upstream.client.send(request(order, upstream))).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                upstream_failed(order, upstream, &describe(&error));
                return Sent::Nobody(match error.is_connect() {
                    true => ApiError::upstream("No provider of this model can be reached. Try again later."),
                    false => ApiError::upstream("The provider broke off. Nothing was charged; try again."),
                });
            }
            Err(_) => {
                upstream.queue.refused();
                upstream_failed(order, upstream, "it did not answer in time");
                return Sent::Lost(ApiError::timeout(
                    "The provider did not answer in time. Nothing was charged.",
                ));
            }
        };
    upstream.proof.learn(&order.state.pen, &upstream.provider, response.status(), response.headers());
    match response.status() {
        StatusCode::TOO_MANY_REQUESTS => {
            upstream.queue.refused();
            let error =
                ApiError::rate_limit("The provider has too many requests. Nothing was charged; try again.");
            return Sent::Nobody(error.with_retry_after(retry_after_s(response.headers())));
        }
        status @ (StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY) => {
            if status == StatusCode::SERVICE_UNAVAILABLE {
                upstream.queue.refused();
            }
            upstream_failed(order, upstream, &format!("it answered {status}"));
            return Sent::Nobody(ApiError::upstream("The provider failed. Nothing was charged; try again."));
        }
        StatusCode::OK => {
            // A whole answer comes when it is complete: its time is mostly its length.
            upstream.queue.answered(is_stream(&response).then(|| sent.elapsed()));
            upstream.succeeded();
        }
        status if is_callers_fault(status) => upstream.succeeded(),
        _ => {}
    }
    Sent::Taken(Taken { upstream: upstream.clone(), place, response, deadline, queued })
}

fn is_stream(response: &Response<Incoming>) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// Whether the engine found fault with the request.
fn is_callers_fault(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY
    )
}

/// What the order asks of whoever serves it now.
fn asked(order: &Order) -> Asked {
    Asked { policy: order.admitted.evidence, block: order.state.status.block() }
}

async fn enter(order: &Order, upstream: &Upstream) -> Result<Place, ApiError> {
    let began = Instant::now();
    let terms = &order.admitted.terms;
    let until = terms.by(began + upstream.queue_wait_max);
    let entered = upstream.queue.enter(terms.priority_fee, order.admitted.owner());
    match timeout_at(until.into(), entered).await {
        Ok(Ok(place)) => {
            order.state.metrics.waited(began.elapsed().as_secs_f64());
            Ok(place)
        }
        Ok(Err(QueueFull)) | Err(_) => Err(ApiError::rate_limit(
            "The providers of this model are busy. Try again later, or offer a fee in the header \
             `x-stipend-priority-fee` (micro-credits of Priority).",
        )
        .with_retry_after(1)),
    }
}

/// Only what is named here goes upstream: no header of the caller, no identity. `traceparent`, where there is a collector,
/// names this gateway's span; of the caller's it has the trace's number at most.
fn request(order: &Order, upstream: &Upstream) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(order.body.of(upstream)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = upstream.uri(order.endpoint);
    let headers = request.headers_mut();
    headers.reserve(6);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::AUTHORIZATION, upstream.token.clone());
    headers.insert(X_GATEWAY, order.state.name.clone());
    headers.insert(X_REQUEST, digits(&order.digest));
    if upstream.signs {
        headers.insert(X_SIGNATURE, upstream.proof.of(&order.state.pen, &upstream.provider, &order.digest));
    }
    if let Some(span) = order.span.traceparent() {
        headers.insert(TRACEPARENT, span);
    }
    request
}

fn digits(bytes: &[u8]) -> HeaderValue {
    HeaderValue::from_str(&hex::encode(bytes)).expect("hex digits are a header's value; qed")
}

fn upstream_failed(order: &Order, upstream: &Upstream, why: &str) {
    tracing::warn!(provider = %upstream.address, model = %order.model, why, "an upstream failed");
    order.state.metrics.upstream_failed(&upstream.address);
    order.span.upstream_failed(upstream);
    upstream.failed(why);
}

/// An error with its causes: hyper's own text leaves out the one that matters.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// What the caller is told when the upstream did not serve. Nothing is charged: the holds go back.
async fn refusal(order: &Order, taken: Taken, status: StatusCode) -> Answer {
    let Taken { upstream, place, response, deadline, .. } = taken;
    if !is_callers_fault(status) {
        upstream_failed(order, &upstream, &format!("it answered {status}"));
        return Err(ApiError::upstream("The provider failed. Nothing was charged; try again."));
    }
    // The engine found fault with the request; its words help the caller.
    let body = collect(response.into_body(), ERROR_BYTES_MAX, deadline).await;
    drop(place);
    let body = body.map_err(|_| ApiError::upstream("The provider broke off. Nothing was charged."))?;
    let body = reshaped_error(order.endpoint, status.as_u16(), body);
    let mut answer = Response::new(AnswerBody::whole(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(answer)
}

/// Seconds that a provider asks to be left alone for; a moment if it says nothing that is understood.
fn retry_after_s(headers: &http::HeaderMap) -> u32 {
    let said = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    said.unwrap_or(1).clamp(1, RETRY_AFTER_S_MAX)
}

/// All of a body, within a size and a time.
async fn collect(body: Incoming, bytes_max: usize, deadline: Instant) -> Result<Bytes, String> {
    let all = Limited::new(body, bytes_max).collect();
    match timeout(left(deadline), all).await {
        Ok(Ok(all)) => Ok(all.to_bytes()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("it did not end in time".to_owned()),
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
