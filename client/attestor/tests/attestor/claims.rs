//! Claims and attestations over HTTP.

use ed25519_dalek::{Signer, SigningKey};
use http::{Request, StatusCode};
use serde_json::{json, Value};
use sp_core::H256;
use stipend_attestor::{Attestor, Config};
use stipend_engine_sim::Options;
use stipend_forward::{ForwardKey, Parties};
use stipend_primitives::{
    cost::Usage,
    signing::{payload, Domain},
    AccountId, ModelId,
};

use crate::world::{chat, digest, engine, world, write_config, Gateway, World, GENESIS, PROVIDER};

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
async fn who_has_the_token_without_the_key_cannot_ask() {
    for must_sign in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (engine, address) = engine(Options::default()).await;
        let path = write_config(dir.path(), address, "");
        let text = std::fs::read_to_string(&path).unwrap();
        let text = text.replace("[[gateway]]", &format!("[[gateway]]\nsigns = {must_sign}"));
        std::fs::write(&path, text).unwrap();
        let attestor = Attestor::start(Config::load(&path).unwrap()).await.unwrap();
        let gateway = Gateway::new(attestor.address());
        let ask = |number: u64, signature: Option<String>| {
            let mut request = gateway.request("/v1/chat/completions", digest(number));
            if let Some(signature) = signature {
                request = request.header("x-stipend-signature", signature);
            }
            let body = chat(json!({})).to_string();
            gateway.send(request.body(bytes::Bytes::from(body).into()).unwrap())
        };
        let sign = |key: &SigningKey, provider: &AccountId, genesis: &H256, number: u64| {
            let body = [provider.as_ref(), digest(number).as_slice()].concat();
            hex::encode(key.sign(&payload(Domain::Forward, genesis, &body)).to_bytes())
        };
        let (own, other) = (&gateway.key, &SigningKey::from_bytes(&[8; 32]));
        let elsewhere = AccountId::new([1; 32]);
        for bad in [
            sign(other, &PROVIDER, &GENESIS, 1),
            sign(own, &elsewhere, &GENESIS, 1),
            sign(own, &PROVIDER, &H256([8; 32]), 1),
            sign(own, &PROVIDER, &GENESIS, 2),
            String::new(),
            "zz".repeat(64),
        ] {
            assert_eq!(ask(1, Some(bad)).await.status(), StatusCode::UNAUTHORIZED);
        }
        assert_eq!(engine.totals(), Default::default(), "nothing reached the engine");
        assert_eq!(ask(1, Some(sign(own, &PROVIDER, &GENESIS, 1))).await.status(), StatusCode::OK);
        assert_eq!(ask(1, Some(sign(own, &PROVIDER, &GENESIS, 1))).await.status(), StatusCode::CONFLICT);
        let without = if must_sign { StatusCode::UNAUTHORIZED } else { StatusCode::OK };
        assert_eq!(ask(2, None).await.status(), without);
    }
}

#[tokio::test]
async fn a_tag_under_the_common_secret_proves_as_much_as_a_signature() {
    let dir = tempfile::tempdir().unwrap();
    let (engine, address) = engine(Options::default()).await;
    let path = write_config(dir.path(), address, "");
    let text = std::fs::read_to_string(&path).unwrap().replace("[[gateway]]", "[[gateway]]\nsigns = true");
    std::fs::write(&path, text).unwrap();
    let attestor = Attestor::start(Config::load(&path).unwrap()).await.unwrap();
    let gateway = Gateway::new(attestor.address());
    let ask = |number: u64, proof: String| {
        let request = gateway.request("/v1/chat/completions", digest(number));
        let request = request.header("x-stipend-signature", proof);
        let body = chat(json!({})).to_string();
        gateway.send(request.body(bytes::Bytes::from(body).into()).unwrap())
    };
    // Whoever asks learns the key, whatever the answer is.
    let refused = ask(1, "00".repeat(32)).await;
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    let mut theirs = [0; 32];
    hex::decode_to_slice(&refused.headers()["x-stipend-key"], &mut theirs).unwrap();
    let tag = |key: &SigningKey, genesis: &H256, number: u64| {
        let account = AccountId::new(gateway.key.verifying_key().to_bytes());
        let parties = Parties { genesis, gateway: &account, provider: &PROVIDER };
        hex::encode(ForwardKey::agree(key, &theirs, &parties).unwrap().tag(&digest(number)))
    };
    let other = &SigningKey::from_bytes(&[8; 32]);
    for bad in [tag(other, &GENESIS, 1), tag(&gateway.key, &H256([8; 32]), 1), tag(&gateway.key, &GENESIS, 2)]
    {
        assert_eq!(ask(1, bad).await.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(engine.totals(), Default::default(), "nothing reached the engine");
    let good = tag(&gateway.key, &GENESIS, 1);
    assert_eq!(ask(1, good.clone()).await.status(), StatusCode::OK);
    assert_eq!(ask(1, good).await.status(), StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_digest_is_served_once() {
    let World { gateway, engine, .. } = &world(Options::default(), "").await;
    assert_eq!(gateway.chat(digest(1), json!({})).await.0, StatusCode::OK);
    let served = engine.totals();
    assert_eq!(gateway.chat(digest(1), json!({})).await.0, StatusCode::CONFLICT);
    assert_eq!(engine.totals(), served);
}
