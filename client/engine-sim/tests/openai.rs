//! What callers of the engine see.
#![allow(clippy::unwrap_used, missing_docs)]

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, Request, Response};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{json, Value};
use stipend_engine_sim::{serve, tokens_count, Engine, Options, Totals};
use tokio::net::TcpListener;

async fn start(options: Options) -> (Engine, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let engine = Engine::new(Options { models: vec!["tiny".into()], ..options });
    tokio::spawn(serve(listener, engine.clone(), std::future::pending()));
    (engine, address)
}

async fn post(address: SocketAddr, path: &str, body: Value) -> Response<Incoming> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::post(format!("http://{address}{path}")).header("content-type", "application/json");
    client.request(request.body(Full::new(Bytes::from(body.to_string()))).unwrap()).await.unwrap()
}

async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

async fn answer(address: SocketAddr, path: &str, body: Value) -> Value {
    serde_json::from_str(&text(post(address, path, body).await).await).unwrap()
}

/// The JSON of all events but the last, which must be `[DONE]`.
async fn events(address: SocketAddr, path: &str, body: Value) -> Vec<Value> {
    let text = text(post(address, path, body).await).await;
    let mut events: Vec<&str> = text.split_terminator("\n\n").collect();
    assert_eq!(events.pop(), Some("data: [DONE]"));
    events.iter().map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap()).collect()
}

const PROMPT: &str = "How many tokens is this, all in all?";

fn chat(more: Value) -> Value {
    let mut body = json!({ "model": "tiny", "messages": [
        { "role": "system", "content": "Count." },
        { "role": "user", "content": [{ "type": "text", "text": PROMPT }] },
    ]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

fn prompt_tokens() -> u64 {
    tokens_count("Count.") + tokens_count(PROMPT)
}

#[tokio::test]
async fn an_answer_has_exactly_the_tokens_asked_for() {
    let (engine, address) = start(Options::default()).await;
    let answer = answer(address, "/v1/chat/completions", chat(json!({ "max_tokens": 37 }))).await;
    let words = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert_eq!(tokens_count(words), 37);
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(
        answer["usage"],
        json!({ "prompt_tokens": prompt_tokens(), "completion_tokens": 37, "total_tokens": prompt_tokens() + 37,
                "prompt_tokens_details": null })
    );
    assert!(answer["system_fingerprint"].as_str().unwrap().contains("invented words"));
    let totals = Totals { prompt_tokens: prompt_tokens(), generation_tokens: 37, successes: 1 };
    assert_eq!(engine.totals(), totals);
}

#[tokio::test]
async fn the_same_prompt_gets_the_same_words() {
    let (_, address) = start(Options::default()).await;
    let body = json!({ "model": "tiny", "prompt": "once upon" });
    let first = answer(address, "/v1/completions", body.clone()).await;
    let second = answer(address, "/v1/completions", body).await;
    assert_eq!(first["choices"][0]["text"], second["choices"][0]["text"]);
    assert_eq!(tokens_count(first["choices"][0]["text"].as_str().unwrap()), 16);
}

#[tokio::test]
async fn a_stream_gives_usage_in_one_chunk_without_choices_if_asked() {
    let (_, address) = start(Options::default()).await;
    let asked = json!({ "stream": true, "max_tokens": 5, "stream_options": { "include_usage": true } });
    let mut events_seen = events(address, "/v1/chat/completions", chat(asked)).await;
    let usage = events_seen.pop().unwrap();
    assert_eq!(usage["choices"], json!([]));
    assert_eq!(usage["usage"]["completion_tokens"], 5);
    assert!(events_seen.iter().all(|event| event.get("usage").is_none()));
    assert_eq!(events_seen.len(), 6, "a role and five tokens");

    let silent =
        json!({ "stream": true, "max_tokens": 5, "stream_options": { "continuous_usage_stats": true } });
    let events_seen = events(address, "/v1/chat/completions", chat(silent)).await;
    assert_eq!(events_seen.len(), 6);
    assert!(events_seen.iter().all(|event| event.get("usage").is_none()));
}

#[tokio::test]
async fn counters_count_the_prompt_once_per_choice_and_usage_once() {
    let (engine, address) = start(Options::default()).await;
    let answer = answer(address, "/v1/chat/completions", chat(json!({ "max_tokens": 3, "n": 2 }))).await;
    assert_eq!(answer["choices"].as_array().unwrap().len(), 2);
    assert_eq!(answer["usage"]["prompt_tokens"], prompt_tokens());
    assert_eq!(answer["usage"]["completion_tokens"], 6);
    let totals = engine.totals();
    assert_eq!((totals.prompt_tokens, totals.generation_tokens), (2 * prompt_tokens(), 6));
}

#[tokio::test]
async fn generation_stops_when_the_caller_goes_away() {
    let options = Options { tokens_per_second: Some(200.0), ..Options::default() };
    let (engine, address) = start(options).await;
    for stream in [true, false] {
        let before = engine.totals();
        let body = chat(json!({ "max_tokens": 100_000, "stream": stream }));
        let call = tokio::spawn(async move { text(post(address, "/v1/chat/completions", body).await).await });
        while engine.totals().generation_tokens < before.generation_tokens + 10 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        call.abort();
        while engine.queue_lengths().0 > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let stopped_at = engine.totals();
        assert!(stopped_at.generation_tokens >= before.generation_tokens + 10);
        assert_eq!(stopped_at.successes, before.successes);
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(engine.totals(), stopped_at);
    }
}

#[tokio::test]
async fn a_prefix_cache_reports_what_it_saved() {
    let (_, address) = start(Options { prefix_cache: true, ..Options::default() }).await;
    let prompt = "the quick brown fox jumps over the lazy dog ".repeat(20);
    let body = json!({ "model": "tiny", "prompt": prompt });
    let cold = answer(address, "/v1/completions", body.clone()).await;
    let warm = answer(address, "/v1/completions", body).await;
    assert_eq!(cold["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
    let cached = warm["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap();
    let total = warm["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!(cached > 0 && cached < total && cached % 16 == 0, "{cached} of {total}");
}

#[tokio::test]
async fn every_prompt_and_token_list_is_answered() {
    let (_, address) = start(Options::default()).await;
    let answer = answer(
        address,
        "/v1/completions",
        json!({ "model": "tiny", "prompt": ["a", "b c"], "max_tokens": 2 }),
    )
    .await;
    assert_eq!(answer["choices"].as_array().unwrap().len(), 2);
    assert_eq!(answer["usage"]["completion_tokens"], 4);
    let body = json!({ "model": "tiny", "input": [[1, 2, 3], [4]] });
    let embedded = self::answer(address, "/v1/embeddings", body).await;
    assert_eq!(embedded["usage"], json!({ "prompt_tokens": 4, "total_tokens": 4 }));
    assert_eq!(embedded["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_served_is_refused() {
    let (engine, address) = start(Options::default()).await;
    for (body, status) in [
        (json!({ "model": "other", "messages": [] }), 404),
        (json!({ "model": "tiny", "messages": [], "max_tokens": 0 }), 400),
        (json!({ "model": "tiny", "messages": [], "max_tokens": 1_000_000 }), 400),
        (json!({ "model": "tiny", "messages": [], "n": 0 }), 400),
        (json!({ "messages": [] }), 400),
    ] {
        let response = post(address, "/v1/chat/completions", body).await;
        assert_eq!(response.status(), status);
        assert!(text(response).await.contains("\"error\""));
    }
    assert_eq!(engine.totals(), Totals::default());
}

#[tokio::test]
async fn counters_have_vllms_names_from_the_first_scrape() {
    let (_, address) = start(Options::default()).await;
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let scraped = text(client.get(format!("http://{address}/metrics").parse().unwrap()).await.unwrap()).await;
    for line in [
        r#"vllm:prompt_tokens_total{engine="0",model_name="tiny"} 0"#,
        r#"vllm:generation_tokens_total{engine="0",model_name="tiny"} 0"#,
        r#"vllm:num_requests_running{engine="0",model_name="tiny"} 0"#,
        r#"vllm:num_requests_waiting{engine="0",model_name="tiny"} 0"#,
    ] {
        assert!(scraped.lines().any(|found| found == line), "{line} in\n{scraped}");
    }
    let health = client.get(format!("http://{address}/health").parse().unwrap()).await.unwrap();
    assert_eq!(health.status(), 200);
}
