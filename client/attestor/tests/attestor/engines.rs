//! Each engine's answers, as recorded (`recorded/README.md`), metered by the attestor; and what is refused because
//! the engine's usage would not cover it.

use std::{
    net::SocketAddr,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};

use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::{get, post},
    Router,
};
use http::StatusCode;
use serde_json::json;
use stipend_primitives::cost::Usage;
use tokio::net::TcpListener;

use crate::world::{attestor, digest, MODEL};

/// What a recorded engine shows and answers.
#[derive(Clone, Copy, Default)]
struct Recorded {
    metrics: &'static str,
    answer: &'static str,
    stream: &'static str,
}

const VLLM: Recorded = Recorded {
    metrics: include_str!("../recorded/vllm-metrics.txt"),
    answer: include_str!("../recorded/vllm-answer.json"),
    stream: include_str!("../recorded/vllm-stream.txt"),
};
const LLAMA_CPP: Recorded = Recorded {
    metrics: include_str!("../recorded/llama-cpp-metrics.txt"),
    answer: include_str!("../recorded/llama-cpp-answer.json"),
    stream: include_str!("../recorded/llama-cpp-stream.txt"),
};
const TGI: Recorded = Recorded {
    metrics: include_str!("../recorded/tgi-metrics.txt"),
    answer: include_str!("../recorded/tgi-answer.json"),
    stream: include_str!("../recorded/tgi-stream.txt"),
};
const TRITON: Recorded = Recorded {
    metrics: include_str!("../recorded/triton-metrics.txt"),
    answer: include_str!("../recorded/triton-answer.json"),
    stream: include_str!("../recorded/triton-stream.txt"),
};

/// Starts an engine that answers what was recorded.
async fn engine(recorded: Recorded) -> SocketAddr {
    async fn infer(State(recorded): State<Recorded>, body: String) -> Response {
        if !body.contains("\"stream\":true") {
            return ([(CONTENT_TYPE, "application/json")], recorded.answer).into_response();
        }
        let events: String = recorded.stream.lines().map(|line| format!("{line}\n\n")).collect();
        ([(CONTENT_TYPE, "text/event-stream; charset=utf-8")], events).into_response()
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/v1/chat/completions", post(infer))
        .route("/v1/completions", post(infer))
        .route("/metrics", get(|State(recorded): State<Recorded>| async move { recorded.metrics }))
        .with_state(recorded);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// The usages that are attested of an answer and of a stream.
async fn metered(recorded: Recorded) -> [Usage; 2] {
    let dir = tempfile::tempdir().unwrap();
    let (_attestor, gateway) = attestor(dir.path(), engine(recorded).await, "").await;
    for (number, stream) in [(1, false), (2, true)] {
        let (status, text) = gateway.chat(digest(number), json!({ "stream": stream })).await;
        assert_eq!(status, StatusCode::OK, "{text}");
    }
    let (_, leaves) = gateway.attested(0, &[digest(1), digest(2)]).await;
    [leaves[0].usage, leaves[1].usage]
}

fn usage(input: u32, cached_input: u32, output: u32) -> Usage {
    Usage { input, cached_input, output }
}

#[tokio::test]
async fn every_engines_usage_is_metered_from_answers_and_streams() {
    assert_eq!(metered(VLLM).await, [usage(19, 0, 10), usage(18, 0, 6)]);
    assert_eq!(metered(LLAMA_CPP).await, [usage(2, 1, 4), usage(27, 0, 3)]);
    assert_eq!(metered(TGI).await, [usage(12, 0, 20); 2]);
    assert_eq!(metered(TRITON).await, [usage(10, 0, 16); 2]);
}

#[tokio::test]
async fn tgis_text_streams_carry_their_usage_on_the_last_word() {
    let stream = include_str!("../recorded/tgi-text-stream.txt");
    assert_eq!(metered(Recorded { stream, ..TGI }).await[1], usage(12, 0, 20));
}

#[tokio::test]
async fn a_stream_in_which_the_engine_fails_is_metered_as_nothing() {
    let stream = include_str!("../recorded/tgi-error.txt");
    assert_eq!(metered(Recorded { stream, ..TGI }).await[1], Usage::default());
}

#[tokio::test]
async fn an_old_tritons_answer_without_usage_is_withheld() {
    let answer = include_str!("../recorded/triton-answer-without-usage.json");
    let dir = tempfile::tempdir().unwrap();
    let (_attestor, gateway) = attestor(dir.path(), engine(Recorded { answer, ..TRITON }).await, "").await;
    assert_eq!(gateway.chat(digest(1), json!({})).await.0, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn what_an_engines_usage_would_not_cover_is_refused() {
    let text = |more: serde_json::Value| {
        let mut body = json!({ "model": MODEL, "prompt": "Once" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let two_choices = text(json!({ "n": 2 }));
    let two_prompts = text(json!({ "prompt": ["Once", "upon"] }));
    let two_in_a_stream = text(json!({ "prompt": ["Once", "upon"], "stream": true }));
    let (ok, refused) = (StatusCode::OK, StatusCode::BAD_REQUEST);
    for (name, recorded, statuses) in [
        ("vllm", VLLM, [ok, ok, ok]),
        ("llama.cpp", LLAMA_CPP, [refused, refused, refused]),
        ("tgi", TGI, [ok, ok, refused]),
        ("openai", Recorded { metrics: "", ..VLLM }, [ok, ok, ok]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (_attestor, gateway) = attestor(dir.path(), engine(recorded).await, "").await;
        let bodies = [&two_choices, &two_prompts, &two_in_a_stream];
        for (number, (body, status)) in bodies.into_iter().zip(statuses).enumerate() {
            let got = gateway.post("/v1/completions", digest(number as u64), body.clone()).await;
            assert_eq!(got.0, status, "{name} {body}: {}", got.1);
            assert_eq!(status == refused, got.1.contains("one_generation"), "{}", got.1);
        }
    }
}

#[tokio::test]
async fn an_engine_that_is_not_ready_is_asked_again_which_one_it_is() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let looks = Arc::new(AtomicUsize::new(0));
    let count = looks.clone();
    // What stands before an engine that loads answers 502 to everything.
    let metrics = move || async move {
        match count.fetch_add(1, Ordering::Relaxed) {
            0 => StatusCode::BAD_GATEWAY.into_response(),
            _ => LLAMA_CPP.metrics.into_response(),
        }
    };
    let router = Router::new().route("/metrics", get(metrics)).fallback(|| async { StatusCode::BAD_GATEWAY });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let dir = tempfile::tempdir().unwrap();
    let (_attestor, gateway) = attestor(dir.path(), address, "[limits]\nscrape_ms = 0").await;
    let two = json!({ "n": 2 });
    assert_eq!(gateway.chat(digest(1), two.clone()).await.0, StatusCode::BAD_GATEWAY);
    while looks.load(Ordering::Relaxed) < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    while !gateway.chat(digest(2), two.clone()).await.1.contains("one_generation") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_engines_restart_is_seen_in_its_counters() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let generated = Arc::new(AtomicUsize::new(500));
    let counter = generated.clone();
    let metrics = move || async move {
        format!("llamacpp:tokens_predicted_total {}\n", counter.load(Ordering::Relaxed))
    };
    let router = Router::new().route("/metrics", get(metrics));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let dir = tempfile::tempdir().unwrap();
    let (_attestor, gateway) = attestor(dir.path(), address, "[limits]\nscrape_ms = 10").await;
    let excess = "stipend_attestor_engine_excess_tokens{kind=\"generation\"}";
    let until = async |name: &str, value: i64| {
        while gateway.metric(name).await != Some(value) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    until(excess, 0).await;
    // Somebody else uses the engine; then it is restarted, and what it did before is no excess any more.
    generated.store(530, Ordering::Relaxed);
    until(excess, 30).await;
    generated.store(7, Ordering::Relaxed);
    until("stipend_attestor_engine_restarts_total", 1).await;
    until(excess, 0).await;
    until("stipend_attestor_engine_tokens{kind=\"generation\"}", 37).await;
    generated.store(9, Ordering::Relaxed);
    until(excess, 2).await;
}
