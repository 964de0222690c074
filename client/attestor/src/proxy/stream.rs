//! Passing a stream on event by event, and metering it before its end.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{body::Body, response::Response};
use bytes::{Bytes, BytesMut};
use http::{
    header::{CACHE_CONTROL, CONTENT_TYPE},
    HeaderValue,
};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use stipend_openai::{rewrite::with_answer_model, ApiError, Chunk, Counts, Event, EventSplitter};
use tokio::{
    sync::{mpsc, oneshot},
    time::{timeout, timeout_at, Instant},
};
use tokio_stream::wrappers::ReceiverStream;

use super::{
    forward::{not_durable, Plan},
    meter::Meter,
};
use crate::App;

/// Pieces that may wait for a slow reader before the engine is read no further.
const QUEUE_MAX: usize = 32;

/// A reader that takes nothing for so long is gone.
const STALL_MAX: Duration = Duration::from_secs(60);

/// Time for the few bytes behind `[DONE]`, after which the connection can serve the next request.
const TAIL_MAX: Duration = Duration::from_secs(1);

/// Reads a stream to its end. What tells the gateway that the answer is complete is held back until
/// the metering is durable.
pub(super) async fn run(
    app: Arc<App>,
    plan: Plan,
    meter: Meter,
    mut upstream: Incoming,
    reply: oneshot::Sender<Response>,
) {
    let (sender, receiver) = mpsc::channel(QUEUE_MAX);
    let mut reader = Reader { app, sender: Some(sender) };
    if reply.send(response(receiver)).is_err() {
        reader.leave();
    }
    let mut relay =
        Relay { hide_usage: plan.hide_usage, rename: plan.rename, counts: None, held: BytesMut::new() };
    let end = pass_events(&mut relay, &mut reader, &mut upstream, plan.deadline).await;
    if let Err(why) = &end {
        tracing::warn!(why, "a stream broke off");
        reader.app.metrics.requests.with_label_values(&["engine_failed"]).inc();
    }
    if let Err(error) = meter.record(relay.counts).await {
        return reader.pass(not_durable(&error).to_event().into()).await;
    }
    match end {
        Ok(()) => reader.pass(relay.held.freeze()).await,
        Err(_) => reader.pass(ApiError::upstream("The engine's stream broke off.").to_event().into()).await,
    }
    // The gateway has its end; reading ours keeps the connection to the engine usable.
    drop(reader);
    let _ = timeout(TAIL_MAX, async { while let Some(Ok(_)) = upstream.frame().await {} }).await;
}

fn response(receiver: mpsc::Receiver<Result<Bytes, Infallible>>) -> Response {
    let mut response = Response::new(Body::from_stream(ReceiverStream::new(receiver)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Passes events on up to `[DONE]` or the stream's end.
async fn pass_events(
    relay: &mut Relay,
    reader: &mut Reader,
    upstream: &mut Incoming,
    deadline: Instant,
) -> Result<(), String> {
    let mut splitter = EventSplitter::default();
    let mut events = Vec::new();
    loop {
        let frame = timeout_at(deadline, upstream.frame()).await.map_err(|_| "it took too long")?;
        let Some(frame) = frame else {
            relay.held.extend_from_slice(&splitter.finish());
            return Ok(());
        };
        let Ok(piece) = frame.map_err(|error| error.to_string())?.into_data() else { continue };
        splitter.push(piece, &mut events).map_err(|error| error.to_string())?;
        let (pass, is_done) = relay.take(&mut events);
        reader.pass(pass).await;
        if is_done {
            return Ok(());
        }
    }
}

/// Decides event by event what goes on, and remembers the usage.
struct Relay {
    hide_usage: bool,
    rename: Option<String>,
    /// The newest usage that the engine gave.
    counts: Option<Counts>,
    /// What must not go on before the metering is durable.
    held: BytesMut,
}

impl Relay {
    /// Takes events; returns what goes on now and whether `[DONE]` was among them.
    fn take(&mut self, events: &mut Vec<Event>) -> (Bytes, bool) {
        // Most pieces are one event that goes on as it is, without a copy.
        let mut first = None;
        let mut pass = BytesMut::new();
        let mut is_done = false;
        for event in events.drain(..) {
            let chunk = event.data().map(|data| Chunk::of_data(&data));
            match chunk {
                Some(Ok(Chunk::Done)) => is_done = true,
                Some(Ok(Chunk::UsageOnly(counts))) => {
                    self.counts = Some(counts);
                    if !self.hide_usage {
                        let event = self.renamed(event);
                        self.held.extend_from_slice(&event);
                    }
                    continue;
                }
                Some(Ok(chunk)) => self.counts = chunk.counts().or(self.counts),
                Some(Err(error)) => {
                    tracing::warn!(%error, "a chunk cannot be read; it is passed on unmetered")
                }
                None => {}
            }
            let event = self.renamed(event);
            if is_done {
                self.held.extend_from_slice(&event);
            } else if first.is_none() && pass.is_empty() && self.held.is_empty() {
                first = Some(event);
            } else {
                // Usage that was held back and is not the end after all goes on in its place.
                pass.extend_from_slice(&first.take().unwrap_or_default());
                pass.extend_from_slice(&self.held.split());
                pass.extend_from_slice(&event);
            }
        }
        (first.unwrap_or_else(|| pass.freeze()), is_done)
    }

    /// The event's bytes, under the name that was asked for.
    fn renamed(&self, event: Event) -> Bytes {
        let Some(name) = &self.rename else { return event.raw };
        let Some(answer) = event.data().and_then(|data| with_answer_model(&data, name)) else {
            return event.raw;
        };
        let mut renamed = BytesMut::with_capacity(answer.len() + 8);
        renamed.extend_from_slice(b"data: ");
        renamed.extend_from_slice(&answer);
        renamed.extend_from_slice(b"\n\n");
        renamed.freeze()
    }
}

/// The gateway's end of the stream, while it is there.
struct Reader {
    app: Arc<App>,
    sender: Option<mpsc::Sender<Result<Bytes, Infallible>>>,
}

impl Reader {
    async fn pass(&mut self, bytes: Bytes) {
        let Some(sender) = self.sender.as_ref().filter(|_| !bytes.is_empty()) else { return };
        if !matches!(timeout(STALL_MAX, sender.send(Ok(bytes))).await, Ok(Ok(()))) {
            self.leave();
        }
    }

    /// The gateway is gone: from here on the stream is read for the meter only.
    fn leave(&mut self) {
        self.sender = None;
        self.app.metrics.drained.inc();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n";

    /// What a gateway gets before and after the metering, and the counts.
    fn relay(
        stream: &str,
        cuts: &[usize],
        hide_usage: bool,
        rename: Option<&str>,
    ) -> (String, String, Option<Counts>) {
        let mut relay =
            Relay { hide_usage, rename: rename.map(String::from), counts: None, held: BytesMut::new() };
        let mut splitter = EventSplitter::default();
        let (mut events, mut passed, mut done) = (Vec::new(), Vec::new(), 0);
        let stream = Bytes::copy_from_slice(stream.as_bytes());
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
        cuts.push(stream.len());
        cuts.sort_unstable();
        for cut in cuts {
            splitter.push(stream.slice(done..cut), &mut events).unwrap();
            done = cut;
            let (pass, is_done) = relay.take(&mut events);
            passed.extend_from_slice(&pass);
            if is_done {
                break;
            }
        }
        (String::from_utf8(passed).unwrap(), String::from_utf8(relay.held.to_vec()).unwrap(), relay.counts)
    }

    fn words(count: usize) -> String {
        (0..count)
            .map(|word| format!("data: {{\"model\":\"e\",\"choices\":[{{\"text\":\"{word}\"}}]}}\n\n"))
            .collect()
    }

    proptest! {
        #[test]
        fn the_end_waits_for_the_meter_however_the_stream_is_cut(
            count in 0..6usize,
            cuts in prop::collection::vec(any::<usize>(), 0..20),
            hide_usage in any::<bool>(),
        ) {
            let done = "data: [DONE]\n\n";
            let (passed, held, counts) = relay(&format!("{}{USAGE}{done}", words(count)), &cuts, hide_usage, None);
            prop_assert_eq!(passed, words(count));
            prop_assert_eq!(held, if hide_usage { done.to_string() } else { format!("{USAGE}{done}") });
            prop_assert_eq!(counts, Some(Counts { prompt: 3, completion: 2, ..Default::default() }));
        }
    }

    #[test]
    fn usage_that_is_not_the_end_goes_on_in_its_place() {
        let stream = format!("{}{USAGE}{}", words(1), words(1));
        let (passed, held, _) = relay(&stream, &[], false, None);
        assert_eq!((passed, held.as_str()), (stream, ""));
    }

    #[test]
    fn chunks_are_put_under_the_name_that_was_asked_for() {
        let (passed, _, _) = relay(&words(2), &[], true, Some("tiny"));
        assert_eq!(passed, words(2).replace("\"e\"", "\"tiny\""));
    }
}
