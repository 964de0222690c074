//! What callers can ask before they pay: a quote, their wallet.

use serde_json::{json, Value};
use stipend_primitives::{key::KeyLimits, AccountId, ClassId};

use super::harness::*;

async fn quote(setup: &Setup, request: Value) -> Got {
    setup.post("/v1/quote", json!({"endpoint": "/v1/chat/completions", "request": request})).await
}

fn micro(value: &Value) -> u128 {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_says_what_is_held_and_runs_nothing() {
    let setup = Setup::new().await;
    let got = quote(&setup, chat("ok")).await;
    assert_eq!(got.status, 200, "{got:?}");
    let quoted = got.json();
    assert_eq!((&quoted["admitted"], &quoted["refusal"]), (&json!(true), &Value::Null));
    assert_eq!((&quoted["class"], &quoted["price_book"]), (&json!(0), &json!(1)));
    assert_eq!(quoted["coefficients"], json!({"input": 1, "cached_input": 1, "output": 10, "request": "5"}),);
    assert_eq!(quoted["upper_bound"]["output_tokens"], 50);
    let (most, likely) = (micro(&quoted["upper_bound"]["cost"]), micro(&quoted["estimate"]["cost"]));
    assert!(price(50) <= most && likely < most && likely >= 500, "{quoted}");
    assert!(setup.upstreams[0].seen.lock().is_empty());
    assert_eq!((setup.recorded(), setup.held()), (0, 0));
    // What is held for the request itself is what the quote said.
    let mut stream = chat("ok");
    stream["stream"] = json!(true);
    let quoted = quote(&setup, stream.clone()).await.json();
    let got = setup.post("/v1/chat/completions", stream).await;
    assert_eq!(got.headers["x-stipend-cost-max"].to_str().unwrap(), quoted["upper_bound"]["cost"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_says_why_the_request_would_not_be_admitted() {
    let setup = Setup::new().await;
    let limits = KeyLimits { request_cost_max: Some(1_000), ..KeyLimits::default() };
    setup.chain.change(|ledger| ledger.set_key(KEY, &setup.owner, limits));
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    let mut long = chat("ok");
    long["max_tokens"] = json!(5_000);
    let quoted = quote(&setup, long).await.json();
    assert_eq!(quoted["admitted"], false);
    assert_eq!(quoted["refusal"]["status"], 403);
    assert_eq!(quoted["refusal"]["error"]["code"], "request_cost_above_cap");
    assert!(micro(&quoted["upper_bound"]["cost"]) >= price(5_000));
    // An open length is as long as the cap allows, and nobody knows how long the answer gets.
    let mut open = chat("ok");
    open.as_object_mut().unwrap().remove("max_tokens");
    let quoted = quote(&setup, open).await.json();
    assert_eq!((&quoted["admitted"], &quoted["estimate"]), (&json!(true), &Value::Null));
    assert!(micro(&quoted["upper_bound"]["cost"]) <= 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_of_nothing_that_could_run_is_an_error() {
    let setup = Setup::new().await;
    for (body, status) in [
        (json!({}), 400),
        (json!({"endpoint": "/v1/models", "request": {}}), 400),
        (json!({"endpoint": "/v1/chat/completions", "request": []}), 400),
        (json!({"endpoint": "/v1/chat/completions", "request": {"model": "gpt-9"}}), 404),
        (json!({"endpoint": "/v1/chat/completions", "request": {"model": "m", "max_tokens": 0}}), 400),
        (json!({"endpoint": "/v1/responses", "request": {"model": "m", "background": true}}), 400),
    ] {
        let got = setup.post("/v1/quote", body.clone()).await;
        assert_eq!(got.status, status, "{body}: {}", got.text());
        got.code();
    }
    for endpoint in stipend_openai::Endpoint::ALL {
        let body =
            json!({"endpoint": endpoint.path(), "request": {"model": "m", "input": "x", "prompt": null}});
        assert_eq!(setup.post("/v1/quote", body).await.status, 200, "{endpoint:?}");
    }
    assert_eq!(setup.get("/v1/quote").await.status, 405);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wallet_shows_its_own_balances_and_the_keys_limits() {
    let setup = Setup::new().await;
    let other = AccountId::new([8; 32]);
    let limits = KeyLimits { request_cost_max: Some(7_000), ..KeyLimits::default() };
    setup.chain.change(|ledger| {
        ledger.endow(&other, ClassId::REASONING, MILLION);
        ledger.set_key("other", &other, limits);
    });
    setup.knows("other").await;
    assert_eq!(setup.chat("ok").await.status, 200);
    setup.charged(1).await;
    let account =
        setup.engine().state.wallets.get(&setup.owner).unwrap().account(ClassId::INNOVATION).unwrap();
    until("the charge is known", || account.figures().reserved == 100 * MILLION - price(5)).await;
    let got = setup.get("/v1/wallet").await;
    assert_eq!(got.status, 200, "{got:?}");
    assert_eq!(got.headers["cache-control"], "no-store");
    let wallet = got.json();
    let classes = wallet["classes"].as_array().unwrap();
    assert_eq!(classes.len(), 1, "{wallet}");
    assert_eq!((&classes[0]["class"], &classes[0]["name"]), (&json!(0), &json!("Innovation")));
    assert_eq!(micro(&classes[0]["free"]), 100 * MILLION - price(5));
    assert_eq!(micro(&classes[0]["reserved"]), 100 * MILLION - price(5));
    assert_eq!(micro(&classes[0]["available"]), (1_000_000 - 100) * MILLION);
    assert_eq!((micro(&classes[0]["held"]), &wallet["frozen"]), (0, &json!(false)));
    assert_eq!(wallet["key"]["limits"]["request_cost_max"], Value::Null);

    let mut request = setup.request("/v1/wallet", "");
    *request.method_mut() = http::Method::GET;
    request.headers_mut().insert("authorization", "Bearer other".parse().unwrap());
    let theirs = setup.send(request).await.json();
    assert_ne!(theirs["owner"], wallet["owner"]);
    assert_eq!(theirs["key"]["limits"]["request_cost_max"], "7000");
    assert_eq!(theirs["classes"][0]["class"], 3);
}
