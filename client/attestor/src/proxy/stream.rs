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
use stipend_openai::{rewrite::with_answer_model, ApiError, Chunk, Event, EventSplitter, StreamReader};
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

/// Time for the few bytes behind the event that ends a stream, after which the connection can serve the next request.
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
    let endpoint = plan.usage.endpoint();
    let events = plan.usage.stream();
    let mut relay = Relay { hide_usage: plan.hide_usage, rename: plan.rename, events, held: BytesMut::new() };
    let end = pass_events(&mut relay, &mut reader, &mut upstream, plan.deadline).await;
    if let Err(why) = &end {
        tracing::warn!(why, "a stream broke off");
        reader.app.metrics.requests.with_label_values(&["engine_failed"]).inc();
    }
    if let Err(error) = meter.record(relay.events.usage()).await {
        return reader.pass(not_durable(&error).to_event_of(endpoint).into()).await;
    }
    match end {
        Ok(()) => reader.pass(relay.held.freeze()).await,
        Err(_) => {
            let error = ApiError::upstream("The engine's stream broke off.");
            reader.pass(error.to_event_of(endpoint).into()).await
        }
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

/// Passes events on up to the one that says that the stream is complete, or the stream's end.
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
    /// Reads the events, and remembers the usage.
    events: StreamReader,
    /// What must not go on before the metering is durable.
    held: BytesMut,
}

impl Relay {
    /// Takes events; returns what goes on now and whether the end was among them.
    fn take(&mut self, events: &mut Vec<Event>) -> (Bytes, bool) {
        // Most pieces are one event that goes on as it is, without a copy.
        let mut first = None;
        let mut pass = BytesMut::new();
        let mut is_done = false;
        for event in events.drain(..) {
            // What follows the end is none of the protocol's.
            if is_done {
                break;
            }
            match self.events.take(&event) {
                Some(Ok(Chunk::End)) => is_done = true,
                Some(Ok(Chunk::UsageOnly)) => {
                    if !self.hide_usage {
                        let event = self.renamed(event);
                        self.held.extend_from_slice(&event);
                    }
                    continue;
                }
                Some(Ok(Chunk::Other | Chunk::Error)) | None => {}
                Some(Err(error)) => {
                    tracing::warn!(%error, "a chunk cannot be read; it is passed on unmetered")
                }
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
        event.with_data(&answer)
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
    use stipend_openai::{Endpoint, RequestView, UsageReader};
    use stipend_primitives::cost::Usage;

    use super::*;

    const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n";

    /// What a gateway gets before and after the metering, and the counts.
    fn relay(
        stream: &str,
        cuts: &[usize],
        hide_usage: bool,
        rename: Option<&str>,
    ) -> (String, String, Option<Usage>) {
        relay_of(Endpoint::Chat, stream, cuts, hide_usage, rename)
    }

    fn relay_of(
        endpoint: Endpoint,
        stream: &str,
        cuts: &[usize],
        hide_usage: bool,
        rename: Option<&str>,
    ) -> (String, String, Option<Usage>) {
        let view = RequestView::read(endpoint, br#"{"model":"m"}"#).unwrap();
        let events = UsageReader::of(&view).stream();
        let mut relay = Relay { hide_usage, rename: rename.map(String::from), events, held: BytesMut::new() };
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
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (text(&passed), text(&relay.held), relay.events.usage().ok())
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
            prop_assert_eq!(counts, Some(Usage { input: 3, cached_input: 0, output: 2 }));
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

    const RESPONSE: [&str; 2] = [
        "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"model\":\"e\"}}\n\n",
        "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"model\":\"e\",\
         \"usage\":{\"input_tokens\":3,\"output_tokens\":2}}}\n\n",
    ];

    const MESSAGE: [&str; 2] = [
        "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"e\",\
         \"usage\":{\"input_tokens\":3,\"output_tokens\":1}}}\n\n\
         event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":2}}\n\n",
        "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
    ];

    proptest! {
        #[test]
        fn the_end_of_every_protocol_waits_for_the_meter(cuts in prop::collection::vec(any::<usize>(), 0..20)) {
            for (endpoint, [before, end]) in [(Endpoint::Responses, RESPONSE), (Endpoint::Messages, MESSAGE)] {
                let stream = format!("{before}{end}data: [DONE]\n\n");
                let (passed, held, usage) = relay_of(endpoint, &stream, &cuts, true, Some("tiny"));
                prop_assert_eq!(passed, before.replace("\"e\"", "\"tiny\""));
                prop_assert_eq!(held, end.replace("\"e\"", "\"tiny\""));
                prop_assert_eq!(usage, Some(Usage { input: 3, cached_input: 0, output: 2 }));
            }
        }
    }
}
