use http::Method;
use serde_json::{json, Value};
use stipend_primitives::{key::KeyLimits, AccountId, ClassId};

use super::harness::*;

/// Nothing of what is refused reaches an engine or costs a thing.
fn assert_untouched(setup: &Setup) {
    assert!(setup.upstreams[0].seen.lock().is_empty());
    assert_eq!((setup.recorded(), setup.held()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_good_key_gets_401() {
    let setup = Setup::new().await;
    setup.chain.change(|ledger| {
        ledger.set_key("expired", &setup.owner, KeyLimits { expires_at: Some(1), ..KeyLimits::default() });
    });
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let with = |value: Option<&str>| {
        let mut request = setup.request("/v1/chat/completions", chat("ok").to_string());
        request.headers_mut().remove("authorization");
        if let Some(value) = value {
            request.headers_mut().insert("authorization", value.parse().unwrap());
        }
        setup.send(request)
    };
    for value in [
        None,
        Some(""),
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer wrong"),
        Some("Bearer expired"),
        Some(KEY),
        Some(&format!("Basic {KEY}")),
        Some(&format!("Bearer {KEY}x")),
    ] {
        let got = with(value).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (401, "invalid_api_key"), "{value:?}");
    }
    let mut twice = setup.request("/v1/chat/completions", chat("ok").to_string());
    twice.headers_mut().append("authorization", "Bearer x".parse().unwrap());
    assert_eq!(setup.send(twice).await.status, 401);
    assert_untouched(&setup);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_gets_401_and_its_credits_go_back() {
    let setup = Setup::new().await;
    assert_eq!(setup.chat("ok").await.status, 200);
    setup.chain.change(|ledger| ledger.revoke_key(KEY));
    let mut refused = false;
    for _ in 0..200 {
        refused = setup.chat("ok").await.status == 401;
        if refused {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert!(refused, "a revoked key goes on working");
    until("the reservation is let go", || {
        setup.chain.now(|ledger| ledger.pot(&setup.owner, ClassId::INNOVATION).reserved) == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_requests_in_flight_hold_goes_back_too_after_their_key_was_revoked() {
    let setup = Setup::new().await;
    let (answer, ()) = tokio::join!(setup.chat("wait"), async {
        until("a request is in flight", || setup.upstreams[0].bodies().len() == 1).await;
        setup.chain.change(|ledger| ledger.revoke_key(KEY));
        until("the key is gone", || setup.engine().state.keys.len() == 0).await;
        assert!(setup.held() > 0);
        setup.upstreams[0].go_on.notify_one();
    });
    assert_eq!(answer.status, 200);
    setup.charged(1).await;
    until("the reservation is let go", || {
        setup.chain.now(|ledger| ledger.pot(&setup.owner, ClassId::INNOVATION).reserved) == 0
    })
    .await;
    assert_eq!(setup.spent(ClassId::INNOVATION), price(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_request_get_400() {
    let setup = Setup::new().await;
    for body in ["", "{", "[]", "null", "hello", r#"{"model":1}"#, r#"{"messages":[]}"#, "\u{feff}{}"] {
        let got = setup.send(setup.request("/v1/chat/completions", body.to_owned())).await;
        assert_eq!(got.status, 400, "{body}");
        got.code();
    }
    let with = |name: &str, value: Value| {
        let mut body = chat("ok");
        body[name] = value;
        setup.post("/v1/chat/completions", body)
    };
    for (name, value) in [
        ("n", json!(0)),
        ("n", json!(1_000)),
        ("n", json!(-1)),
        ("n", json!("two")),
        ("max_tokens", json!(0)),
        ("max_tokens", json!(4_000_000_000u64)),
        ("max_tokens", json!(-5)),
        ("max_tokens", json!(1.5)),
        ("max_completion_tokens", json!(51)),
        (
            "messages",
            json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]),
        ),
    ] {
        let got = with(name, value.clone()).await;
        assert_eq!(got.status, 400, "{name} {value}: {}", got.text());
        got.code();
    }
    let doubled = r#"{"model":"m","model":"premium","messages":[]}"#;
    assert_eq!(setup.send(setup.request("/v1/chat/completions", doubled)).await.status, 400);
    let mut fee = setup.request("/v1/chat/completions", chat("ok").to_string());
    fee.headers_mut().insert("x-stipend-priority-fee", "much".parse().unwrap());
    assert_eq!(setup.send(fee).await.code(), "invalid_priority_fee");
    assert_untouched(&setup);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_above_the_limit_gets_413_with_and_without_a_length() {
    let setup = Setup::with(1, |config| config.limits.body_bytes_max = 1_000).await;
    let got = setup.chat(&"x".repeat(1_000)).await;
    assert_eq!((got.status.as_u16(), got.code().as_str()), (413, "request_too_large"));
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut raw = tokio::net::TcpStream::connect(setup.address).await.unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    raw.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..20 {
        if raw.write_all(format!("64\r\n{}\r\n", "x".repeat(100)).as_bytes()).await.is_err() {
            break;
        }
    }
    let mut answer = vec![0; 12];
    raw.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 413");
    assert_untouched(&setup);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_model_gets_404_and_a_forbidden_one_403() {
    let setup = Setup::new().await;
    for model in ["gpt-9", "unserved", ""] {
        let mut body = chat("ok");
        body["model"] = json!(model);
        let got = setup.post("/v1/chat/completions", body).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (404, "model_not_found"), "{model}");
    }
    let mut limits = KeyLimits::default();
    limits.models.try_push(stipend_primitives::ModelId(2)).unwrap();
    setup.chain.change(|ledger| ledger.set_key("narrow", &setup.owner, limits));
    until("the key is known", || {
        setup.engine().state.keys.get(&stipend_primitives::key::hash("narrow")).is_some()
    })
    .await;
    let mut request = setup.request("/v1/chat/completions", chat("ok").to_string());
    request.headers_mut().insert("authorization", "Bearer narrow".parse().unwrap());
    assert_eq!(setup.send(request).await.code(), "model_not_allowed");
    assert_untouched(&setup);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_and_methods_are_refused_in_openais_form() {
    let setup = Setup::new().await;
    for path in ["/", "/v1", "/v1/chat/completions/", "/v2/models", "/v1/audio/speech"] {
        let got = setup.get(path).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (404, "unknown_path"), "{path}");
    }
    assert_eq!(setup.get("/v1/chat/completions").await.status, 405);
    let mut request = setup.request("/v1/models", "");
    *request.method_mut() = Method::DELETE;
    assert_eq!(setup.send(request).await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_requests_of_one_key_get_429() {
    let setup = Setup::new().await;
    let limits = KeyLimits { requests_per_minute_max: Some(2), ..KeyLimits::default() };
    setup.chain.change(|ledger| ledger.set_key("slow down", &setup.owner, limits));
    until("the key is known", || {
        setup.engine().state.keys.get(&stipend_primitives::key::hash("slow down")).is_some()
    })
    .await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let mut request = setup.request("/v1/chat/completions", chat("ok").to_string());
        request.headers_mut().insert("authorization", "Bearer slow down".parse().unwrap());
        let got = setup.send(request).await;
        if got.status == 429 {
            assert_eq!(got.code(), "rate_limit_exceeded");
            let seconds: u64 = got.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=120).contains(&seconds), "{seconds}");
        }
        statuses.push(got.status.as_u16());
    }
    assert_eq!(statuses, [200, 200, 429, 429]);
    assert_eq!(setup.chat("ok").await.status, 200, "another key pays for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_above_its_keys_cap_gets_403_and_an_open_one_is_shortened() {
    let setup = Setup::new().await;
    let limits = KeyLimits { request_cost_max: Some(1_000), ..KeyLimits::default() };
    setup.chain.change(|ledger| ledger.set_key(KEY, &setup.owner, limits));
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let mut long = chat("ok");
    long["max_tokens"] = json!(5_000);
    assert_eq!(setup.post("/v1/chat/completions", long).await.code(), "request_cost_above_cap");
    let mut open = chat("ok");
    open.as_object_mut().unwrap().remove("max_tokens");
    assert_eq!(setup.post("/v1/chat/completions", open).await.status, 200);
    let told = setup.upstreams[0].bodies()[0]["max_tokens"].as_u64().unwrap();
    assert!(told > 0 && told < 100, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_gets_429() {
    let setup = Setup::with(1, |config| {
        config.upstreams[0].concurrency_max = 1;
        config.upstreams[0].queue_max = 1;
    })
    .await;
    assert_eq!(setup.chat("ok").await.status, 200);
    let all = futures::future::join_all((0..6).map(|_| setup.chat("slow"))).await;
    let busy = all.iter().filter(|got| got.status == 429).count();
    let served = all.iter().filter(|got| got.status == 200).count();
    assert!(busy >= 1 && served >= 2 && busy + served == 6, "{busy} busy, {served} served");
    setup.charged(1 + served).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_wallet_gets_403() {
    let setup = Setup::new().await;
    setup.chain.change(|ledger| ledger.freeze(&setup.owner));
    until("the freeze is known", || {
        setup.engine().state.wallets.get(&setup.owner).is_some_and(|wallet| wallet.is_frozen())
    })
    .await;
    assert_eq!(setup.chat("ok").await.code(), "wallet_frozen");
    assert_untouched(&setup);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_premium_model_wants_priority_credits() {
    let setup = Setup::new().await;
    let other = AccountId::new([8; 32]);
    setup.chain.change(|ledger| {
        ledger.endow(&setup.owner, ClassId::REASONING, MILLION);
        ledger.endow(&other, ClassId::REASONING, MILLION);
        ledger.endow(&other, ClassId::PRIORITY, 1);
        ledger.set_key("other", &other, KeyLimits::default());
    });
    setup.knows("other").await;
    let mut body = chat("ok");
    body["model"] = json!("premium");
    let got = setup.post("/v1/chat/completions", body.clone()).await;
    assert_eq!(got.status, 402);
    assert!(got.message().contains("Priority"), "{}", got.message());
    let mut request = setup.request("/v1/chat/completions", body.to_string());
    request.headers_mut().insert("authorization", "Bearer other".parse().unwrap());
    let got = setup.send(request).await;
    assert_eq!(got.status, 200, "{}", got.text());
}
