//! Bytes on the wire that are no request of an honest caller.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::harness::*;

/// What comes back until the gateway closes the connection.
async fn talk(setup: &Setup, bytes: &str) -> String {
    let mut stream = TcpStream::connect(setup.address).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let read = timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
    // A reset after the answer is an end too.
    drop(read.expect("the connection stays open"));
    String::from_utf8(answer).unwrap()
}

/// A request that would be served, with one more line in its head, and another one behind it.
fn smuggling(line: &str) -> String {
    let body = chat("ok").to_string();
    let authorization = format!("authorization: Bearer {KEY}\r\n");
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n{authorization}content-length: {}\r\n{line}\r\n{body}\
         GET /v1/models HTTP/1.1\r\nhost: a\r\n{authorization}\r\n",
        body.len()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_two_servers_may_end_differently_are_refused_and_end_the_connection() {
    let setup = Setup::new().await;
    let long = format!("x: {}\r\n", "a".repeat(40_000));
    let many: String = (0..70).map(|number| format!("x-{number}: a\r\n")).collect();
    for (line, status) in [
        ("transfer-encoding: chunked\r\n", "400"),
        ("content-length: 5\r\n", "400"),
        ("transfer-encoding: identity\r\n", "400"),
        ("x: a\r\n folded\r\n", "400"),
        ("x: a\rb\r\n", "400"),
        ("x: a\nb: c\r\n", "400"),
        ("x: a\0b\r\n", "400"),
        ("x : a\r\n", "400"),
        ("no colon\r\n", "400"),
        (long.as_str(), "400"),
        (many.as_str(), "431"),
    ] {
        let answer = talk(&setup, &smuggling(line)).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{line:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.").count(), 1, "{line:?}: {answer}");
    }
    for (head, status) in [
        ("GET http://elsewhere/healthz HTTP/1.1\r\nhost: a\r\n\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\n\r\n", "400"),
        ("GET /healthz HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", "400"),
        ("POST /v1/completions HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
        ("GET /healthz HTTP/1.1\nhost: a\n\n", "400"),
    ] {
        let answer = talk(&setup, head).await;
        assert!(answer.split(' ').nth(1) == Some(status), "{head:?}: {answer}");
    }
    assert!(setup.upstreams[0].seen.lock().is_empty());
    let answer = talk(&setup, "GET /healthz HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200 "), "{answer}");
    assert!(setup.get("/metrics").await.text().contains("stipend_gateway_malformed_total 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_ends_with_408() {
    let setup = Setup::with(1, |config| config.limits.body_wait_max = Duration::from_millis(200)).await;
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\ncontent-length: 50\r\n\r\n{{"
    );
    let answer = talk(&setup, &head).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("request_timeout"), "{answer}");
}
