//! Answers that come as server-sent events.
//!
//! Events are passed on as they come, except two: the chunk with the usage, if the caller did not ask
//! for it, and the one that ends the stream, which waits until the receipt is durable.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{header, HeaderValue, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use sha2::{Digest, Sha256};
use stipend_openai::{sse::Event, ApiError, Chunk, EventSplitter, StreamReader};
use tokio::{sync::mpsc, time::timeout};

use super::{
    answer,
    charge::{charge, Served, NOT_RECORDED},
    left, told, upstream_failed, Order, Reply, Taken,
};
use crate::{
    server::answer::{request_id, AnswerBody},
    upstream::Upstream,
    waste,
};

/// Events that wait for a slow caller before the upstream is slowed down.
const EVENTS_AHEAD: usize = 64;

/// How long a finished upstream may take to end its stream, so that its connection can be used again.
const TAIL_WAIT_MAX: Duration = Duration::from_secs(1);

/// Passes the stream on and charges it at its end, whether or not the caller is still there.
pub(super) async fn pass_on(order: Order, taken: Taken, reply: Reply) {
    let Taken { upstream, place, response, deadline, queued } = taken;
    let (sender, receiver) = mpsc::channel(EVENTS_AHEAD);
    let is_gone = reply.is_closed();
    answer(reply, Ok(head(&order, queued, receiver)));
    let stall_max = order.state.limits.client_stall_max;
    let mut caller = Caller { sender, is_gone, stall_max, sha256: Sha256::new(), bytes: 0, bytes_taken: 0 };
    let mut reader = Reader {
        body: response.into_body(),
        splitter: EventSplitter::new(order.state.limits.answer_bytes_max),
        events: order.usage.stream(),
        end: None,
    };
    let read = reader.run(&order, &mut caller, deadline, upstream.silence_max).await;
    drop(place);
    if let Err(why) = &read {
        upstream_failed(&order, &upstream, why);
    }
    let Reader { body, events, end, .. } = reader;
    if end.is_some() {
        tokio::spawn(timeout(TAIL_WAIT_MAX, body.collect()));
    }
    let usage = (events.is_complete() && !events.has_failed()).then(|| events.usage());
    let Order {
        state, endpoint, admitted, digest, model, began, span, in_flight, request_sha256, watch, ..
    } = order;
    match usage {
        Some(Ok(usage)) => {
            let end = end.unwrap_or_default();
            // The last bytes are part of the answer, and come after its receipt.
            let response_sha256 = caller.sha256.clone().chain_update(&end).finalize().into();
            let served = Served {
                provider: &upstream.provider,
                digest,
                model: &model,
                usage,
                request_sha256,
                response_sha256,
                endpoint,
                span: &span,
            };
            match charge(&state, admitted, served).await {
                Ok(_) => {
                    caller.send(end).await;
                    waste::ended(watch, &upstream.provider, usage, caller.fetched_permille());
                }
                Err(error) => {
                    tracing::error!(%error, "a receipt could not be recorded");
                    let told = ApiError::unavailable(NOT_RECORDED);
                    span.failed(&told);
                    caller.send(told.to_event_of(endpoint).into()).await;
                }
            }
        }
        // The engine told the caller itself; nothing is charged.
        None if events.has_failed() => {
            span.failed(&ApiError::upstream("The engine ended its stream with an error."));
            caller.send(end.unwrap_or_default()).await;
        }
        _ => {
            state.metrics.unmetered.inc();
            let told = broke_off(&upstream, &model);
            span.failed(&told);
            caller.send(told.to_event_of(endpoint).into()).await;
        }
    }
    if caller.is_gone {
        state.metrics.callers_gone.inc();
    }
    if let Some(metrics) = state.metrics.model(&model) {
        metrics.lasted(endpoint, began);
    }
    drop((span, in_flight));
}

/// What a caller is told whose stream ended without usage.
fn broke_off(upstream: &Upstream, model: &str) -> ApiError {
    tracing::error!(provider = %upstream.address, model, "a stream ended without usage: not charged");
    ApiError::upstream("The provider broke off. Nothing was charged; try again.")
}

fn head(order: &Order, queued: Duration, receiver: mpsc::Receiver<Bytes>) -> Response<AnswerBody> {
    let mut answer = Response::new(AnswerBody::stream(receiver));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(request_id::NAME, request_id::value(&order.digest));
    told::of_stream(headers, &order.admitted, queued);
    answer
}

/// The one who asked, while it is there.
struct Caller {
    sender: mpsc::Sender<Bytes>,
    is_gone: bool,
    stall_max: Duration,
    /// Of all that it was sent, or would have been had it stayed.
    sha256: Sha256,
    /// Bytes of the same, and those of them that it took.
    bytes: u64,
    bytes_taken: u64,
}

impl Caller {
    async fn send(&mut self, bytes: Bytes) {
        self.sha256.update(&bytes);
        let len = bytes.len() as u64;
        self.bytes += len;
        if self.is_gone || bytes.is_empty() {
            return;
        }
        let sent = timeout(self.stall_max, self.sender.send(bytes)).await;
        self.is_gone = !matches!(sent, Ok(Ok(())));
        if !self.is_gone {
            self.bytes_taken += len;
        }
    }

    /// Thousandths of the answer that it took.
    fn fetched_permille(&self) -> u16 {
        u16::try_from(self.bytes_taken * 1_000 / self.bytes.max(1)).unwrap_or(1_000)
    }
}

/// Reads one upstream's stream.
struct Reader {
    body: Incoming,
    splitter: EventSplitter,
    /// Reads the events, and remembers the usage.
    events: StreamReader,
    /// The event that ends the stream, as it came.
    end: Option<Bytes>,
}

impl Reader {
    /// Passes events on until the stream is done; says what was wrong if it ended before.
    async fn run(
        &mut self,
        order: &Order,
        caller: &mut Caller,
        deadline: Instant,
        silence_max: Duration,
    ) -> Result<(), String> {
        let mut events = Vec::new();
        let mut is_first = true;
        loop {
            let frame = match timeout(silence_max.min(left(deadline)), self.body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(Some(Err(error))) => return Err(super::describe(&error)),
                Ok(None) => return self.ended(),
                Err(_) => return Err("its stream was silent for too long, or did not end in time".into()),
            };
            let Ok(data) = frame.into_data() else { continue };
            self.splitter.push(data, &mut events).map_err(|error| error.to_string())?;
            for event in events.drain(..) {
                let Some(raw) = self.take(event, order.show_usage)? else { continue };
                if std::mem::take(&mut is_first) {
                    order.span.first_token();
                    if let Some(metrics) = order.state.metrics.model(&order.model) {
                        metrics.began(order.endpoint, order.began);
                    }
                }
                caller.send(raw).await;
            }
            if self.end.is_some() {
                return Ok(());
            }
        }
    }

    /// Takes an event in; returns what the caller gets of it now.
    fn take(&mut self, event: Event, show_usage: bool) -> Result<Option<Bytes>, String> {
        if self.end.is_some() {
            return Ok(None);
        }
        let chunk = match self.events.take(&event) {
            None => return Ok(Some(event.raw)),
            Some(chunk) => chunk.map_err(|error| error.to_string())?,
        };
        Ok(match chunk {
            Chunk::End => {
                self.end = Some(event.raw);
                None
            }
            Chunk::UsageOnly => show_usage.then_some(event.raw),
            Chunk::Other | Chunk::Error => Some(event.raw),
        })
    }

    /// What the stream's end means where no event announced it.
    fn ended(&self) -> Result<(), String> {
        match self.events.is_complete() || self.events.has_failed() {
            true => Ok(()),
            false => Err("its stream ended before it was complete".into()),
        }
    }
}
