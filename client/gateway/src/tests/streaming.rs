use serde_json::{json, Value};
use stipend_primitives::ClassId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::harness::*;

fn stream(prompt: &str) -> Value {
    let mut body = chat(prompt);
    body["stream"] = json!(true);
    body
}

/// The data of the events of a stream.
fn data(got: &Got) -> Vec<String> {
    let text = got.text();
    text.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_passed_on_without_the_usage_that_the_caller_did_not_ask_for() {
    let setup = Setup::new().await;
    let got = setup.post("/v1/chat/completions", stream("ok")).await;
    assert_eq!(got.status, 200);
    assert_eq!(got.headers["content-type"], "text/event-stream");
    let data = data(&got);
    assert_eq!(data.len(), 5, "{data:#?}");
    assert_eq!(data[4], "[DONE]");
    assert!(!got.text().contains("usage"));
    assert_eq!(setup.upstreams[0].bodies()[0]["stream_options"], json!({"include_usage": true}));
    setup.charged(1).await;
    assert_eq!(setup.spent(ClassId::INNOVATION), price(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_asks_for_the_usage_gets_it() {
    let setup = Setup::new().await;
    let mut body = stream("ok");
    body["stream_options"] = json!({"include_usage": true});
    let got = setup.post("/v1/chat/completions", body).await;
    let data = data(&got);
    assert_eq!(data.len(), 6);
    assert!(data[4].contains("\"completion_tokens\":5") && data[5] == "[DONE]", "{data:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_byte_comes_after_the_receipt() {
    let setup = Setup::new().await;
    for number in 0..20 {
        let got = setup.post("/v1/chat/completions", stream("ok")).await;
        assert!(got.text().ends_with("data: [DONE]\n\n"));
        // No waiting: whoever has the last byte has a durable receipt.
        assert_eq!(setup.recorded(), number + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_in_the_middle_is_charged_for_what_the_engine_did() {
    let setup = Setup::new().await;
    let body = stream("slow").to_string();
    let mut raw = tokio::net::TcpStream::connect(setup.address).await.unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    raw.write_all((head + &body).as_bytes()).await.unwrap();
    let mut some = [0; 256];
    assert!(raw.read(&mut some).await.unwrap() > 0);
    drop(raw);
    setup.charged(1).await;
    assert_eq!(setup.spent(ClassId::INNOVATION), price(5));
    assert_eq!(*setup.upstreams[0].streams_ended.lock(), 1);
    assert_eq!(setup.held(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_leaves_before_a_whole_answer_is_charged_too() {
    let setup = Setup::new().await;
    let body = chat("slow").to_string();
    let mut raw = tokio::net::TcpStream::connect(setup.address).await.unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    raw.write_all((head + &body).as_bytes()).await.unwrap();
    until("the engine has the request", || !setup.upstreams[0].seen.lock().is_empty()).await;
    drop(raw);
    setup.charged(1).await;
    assert_eq!(setup.spent(ClassId::INNOVATION), price(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_dies_or_fails_is_not_charged_and_says_so() {
    let setup = Setup::new().await;
    for (prompt, said) in [
        ("die", "The provider broke off. Nothing was charged"),
        ("error event", "out of memory"),
        ("no usage", "Nothing was charged"),
    ] {
        let got = setup.post("/v1/chat/completions", stream(prompt)).await;
        assert_eq!(got.status, 200);
        assert!(got.text().contains(said), "{prompt}: {}", got.text());
    }
    assert_eq!(setup.recorded(), 0);
    until("the holds are given back", || setup.held() == 0).await;
    assert_eq!(setup.spent(ClassId::INNOVATION), 0);
}
