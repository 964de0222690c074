//! Engines that fail, and callers that ask for what is not there.

use std::{convert::Infallible, net::SocketAddr, time::Duration};

use axum::{
    body::Body,
    http::header::{CONTENT_TYPE, LOCATION},
    response::{IntoResponse, Response},
    routing::post,
    Router,
};
use futures::StreamExt;
use http::StatusCode;
use serde_json::json;
use stipend_engine_sim::Options;
use stipend_primitives::{cost::Usage, ModelId};
use tokio::net::TcpListener;

use crate::world::{attestor, chat, digest, world, World, MODEL_ID};

/// An engine that always answers the same.
async fn engine_that_answers(answer: fn() -> Response) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/v1/chat/completions", post(move || async move { answer() }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn events(events: &'static [&'static str]) -> Response {
    let stream = futures::stream::iter(events).map(|event| Ok::<_, Infallible>(*event));
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
}

const WORD: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";

/// Asks once; returns status and text, and asks whether the digest was let go.
async fn ask(answer: fn() -> Response, stream: bool) -> (StatusCode, String, bool) {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine_that_answers(answer).await;
    let (_attestor, gateway) = attestor(dir.path(), engine, "").await;
    let (status, text) = gateway.chat(digest(1), json!({ "stream": stream })).await;
    let again = gateway.chat(digest(1), json!({ "stream": stream })).await.0;
    (status, text, again != StatusCode::CONFLICT)
}

#[tokio::test]
async fn an_answer_without_usage_is_withheld() {
    let (status, text, is_free) = ask(|| axum::Json(json!({ "choices": [] })).into_response(), false).await;
    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert!(text.contains("usage") && is_free);
}

#[tokio::test]
async fn a_stream_without_usage_is_metered_as_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine_that_answers(|| events(&[WORD, "data: [DONE]\n\n"])).await;
    let (_attestor, gateway) = attestor(dir.path(), engine, "").await;
    let (status, text) = gateway.chat(digest(1), json!({ "stream": true })).await;
    assert_eq!((status, text.ends_with("data: [DONE]\n\n")), (StatusCode::OK, true));
    let (_, leaves) = gateway.attested(0, &[digest(1)]).await;
    assert_eq!((leaves[0].usage, leaves[0].model), (Usage::default(), ModelId(MODEL_ID)));
}

#[tokio::test]
async fn a_stream_that_breaks_off_says_so() {
    let broken = || {
        let stream = futures::stream::iter([Ok(WORD), Err(std::io::Error::other("the GPU is gone"))]);
        // What was sent before the failure arrives before it.
        let stream = stream.then(|piece| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            piece
        });
        ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
    };
    let (status, text, is_free) = ask(broken, true).await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.starts_with(WORD) && text.contains("\"error\"") && !text.contains("[DONE]"), "{text}");
    assert!(!is_free, "the engine worked for it: it is metered, as nothing");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let redirect = || (StatusCode::FOUND, [(LOCATION, "http://127.0.0.1:9/")]).into_response();
    let (status, _, is_free) = ask(redirect, false).await;
    assert_eq!((status, is_free), (StatusCode::BAD_GATEWAY, true));
}

#[tokio::test]
async fn the_engines_refusal_is_passed_on_and_not_metered() {
    let World { gateway, .. } = &world(Options::default(), "").await;
    let (status, text) = gateway.chat(digest(1), json!({ "max_tokens": 0 })).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("max_tokens"));
    assert_eq!(gateway.chat(digest(1), json!({})).await.0, StatusCode::OK, "the digest was let go");
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_a_bad_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (_attestor, gateway) = attestor(dir.path(), gone, "").await;
    assert_eq!(gateway.chat(digest(1), json!({})).await.0, StatusCode::BAD_GATEWAY);
    assert_eq!(gateway.get("/healthz").await.0, StatusCode::OK, "attestations can still be fetched");
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let options = Options { first_token: Duration::from_secs(60), ..Options::default() };
    let World { gateway, engine, .. } = &world(options, "[limits]\nanswer_ms_max = 100").await;
    assert_eq!(gateway.chat(digest(1), json!({})).await.0, StatusCode::GATEWAY_TIMEOUT);
    let (status, text) = gateway.chat(digest(2), json!({ "stream": true })).await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("\"error\"") && !text.contains("[DONE]"));
    while engine.queue_lengths().0 > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn more_requests_than_there_is_room_for_are_refused() {
    let options = Options { first_token: Duration::from_millis(300), ..Options::default() };
    let World { gateway, .. } = &world(options, "[limits]\nrequests_max = 1").await;
    let other = gateway.clone();
    let first = tokio::spawn(async move { other.chat(digest(1), json!({})).await.0 });
    while gateway.metric("stipend_attestor_requests_in_flight").await != Some(1) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(gateway.chat(digest(2), json!({})).await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(first.await.unwrap(), StatusCode::OK);
}

#[tokio::test]
async fn requests_that_cannot_be_read_never_reach_the_engine() {
    let World { gateway, engine, .. } = &world(Options::default(), "[limits]\nbody_bytes_max = 2000").await;
    let other_model = json!({ "model": "tiny", "messages": [] });
    for (body, status) in [
        (json!("no object"), StatusCode::BAD_REQUEST),
        (other_model, StatusCode::NOT_FOUND),
        (chat(json!({ "padding": "x".repeat(3000) })), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(gateway.post("/v1/chat/completions", digest(1), body).await.0, status);
    }
    assert_eq!(gateway.get("/v1/unknown").await.0, StatusCode::NOT_FOUND);
    assert_eq!(engine.totals(), Default::default());
}
