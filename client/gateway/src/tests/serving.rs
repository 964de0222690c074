use serde_json::json;
use stipend_forward::Parties;
use stipend_primitives::{attestation::SignedClaim, key::KeyLimits, signing, ClassId};
use stipend_sdk::Signer;

use super::{fake_chain::genesis, harness::*};
use crate::config::Priorities;

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_passed_on_and_charged_exactly() {
    let setup = Setup::new().await;
    let got = setup.chat("ok").await;
    assert_eq!(got.status, 200, "{got:?}");
    assert_eq!(got.json()["usage"]["completion_tokens"], 5);
    assert_eq!(got.headers["x-stipend-cost"], price(5).to_string());
    setup.charged(1).await;
    assert_eq!(setup.spent(ClassId::INNOVATION), price(5));
    let digest = setup.chain.now(|ledger| hex::encode(ledger.digests[0]));
    assert_eq!(got.headers["x-stipend-request-id"], digest);
    assert_eq!(setup.held(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_are_served_too() {
    let setup = Setup::new().await;
    let got = setup.post("/v1/completions", json!({"model": "m", "prompt": "ok", "max_tokens": 3})).await;
    assert_eq!(got.status, 200, "{got:?}");
    assert_eq!(setup.upstreams[0].seen.lock()[0].path, "/v1/completions");
    setup.charged(1).await;
    assert_eq!(setup.spent(ClassId::INNOVATION), price(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_identity_goes_upstream_and_the_request_is_named() {
    let setup = Setup::new().await;
    let mut request = setup.request("/v1/chat/completions", chat("ok").to_string());
    let headers = request.headers_mut();
    headers.insert("x-stipend-gateway", "somebody-else".parse().unwrap());
    headers.insert("x-stipend-request", "00".repeat(16).parse().unwrap());
    headers.insert("cookie", "secret".parse().unwrap());
    headers.insert("x-forwarded-for", "10.0.0.1".parse().unwrap());
    let got = setup.send(request).await;
    assert_eq!(got.status, 200);
    let seen = setup.upstreams[0].seen.lock()[0].clone();
    let mut names: Vec<&str> = seen.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "authorization",
            "content-length",
            "content-type",
            "host",
            "x-stipend-gateway",
            "x-stipend-request",
            "x-stipend-signature"
        ]
    );
    assert_eq!(seen.headers["authorization"], "Bearer shared");
    assert_eq!(seen.headers["x-stipend-gateway"], hex::encode(setup.config.signer.public()));
    assert_eq!(seen.headers["x-stipend-request"], got.headers["x-stipend-request-id"]);

    let bytes = |name: &str| hex::decode(&seen.headers[name]).unwrap();
    let provider = &setup.config.upstreams[0].provider;
    let signed = [AsRef::<[u8]>::as_ref(provider), &bytes("x-stipend-request")].concat();
    let payload = signing::payload(signing::Domain::Forward, &genesis(), &signed);
    let signature = bytes("x-stipend-signature").try_into().unwrap();
    assert!(signing::verify(&payload, &signature, &setup.config.signer.public()));
}

#[tokio::test(flavor = "multi_thread")]
async fn once_a_provider_names_its_key_requests_carry_a_tag_that_it_can_check() {
    let setup = Setup::new().await;
    let provider = Signer::generate();
    let upstream = &setup.upstreams[0];
    // No key, a weak one, a good one, none any more.
    for (named, carried) in [("", 128), ("00", 128), ("good", 128), ("good", 64), ("", 64), ("", 128)] {
        *upstream.key.lock() = match named {
            "good" => hex::encode(provider.public()),
            byte => byte.repeat(32),
        };
        assert_eq!(setup.chat("ok").await.status, 200);
        let seen = upstream.seen.lock().last().unwrap().clone();
        let proof = &seen.headers["x-stipend-signature"];
        assert_eq!(proof.len(), carried, "{named}");
        if carried == 64 {
            let gateway = setup.config.signer.account();
            let (genesis, account) = (genesis(), &setup.config.upstreams[0].provider);
            let parties = Parties { genesis: &genesis, gateway: &gateway, provider: account };
            let key = provider.forward_key(&setup.config.signer.public(), &parties).unwrap();
            let (mut digest, mut tag) = ([0; 16], [0; 32]);
            hex::decode_to_slice(&seen.headers["x-stipend-request"], &mut digest).unwrap();
            hex::decode_to_slice(proof, &mut tag).unwrap();
            assert!(key.is_proved(&digest, &tag));
        }
    }
    // Whoever refuses a tag is signed for again.
    *upstream.key.lock() = hex::encode(provider.public());
    let lengths = ["ok", "ok", "status 401", "ok"].map(|prompt| (prompt, setup.chat(prompt)));
    for ((prompt, got), carried) in lengths.into_iter().zip([128, 64, 64, 128]) {
        let got = got.await;
        assert_eq!(got.status == 200, prompt == "ok");
        let seen = upstream.seen.lock().last().unwrap().clone();
        assert_eq!(seen.headers["x-stipend-signature"].len(), carried, "{prompt}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_wants_no_signature_gets_none() {
    let setup = Setup::with(1, |config| config.upstreams[0].signs = false).await;
    assert_eq!(setup.chat("ok").await.status, 200);
    assert!(!setup.upstreams[0].seen.lock()[0].headers.contains_key("x-stipend-signature"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_is_told_the_bound_and_not_the_callers_priority() {
    let setup = Setup::new().await;
    let mut body = chat("ok");
    body["priority"] = json!(-1_000_000);
    body["n_predict"] = json!(-1);
    setup.post("/v1/chat/completions", body).await;
    let mut open = chat("ok");
    open.as_object_mut().unwrap().remove("max_tokens");
    setup.post("/v1/chat/completions", open).await;
    let bodies = setup.upstreams[0].bodies();
    assert_eq!((&bodies[0]["priority"], &bodies[0]["n_predict"]), (&json!(0), &json!(50)));
    assert_eq!(bodies[1]["max_tokens"], setup.config.limits.output_tokens_default);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_schedules_by_priority_is_told_the_fee() {
    let setup = Setup::with(1, |config| config.upstreams[0].priorities = Priorities::On).await;
    setup.chain.change(|ledger| ledger.endow(&setup.owner, ClassId::PRIORITY, 1_000 * MILLION));
    let mut request = setup.request("/v1/chat/completions", chat("ok").to_string());
    request.headers_mut().insert("x-stipend-priority-fee", "700".parse().unwrap());
    until("the wallet has Priority", || {
        let wallet = setup.engine().state.wallets.get(&setup.owner).unwrap();
        wallet.account(ClassId::PRIORITY).is_some()
    })
    .await;
    assert_eq!(setup.send(request).await.status, 200);
    assert_eq!(setup.upstreams[0].bodies()[0]["priority"], -700);
    setup.charged(1).await;
    assert_eq!(setup.spent(ClassId::PRIORITY), 700);
    assert_eq!(setup.spent(ClassId::INNOVATION), price(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_those_that_are_priced_served_and_allowed() {
    let setup = Setup::new().await;
    let names = |got: Got| {
        let data = got.json()["data"].clone();
        data.as_array()
            .unwrap()
            .iter()
            .map(|model| model["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(setup.get("/v1/models").await), ["m", "premium"]);
    let mut limits = KeyLimits::default();
    limits.models.try_push(stipend_primitives::ModelId(2)).unwrap();
    setup.chain.change(|ledger| ledger.set_key(KEY, &setup.owner, limits));
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(names(setup.get("/v1/models").await), ["premium"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_provider_gets_its_claim() {
    let setup = Setup::with(2, |_| ()).await;
    let slow: Vec<_> = (0..6).map(|_| setup.chat("slow")).collect();
    for got in futures::future::join_all(slow).await {
        assert_eq!(got.status, 200);
    }
    setup.charged(6).await;
    let mut claimed = 0;
    for (index, upstream) in setup.upstreams.iter().enumerate() {
        let served = upstream.seen.lock().len();
        assert!(served > 0, "the load went to one provider only");
        let claims = || {
            let claims = upstream.claims.lock().clone();
            claims.into_iter().map(|body| {
                let signed: SignedClaim = codec::DecodeAll::decode_all(&mut &body[..]).unwrap();
                signed.claim
            })
        };
        until("the claims arrived", || claims().map(|claim| claim.requests.len()).sum::<usize>() == served)
            .await;
        for claim in claims() {
            assert_eq!(claim.provider, setup.config.upstreams[index].provider);
            claimed += claim.requests.len();
        }
    }
    assert_eq!(claimed, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_say_what_is() {
    let setup = Setup::new().await;
    assert_eq!(setup.get("/healthz").await.status, 200);
    assert_eq!(setup.get("/readyz").await.status, 200);
    setup.chat("ok").await;
    let page = setup.get("/metrics").await.text();
    for line in [
        "stipend_gateway_requests_total{status=\"200\"} 3",
        "gen_ai_client_token_usage_total{gen_ai_request_model=\"m\",gen_ai_token_type=\"output\"} 5",
        "stipend_gateway_keys 1",
        "stipend_gateway_admitting 1",
        "stipend_gateway_receipts_recorded 1",
    ] {
        assert!(page.contains(line), "{line} is not in\n{page}");
    }
    assert!(!page.contains(KEY) && !page.contains("shared"));
}
