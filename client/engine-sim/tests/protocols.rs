//! Responses, messages, tools and images, as callers of the engine see them.
#![allow(clippy::unwrap_used, missing_docs)]

use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{json, Value};
use stipend_engine_sim::{serve, tokens_count, Engine, Options};
use tokio::net::TcpListener;

async fn start(options: Options) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let engine = Engine::new(Options { models: vec!["tiny".into()], ..options });
    tokio::spawn(serve(listener, engine, std::future::pending()));
    address
}

async fn post(address: SocketAddr, path: &str, body: Value) -> (u16, String) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::post(format!("http://{address}{path}"));
    let response =
        client.request(request.body(Full::new(Bytes::from(body.to_string()))).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn answer(address: SocketAddr, path: &str, body: Value) -> Value {
    serde_json::from_str(&post(address, path, body).await.1).unwrap()
}

/// The events of a stream, each of which must bear the name of its type.
async fn events(address: SocketAddr, path: &str, mut body: Value) -> Vec<Value> {
    body["stream"] = json!(true);
    let text = post(address, path, body).await.1;
    let event = |event: &str| {
        let (name, data) = event.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        data
    };
    text.split_terminator("\n\n").map(event).collect()
}

fn deltas(events: &[Value], at: &str) -> String {
    events.iter().filter_map(|event| event.pointer(at)?.as_str()).collect()
}

const QUESTION: &str = "How many tokens is this?";

#[tokio::test]
async fn a_response_says_the_same_whole_and_streamed() {
    let address = start(Options::default()).await;
    let body = json!({"model": "tiny", "input": QUESTION, "instructions": "Count.", "max_output_tokens": 7});
    let whole = answer(address, "/v1/responses", body.clone()).await;
    let text = whole["output"][0]["content"][0]["text"].as_str().unwrap();
    let input = tokens_count(QUESTION) + tokens_count("Count.");
    assert_eq!((tokens_count(text), &whole["status"]), (7, &json!("incomplete")));
    assert_eq!(
        (&whole["usage"]["input_tokens"], &whole["usage"]["output_tokens"]),
        (&json!(input), &json!(7))
    );
    let events = events(address, "/v1/responses", body).await;
    assert_eq!(deltas(&events, "/delta"), text);
    let last = events.last().unwrap();
    assert_eq!((&last["type"], &last["response"]["usage"]), (&json!("response.incomplete"), &whole["usage"]));
    let numbers: Vec<u64> = events.iter().map(|event| event["sequence_number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>());
    let open = json!({"model": "tiny", "input": [{"role": "user", "content": QUESTION}]});
    assert_eq!(answer(address, "/v1/responses", open).await["status"], "completed");
}

#[tokio::test]
async fn a_message_says_the_same_whole_and_streamed() {
    let address = start(Options { prefix_cache: true, ..Options::default() }).await;
    let content = "the quick brown fox ".repeat(20);
    let body = json!({"model": "tiny", "max_tokens": 7, "messages": [{"role": "user", "content": content}]});
    let whole = answer(address, "/v1/messages", body.clone()).await;
    assert_eq!((&whole["stop_reason"], &whole["usage"]["output_tokens"]), (&json!("max_tokens"), &json!(7)));
    let events = events(address, "/v1/messages", body).await;
    assert_eq!(deltas(&events, "/delta/text"), whole["content"][0]["text"].as_str().unwrap());
    let usage = &events[0]["message"]["usage"];
    let (input, cached) = (&usage["input_tokens"], &usage["cache_read_input_tokens"]);
    assert!(cached.as_u64().unwrap() > 0, "{usage}");
    assert_eq!(input.as_u64().unwrap() + cached.as_u64().unwrap(), tokens_count(&content));
    let [.., delta, stop] = &events[..] else { panic!("too few events") };
    assert_eq!((&delta["usage"]["output_tokens"], &stop["type"]), (&json!(7), &json!("message_stop")));
    let (status, text) = post(address, "/v1/messages", json!({"model": "other", "max_tokens": 1})).await;
    assert_eq!(status, 404);
    assert!(text.contains("\"not_found_error\""), "{text}");
}

#[tokio::test]
async fn the_first_tool_is_called_with_arguments_that_are_json() {
    let address = start(Options::default()).await;
    let chat = json!({"model": "tiny", "max_tokens": 4, "messages": [{"role": "user", "content": QUESTION}],
        "tools": [{"type": "function", "function": {"name": "note"}}]});
    let message = answer(address, "/v1/chat/completions", chat.clone()).await["choices"][0].take();
    assert_eq!(
        (&message["finish_reason"], &message["message"]["content"]),
        (&json!("tool_calls"), &Value::Null)
    );
    let call = &message["message"]["tool_calls"][0]["function"];
    let words = |text: &Value| -> Value { serde_json::from_str(text.as_str().unwrap()).unwrap() };
    assert_eq!(call["name"], "note");
    assert_eq!(tokens_count(words(&call["arguments"])["words"].as_str().unwrap()), 4);
    let mut declined = chat;
    declined["tool_choice"] = json!("none");
    let message = answer(address, "/v1/chat/completions", declined).await["choices"][0]["message"].take();
    assert!(message["content"].is_string() && message.get("tool_calls").is_none());

    let tools = json!([{"type": "function", "name": "note"}]);
    let body = json!({"model": "tiny", "max_output_tokens": 4, "input": QUESTION, "tools": tools});
    let item = answer(address, "/v1/responses", body.clone()).await["output"][0].take();
    assert_eq!(item["type"], "function_call");
    let streamed = events(address, "/v1/responses", body).await;
    assert_eq!(deltas(&streamed, "/delta"), item["arguments"].as_str().unwrap());
    words(&item["arguments"]);

    let body = json!({"model": "tiny", "max_tokens": 4, "tools": [{"name": "note"}],
        "messages": [{"role": "user", "content": QUESTION}]});
    let whole = answer(address, "/v1/messages", body.clone()).await;
    let streamed = events(address, "/v1/messages", body).await;
    let said: Value = serde_json::from_str(&deltas(&streamed, "/delta/partial_json")).unwrap();
    assert_eq!((&whole["stop_reason"], &whole["content"][0]["input"]), (&json!("tool_use"), &said));
}

#[tokio::test]
async fn images_are_pngs_and_usage_is_reported_only_where_that_is_wanted() {
    for image_usage in [false, true] {
        let address = start(Options { image_usage, ..Options::default() }).await;
        let body = json!({"model": "tiny", "prompt": QUESTION, "n": 2});
        let made = answer(address, "/v1/images/generations", body.clone()).await;
        assert_eq!(made["data"].as_array().unwrap().len(), 2);
        assert!(made["data"][1]["b64_json"].as_str().unwrap().starts_with("iVBORw0KGgo"), "no PNG");
        let usage = image_usage.then(|| (json!(tokens_count(QUESTION)), json!(2 * 272)));
        let said =
            made.get("usage").map(|usage| (usage["input_tokens"].clone(), usage["output_tokens"].clone()));
        assert_eq!(said, usage);
        let streamed =
            events(address, "/v1/images/generations", json!({"model": "tiny", "prompt": "x"})).await;
        assert_eq!((streamed.len(), &streamed[0]["type"]), (1, &json!("image_generation.completed")));
        assert_eq!(post(address, "/v1/images/generations", json!({"model": "tiny"})).await.0, 400);
    }
}
