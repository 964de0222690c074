//! A provider that does what the prompt says.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{combinators::BoxBody, BodyExt, Full, StreamBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use serde_json::{json, Value};
use stipend_openai::Endpoint;
use tokio::{
    net::TcpListener,
    sync::{mpsc, Notify},
};

use super::fake_answers;

/// What an upstream was sent.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

pub(super) struct FakeUpstream {
    pub(super) address: SocketAddr,
    pub(super) seen: Mutex<Vec<Seen>>,
    pub(super) claims: Mutex<Vec<Bytes>>,
    /// Streams that came to their end.
    pub(super) streams_ended: Mutex<usize>,
    /// What it answers to every request, if that is set.
    pub(super) always: Mutex<Option<StatusCode>>,
    /// What it answers to whoever looks after it.
    pub(super) readiness: Mutex<StatusCode>,
    pub(super) engine: Mutex<String>,
    /// The key that answers name, as attestors' do; none where it is empty.
    pub(super) key: Mutex<String>,
    /// Lets a `wait` go on.
    pub(super) go_on: Notify,
}

pub(super) type Body = BoxBody<Bytes, std::io::Error>;

/// Prompt tokens of every answer.
pub(super) const PROMPT_TOKENS: u64 = 10;

impl FakeUpstream {
    pub(super) async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = Arc::new(FakeUpstream {
            address: listener.local_addr().unwrap(),
            seen: Mutex::default(),
            claims: Mutex::default(),
            streams_ended: Mutex::default(),
            always: Mutex::default(),
            readiness: Mutex::new(StatusCode::OK),
            engine: Mutex::new(r#"{"priorities":"unknown"}"#.into()),
            key: Mutex::default(),
            go_on: Notify::new(),
        });
        let served = upstream.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let served = served.clone();
                let service = service_fn(move |request| {
                    let served = served.clone();
                    async move { Ok::<_, Infallible>(served.answer(request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        upstream
    }

    /// Bodies of the requests for inference so far.
    pub(super) fn bodies(&self) -> Vec<Value> {
        self.seen.lock().iter().map(|seen| seen.body.clone()).collect()
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let path = head.uri.path().to_owned();
        if path == "/v1/claims" {
            self.claims.lock().push(body);
            return plain(StatusCode::NO_CONTENT, "");
        }
        if path == "/readyz" {
            return plain(*self.readiness.lock(), "");
        }
        if path == "/v1/engine" {
            assert_eq!(head.headers["authorization"], "Bearer shared");
            return plain(StatusCode::OK, &self.engine.lock().clone());
        }
        let body: Value = serde_json::from_slice(&body).unwrap();
        let endpoint = Endpoint::of_path(&path).unwrap();
        self.seen.lock().push(Seen { path, headers: head.headers, body: body.clone() });
        let always = *self.always.lock();
        if let Some(status) = always {
            return plain(status, r#"{"error":{"message":"not now"}}"#);
        }
        let prompt = body["messages"][0]["content"].as_str().or(body["prompt"].as_str());
        let prompt = prompt.or(body["input"].as_str()).unwrap_or("ok").to_owned();
        let key = self.key.lock().clone();
        let mut answer = match endpoint {
            Endpoint::Chat | Endpoint::Completions => self.act(prompt, &body).await,
            _ => fake_answers::act(endpoint, &prompt, &body),
        };
        if !key.is_empty() {
            answer.headers_mut().insert("x-stipend-key", key.parse().unwrap());
        }
        answer
    }

    /// `ok`, `slow`, `wait`, `status N`, `no usage`, `no json`, `die`, `error event`, `above bound`.
    async fn act(self: Arc<Self>, prompt: String, body: &Value) -> Response<Body> {
        if let Some(status) = prompt.strip_prefix("status ") {
            let status = StatusCode::from_u16(status.parse().unwrap()).unwrap();
            return plain(status, r#"{"error":{"message":"the engine says no"}}"#);
        }
        if prompt == "no json" {
            return plain(StatusCode::OK, "hello");
        }
        let completion_tokens = match prompt.as_str() {
            "above bound" => 1_000_000,
            _ => body["max_tokens"].as_u64().unwrap_or(16).min(5),
        };
        let usage = json!({
            "prompt_tokens": PROMPT_TOKENS, "completion_tokens": completion_tokens,
            "prompt_tokens_details": {"cached_tokens": 4},
        });
        if body["stream"] == true {
            return self.stream(prompt, body["stream_options"]["include_usage"] == true, usage);
        }
        match prompt.as_str() {
            "slow" => tokio::time::sleep(Duration::from_millis(200)).await,
            "wait" => self.go_on.notified().await,
            _ => (),
        }
        let mut answer =
            json!({"object": "chat.completion", "model": body["model"], "choices": [{"index": 0}]});
        if prompt != "no usage" {
            answer["usage"] = usage;
        }
        plain(StatusCode::OK, &answer.to_string())
    }

    fn stream(self: Arc<Self>, prompt: String, include_usage: bool, usage: Value) -> Response<Body> {
        let (sender, receiver) = mpsc::channel::<Result<Frame<Bytes>, std::io::Error>>(1);
        tokio::spawn(async move {
            let send = |text: String| {
                let sender = sender.clone();
                async move { drop(sender.send(Ok(Frame::data(format!("data: {text}\n\n").into()))).await) }
            };
            for index in 0..4 {
                send(json!({"choices": [{"index": 0, "delta": {"content": index.to_string()}}]}).to_string())
                    .await;
                let pause = if prompt == "slow" { 50 } else { 1 };
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            match prompt.as_str() {
                "die" => drop(sender.send(Err(std::io::Error::other("the engine died"))).await),
                "error event" => {
                    send(json!({"error": {"message": "out of memory"}}).to_string()).await;
                    send("[DONE]".into()).await;
                }
                _ => {
                    if include_usage && prompt != "no usage" {
                        send(json!({"choices": [], "usage": usage}).to_string()).await;
                    }
                    send("[DONE]".into()).await;
                }
            }
            *self.streams_ended.lock() += 1;
        });
        let frames = futures::stream::unfold(receiver, |mut receiver| async move {
            receiver.recv().await.map(|frame| (frame, receiver))
        });
        let mut answer = Response::new(BodyExt::boxed(StreamBody::new(Box::pin(SyncStream(Mutex::new(
            Box::pin(frames),
        ))))));
        answer.headers_mut().insert("content-type", "text/event-stream; charset=utf-8".parse().unwrap());
        answer
    }
}

/// `BoxBody` wants what it boxes to be shareable between threads, which nobody does.
struct SyncStream<S>(Mutex<std::pin::Pin<Box<S>>>);

impl<S: futures::Stream> futures::Stream for SyncStream<S> {
    type Item = S::Item;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<S::Item>> {
        self.0.lock().as_mut().poll_next(context)
    }
}

pub(super) fn plain(status: StatusCode, body: &str) -> Response<Body> {
    let body = Full::new(Bytes::copy_from_slice(body.as_bytes())).map_err(|never| match never {});
    let mut answer = Response::new(BodyExt::boxed(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert("content-type", "application/json".parse().unwrap());
    answer
}
