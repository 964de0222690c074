//! Claims and attestations over HTTP.

use http::{Request, StatusCode};
use serde_json::{json, Value};
use stipend_engine_sim::Options;
use stipend_primitives::{cost::Usage, ModelId};

use crate::world::{digest, world, World};

#[tokio::test]
async fn a_repeated_claim_is_the_same_and_another_one_conflicts() {
    let World { gateway, .. } = &world(Options::default(), "").await;
    gateway.chat(digest(1), json!({})).await;
    let (first, _) = gateway.attested(5, &[digest(1), digest(2)]).await;
    let (again, _) = gateway.attested(5, &[digest(1), digest(2)]).await;
    assert_eq!(first, again);
    assert_eq!(gateway.claim(5, &[digest(1)]).await, StatusCode::CONFLICT);
    assert_eq!(gateway.claim(6, &[digest(3)]).await, StatusCode::CONFLICT);
}

#[tokio::test]
async fn what_was_never_served_is_attested_as_nothing() {
    let World { gateway, .. } = &world(Options::default(), "").await;
    let (signed, leaves) = gateway.attested(0, &[digest(1)]).await;
    assert_eq!((leaves[0].usage, leaves[0].model), (Usage::default(), ModelId(u16::MAX)));
    assert_eq!((signed.attestation.count, signed.attestation.input), (1, 0));
}

#[tokio::test]
async fn a_range_without_a_claim_is_not_found() {
    let World { gateway, .. } = &world(Options::default(), "").await;
    gateway.claim(0, &[digest(1), digest(2)]).await;
    for path in [
        gateway.range_path(0, 0),
        gateway.range_path(1, 1),
        gateway.range_path(0, 1).replace("/v1/attestations/", "/v1/attestations/00"),
        "/v1/attestations/xyz/0/1".into(),
    ] {
        let (status, body) = gateway.get(&path).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(serde_json::from_slice::<Value>(&body).unwrap()["error"]["message"].is_string());
        assert_eq!(gateway.get(&format!("{path}/leaves")).await.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn a_claim_that_is_not_the_gateways_is_refused() {
    let World { gateway, .. } = &world(Options::default(), "").await;
    let mut bytes = gateway.claim_bytes(0, &[digest(1)]);
    let last = bytes.len() - 1;
    let post = |bytes: Vec<u8>| {
        let request = Request::post(format!("http://{}/v1/claims", gateway.attestor));
        gateway.send(request.body(bytes::Bytes::from(bytes).into()).unwrap())
    };
    assert_eq!(post(bytes[..last].to_vec()).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(post(vec![0; 5 << 20]).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    bytes[last] ^= 1;
    assert_eq!(post(bytes).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(gateway.get(&gateway.range_path(0, 0)).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn only_a_gateway_with_its_token_may_ask() {
    let World { gateway, engine, .. } = &world(Options::default(), "").await;
    let body = || bytes::Bytes::from(r#"{"model":"stipend/tiny","messages":[]}"#).into();
    let good = || gateway.request("/v1/chat/completions", digest(1));
    let without = |name: &str| {
        let mut request = good().body(body()).unwrap();
        request.headers_mut().remove(name);
        request
    };
    let with = |name: &'static str, value: &str| {
        let mut request = good().body(body()).unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    for (request, status) in [
        (without("authorization"), StatusCode::UNAUTHORIZED),
        (with("authorization", "Bearer wrong"), StatusCode::UNAUTHORIZED),
        (with("authorization", "Bearer "), StatusCode::UNAUTHORIZED),
        (without("x-stipend-gateway"), StatusCode::UNAUTHORIZED),
        (with("x-stipend-gateway", &"00".repeat(32)), StatusCode::UNAUTHORIZED),
        (without("x-stipend-request"), StatusCode::BAD_REQUEST),
        (with("x-stipend-request", "abc"), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(gateway.send(request).await.status(), status);
    }
    assert_eq!(gateway.get("/v1/models").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(engine.totals(), Default::default(), "nothing reached the engine");
    assert_eq!(gateway.send(good().body(body()).unwrap()).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_digest_is_served_once() {
    let World { gateway, engine, .. } = &world(Options::default(), "").await;
    assert_eq!(gateway.chat(digest(1), json!({})).await.0, StatusCode::OK);
    let served = engine.totals();
    assert_eq!(gateway.chat(digest(1), json!({})).await.0, StatusCode::CONFLICT);
    assert_eq!(engine.totals(), served);
}
