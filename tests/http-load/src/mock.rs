//! The stand-in upstream: OpenAI chat completions whose answers were made before anybody asked.
//!
//! To a gateway of Stipend it is an attestor as far as requests go: ready, its engine's queue empty, every claim
//! taken. It attests nothing, so what was served by it is settled as unattested.

use std::{
    convert::Infallible,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    header::{HeaderName, HeaderValue, CONTENT_TYPE},
    server::conn::http1,
    service::service_fn,
    Method, Request, Response, StatusCode,
};
use hyper_util::rt::TokioIo;
use serde_json::{json, Value};
use tokio::net::{TcpListener, TcpStream};

/// Pieces of a streamed answer that carry text: each is a write of its own.
pub const PIECES: u32 = 16;

/// Tokens that every answer says its prompt had.
pub const PROMPT_TOKENS: u32 = 96;

/// What every piece says.
const PIECE: &str = " token";

/// Names the provider's key, so that a gateway proves its requests with a keyed hash, as it does to an attestor.
const X_KEY: HeaderName = HeaderName::from_static("x-stipend-key");

/// The text of every answer.
pub fn text() -> String {
    PIECE.repeat(PIECES as usize)
}

/// Serves until it is killed.
pub async fn serve(listener: TcpListener, provider_key: HeaderValue) -> Result<()> {
    let answers = Arc::new(Answers::new(provider_key));
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(stream, answers.clone()));
    }
}

/// Takes an address of this machine's own; port 0 takes a free one.
pub async fn listen(address: SocketAddr) -> Result<TcpListener> {
    Ok(TcpListener::bind(address).await?)
}

async fn connection(stream: TcpStream, answers: Arc<Answers>) {
    // An error means that the other side has gone.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let answers = answers.clone();
        async move { Ok::<_, Infallible>(answers.to(request).await) }
    });
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

struct Answers {
    whole: Bytes,
    events: Arc<[Bytes]>,
    engine: Bytes,
    models: Bytes,
    provider_key: HeaderValue,
}

impl Answers {
    fn new(provider_key: HeaderValue) -> Self {
        Answers {
            whole: Bytes::from(whole().to_string()),
            events: events().into(),
            engine: Bytes::from(json!({ "waiting": 0, "priorities": "ignored" }).to_string()),
            models: Bytes::from(
                json!({ "object": "list", "data": [{ "id": "mock", "object": "model" }] }).to_string(),
            ),
            provider_key,
        }
    }

    async fn to(&self, request: Request<Incoming>) -> Response<AnswerBody> {
        let is_chat = request.method() == Method::POST && request.uri().path() == "/v1/chat/completions";
        let path = if is_chat { String::new() } else { request.uri().path().to_owned() };
        let Ok(body) = request.into_body().collect().await else {
            return self.empty(StatusCode::BAD_REQUEST);
        };
        if is_chat {
            return match asks_for_a_stream(&body.to_bytes()) {
                true => self.answer(AnswerBody::events(self.events.clone()), "text/event-stream"),
                false => self.json(self.whole.clone()),
            };
        }
        match path.as_str() {
            "/v1/engine" => self.json(self.engine.clone()),
            "/v1/models" => self.json(self.models.clone()),
            "/readyz" | "/health" | "/v1/claims" => self.empty(StatusCode::OK),
            _ => self.empty(StatusCode::NOT_FOUND),
        }
    }

    fn json(&self, body: Bytes) -> Response<AnswerBody> {
        self.answer(AnswerBody::Whole(Full::new(body)), "application/json")
    }

    fn answer(&self, body: AnswerBody, kind: &'static str) -> Response<AnswerBody> {
        let mut answer = Response::new(body);
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        answer.headers_mut().insert(X_KEY, self.provider_key.clone());
        answer
    }

    fn empty(&self, status: StatusCode) -> Response<AnswerBody> {
        let mut answer = Response::new(AnswerBody::Whole(Full::default()));
        *answer.status_mut() = status;
        answer
    }
}

/// Whether the body's member `stream` is true. Prompts of the load never hold its name in quotes.
fn asks_for_a_stream(body: &[u8]) -> bool {
    const MEMBER: &[u8] = b"\"stream\"";
    let Some(at) = body.windows(MEMBER.len()).position(|window| window == MEMBER) else { return false };
    let value = body[at + MEMBER.len()..].trim_ascii_start();
    value.strip_prefix(b":").is_some_and(|value| value.trim_ascii_start().starts_with(b"true"))
}

fn usage() -> Value {
    json!({ "prompt_tokens": PROMPT_TOKENS, "completion_tokens": PIECES, "total_tokens": PROMPT_TOKENS + PIECES })
}

fn whole() -> Value {
    json!({
        "id": "chatcmpl-mock",
        "object": "chat.completion",
        "created": 1_767_225_600,
        "model": "mock",
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": text() },
            "finish_reason": "stop",
        }],
        "usage": usage(),
    })
}

/// The events of a stream; the last ones come together, as engines send them.
fn events() -> Vec<Bytes> {
    let event = |choices: Value, usage: Value| {
        let event = json!({
            "id": "chatcmpl-mock",
            "object": "chat.completion.chunk",
            "created": 1_767_225_600,
            "model": "mock",
            "choices": choices,
            "usage": usage,
        });
        format!("data: {event}\n\n")
    };
    let choice = |delta: Value, end: Value| json!([{ "index": 0, "delta": delta, "finish_reason": end }]);
    let piece = |at| match at {
        0 => json!({ "role": "assistant", "content": PIECE }),
        _ => json!({ "content": PIECE }),
    };
    let mut events: Vec<String> =
        (0..PIECES).map(|at| event(choice(piece(at), Value::Null), Value::Null)).collect();
    let end = event(choice(json!({}), json!("stop")), Value::Null);
    events.push(format!("{end}{}data: [DONE]\n\n", event(json!([]), usage())));
    events.into_iter().map(Bytes::from).collect()
}

/// An answer's body.
enum AnswerBody {
    Whole(Full<Bytes>),
    Events { events: Arc<[Bytes]>, next: usize, is_flushed: bool },
}

impl AnswerBody {
    fn events(events: Arc<[Bytes]>) -> Self {
        AnswerBody::Events { events, next: 0, is_flushed: true }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            AnswerBody::Whole(body) => Pin::new(body).poll_frame(context),
            AnswerBody::Events { events, next, is_flushed } => {
                if !std::mem::replace(is_flushed, true) {
                    // Being asked again later, hyper writes out what it has.
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                let event = events.get(*next).cloned();
                (*next, *is_flushed) = (*next + 1, false);
                Poll::Ready(event.map(|event| Ok(Frame::data(event))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            AnswerBody::Whole(body) => body.is_end_stream(),
            AnswerBody::Events { events, next, .. } => *next >= events.len(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            AnswerBody::Whole(body) => body.size_hint(),
            AnswerBody::Events { .. } => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_asked_for_by_its_member_alone() {
        for (body, is_stream) in [
            (r#"{"stream":true}"#, true),
            (r#"{"stream" : true, "n": 1}"#, true),
            (r#"{"stream":false}"#, false),
            (r#"{"stream_options":{"include_usage":true}}"#, false),
            (r#"{}"#, false),
        ] {
            assert_eq!(asks_for_a_stream(body.as_bytes()), is_stream, "{body}");
        }
    }

    #[test]
    fn streamed_pieces_make_the_text_of_the_whole_answer() {
        let text_of =
            |event: &Value| event["choices"][0]["delta"]["content"].as_str().unwrap_or_default().to_owned();
        let stream = events().concat();
        let stream = String::from_utf8(stream).expect("JSON is UTF-8; qed");
        let data: Vec<&str> = stream.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).collect();
        let (done, events) = data.split_last().expect("there are events; qed");
        let events: Vec<Value> =
            events.iter().map(|event| serde_json::from_str(event).expect("JSON; qed")).collect();
        assert_eq!(events.iter().map(text_of).collect::<String>(), text());
        assert_eq!(whole()["choices"][0]["message"]["content"], text());
        assert_eq!(events.last().map(|event| event["usage"].clone()), Some(usage()));
        assert_eq!(*done, "[DONE]");
    }
}
