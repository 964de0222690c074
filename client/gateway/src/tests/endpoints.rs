//! Every endpoint: what the engine is sent, what is charged, what is refused, in the form of its clients.

use serde_json::{json, Value};
use stipend_openai::Endpoint;
use stipend_primitives::{ClassId, Credits};

use super::{fake_answers::COUNTS, harness::*};

const NEW: [Endpoint; 4] = [Endpoint::Embeddings, Endpoint::Responses, Endpoint::Images, Endpoint::Messages];

/// A request of an endpoint with one prompt.
fn ask(endpoint: Endpoint, prompt: &str) -> Value {
    match endpoint {
        Endpoint::Chat => chat(prompt),
        Endpoint::Completions | Endpoint::Images => json!({"model": "m", "prompt": prompt}),
        Endpoint::Embeddings => json!({"model": "m", "input": prompt}),
        Endpoint::Responses => json!({"model": "m", "input": prompt, "max_output_tokens": 50}),
        Endpoint::Messages => {
            json!({"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": prompt}]})
        }
    }
}

fn streamed(endpoint: Endpoint, prompt: &str) -> Value {
    let mut body = ask(endpoint, prompt);
    body["stream"] = json!(true);
    body
}

/// The price in book 1: every token of input 1, of output 10, and 5 for the request.
fn price_of((input, cached, output): (u64, u64, u64)) -> Credits {
    Credits::from(input + cached + 10 * output + 5)
}

fn counts(endpoint: Endpoint) -> (u64, u64, u64) {
    let (input, cached, output) = COUNTS;
    (input, cached, if endpoint == Endpoint::Embeddings { 0 } else { output })
}

fn number(got: &Got, header: &str) -> u128 {
    got.headers[header].to_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_is_passed_on_and_charged_exactly() {
    let setup = Setup::new().await;
    let mut due = 0;
    for (at, endpoint) in NEW.into_iter().enumerate() {
        let got = setup.post(endpoint.path(), ask(endpoint, "ok")).await;
        assert_eq!(got.status, 200, "{endpoint:?}: {got:?}");
        assert_eq!(setup.upstreams[0].seen.lock()[at].path, endpoint.path());
        let cost = price_of(counts(endpoint));
        assert_eq!(number(&got, "x-stipend-cost"), cost, "{endpoint:?}");
        assert!(number(&got, "x-stipend-balance") > 0 && number(&got, "x-stipend-queue-ms") < 60_000);
        assert_eq!(got.headers["x-stipend-class"], "0");
        due += cost;
    }
    setup.charged(NEW.len()).await;
    assert_eq!(setup.spent(ClassId::INNOVATION), due);
    assert_eq!(setup.held(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_of_every_protocol_are_charged_exactly_and_end_with_their_own_last_event() {
    let setup = Setup::new().await;
    let mut due = 0;
    let ends = [
        (Endpoint::Responses, "response.completed"),
        (Endpoint::Messages, "message_stop"),
        (Endpoint::Images, "image_generation.completed"),
    ];
    for (number_of, (endpoint, end)) in ends.into_iter().enumerate() {
        let got = setup.post(endpoint.path(), streamed(endpoint, "ok")).await;
        assert_eq!(got.status, 200, "{endpoint:?}: {got:?}");
        let text = got.text();
        let last = text.trim_end().rsplit("\n\n").next().unwrap();
        assert!(last.starts_with(&format!("event: {end}\ndata: ")), "{text}");
        // Whoever has the last byte has a durable receipt.
        assert_eq!(setup.recorded(), number_of as u64 + 1);
        assert!(number(&got, "x-stipend-cost-max") >= price_of(counts(endpoint)));
        assert!(got.headers.contains_key("x-stipend-balance") && !got.headers.contains_key("x-stipend-cost"));
        let told = &setup.upstreams[0].bodies()[number_of];
        assert!(told.get("stream_options").is_none(), "usage was asked for where it comes anyway: {told}");
        due += price_of(counts(endpoint));
    }
    setup.charged(3).await;
    assert_eq!(setup.spent(ClassId::INNOVATION), due);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zero_is_charged_as_a_zero_and_what_is_not_said_is_not_charged() {
    let setup = Setup::new().await;
    for endpoint in NEW {
        let got = setup.post(endpoint.path(), ask(endpoint, "zero")).await;
        assert_eq!((got.status.as_u16(), number(&got, "x-stipend-cost")), (200, 5), "{endpoint:?}");
    }
    setup.charged(NEW.len()).await;
    for endpoint in [Endpoint::Embeddings, Endpoint::Responses, Endpoint::Messages] {
        let got = setup.post(endpoint.path(), ask(endpoint, "no usage")).await;
        assert_eq!(got.status, 502, "{endpoint:?}");
    }
    for (endpoint, prompt, said) in [
        (Endpoint::Responses, "no usage", "Nothing was charged"),
        (Endpoint::Responses, "die", "Nothing was charged"),
        (Endpoint::Responses, "error event", "out of memory"),
        (Endpoint::Messages, "no usage", "Nothing was charged"),
        (Endpoint::Messages, "die", "Nothing was charged"),
        (Endpoint::Messages, "error event", "out of memory"),
        (Endpoint::Images, "die", "Nothing was charged"),
    ] {
        let got = setup.post(endpoint.path(), streamed(endpoint, prompt)).await;
        assert!(got.text().contains(said), "{endpoint:?} {prompt}: {}", got.text());
        let last = got.text().trim_end().rsplit("\n\n").next().unwrap().to_owned();
        assert!(endpoint == Endpoint::Images || last.starts_with("event: error\ndata: "), "{last}");
    }
    assert_eq!(setup.recorded(), NEW.len() as u64);
    until("the holds are given back", || setup.held() == 0).await;
    assert_eq!(setup.spent(ClassId::INNOVATION), 5 * NEW.len() as u128);
}

#[tokio::test(flavor = "multi_thread")]
async fn images_whose_engine_counts_nothing_are_charged_by_their_size() {
    let setup = Setup::new().await;
    let mut body = ask(Endpoint::Images, "no usage");
    body["n"] = json!(3);
    body["size"] = json!("512x512");
    let got = setup.post("/v1/images/generations", body.clone()).await;
    assert_eq!(number(&got, "x-stipend-cost"), price_of((0, 0, 3 * 256)));
    let stream = streamed(Endpoint::Images, "no usage");
    assert_eq!(setup.post("/v1/images/generations", stream).await.status, 200);
    setup.charged(2).await;
    assert_eq!(setup.spent(ClassId::INNOVATION), price_of((0, 0, 3 * 256)) + price_of((0, 0, 1_024)));
    assert!(setup.get("/metrics").await.text().contains("stipend_gateway_bound_exceeded_total 0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_class_of_the_models_price_pays_for_images() {
    let setup = Setup::with(1, |config| config.upstreams[0].models.push("painter".into())).await;
    setup.chain.change(|ledger| ledger.endow(&setup.owner, ClassId::RENDER, MILLION));
    let account = || setup.engine().state.wallets.get(&setup.owner)?.account(ClassId::RENDER);
    until("the wallet has Render", || account().is_some()).await;
    let body = json!({"model": "painter", "prompt": "no usage", "size": "256x256"});
    let got = setup.post("/v1/images/generations", body).await;
    assert_eq!(got.status, 200, "{got:?}");
    assert_eq!(got.headers["x-stipend-class"], "2");
    setup.charged(1).await;
    assert_eq!(setup.spent(ClassId::RENDER), price_of((0, 0, 64)));
    assert_eq!(setup.spent(ClassId::INNOVATION), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_is_told_the_bound_under_the_endpoints_name_and_everything_else_as_it_came() {
    let setup = Setup::new().await;
    let more = json!({
        "tools": [{"type": "function", "name": "f", "parameters": {"a": [1, 2.50]}}], "unknown": {"x": [null]},
        "metadata": {"user_id": "u"}, "temperature": 0.25, "priority": -9,
    });
    for (endpoint, field) in [(Endpoint::Responses, "max_output_tokens"), (Endpoint::Messages, "max_tokens")]
    {
        let mut body = ask(endpoint, "ok");
        body.as_object_mut().unwrap().remove(field);
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(setup.post(endpoint.path(), body.clone()).await.status, 200);
        let mut told = setup.upstreams[0].bodies().pop().unwrap();
        let bound = told.as_object_mut().unwrap().remove(field).unwrap();
        assert_eq!(bound, setup.config.limits.output_tokens_default);
        body["priority"] = json!(0);
        assert_eq!(told, body);
    }
    for endpoint in [Endpoint::Embeddings, Endpoint::Images] {
        let mut body = ask(endpoint, "ok");
        body["encoding_format"] = json!("float");
        assert_eq!(setup.post(endpoint.path(), body.clone()).await.status, 200);
        assert_eq!(setup.upstreams[0].bodies().pop().unwrap(), body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_take_anthropics_key_and_answer_errors_in_anthropics_form() {
    let setup = Setup::new().await;
    let send = |key: Option<&str>, body: Value| {
        let mut request = setup.request("/v1/messages?beta=true", body.to_string());
        request.headers_mut().remove("authorization");
        request.headers_mut().insert("anthropic-version", "2023-06-01".parse().unwrap());
        if let Some(key) = key {
            request.headers_mut().insert("x-api-key", key.parse().unwrap());
        }
        setup.send(request)
    };
    let body = || ask(Endpoint::Messages, "ok");
    assert_eq!(send(Some(KEY), body()).await.status, 200);
    let kind = |got: &Got| {
        let body = got.json();
        assert_eq!(body["type"], "error", "{body}");
        assert!(body["error"]["message"].is_string(), "{body}");
        (got.status.as_u16(), body["error"]["type"].as_str().unwrap().to_owned())
    };
    for key in [None, Some("wrong"), Some("")] {
        assert_eq!(kind(&send(key, body()).await), (401, "authentication_error".into()));
    }
    let mut other = body();
    other["model"] = json!("claude");
    assert_eq!(kind(&send(Some(KEY), other).await), (404, "not_found_error".into()));
    let mut zero = body();
    zero["max_tokens"] = json!(0);
    assert_eq!(kind(&send(Some(KEY), zero).await), (400, "invalid_request_error".into()));
    let refused = send(Some(KEY), ask(Endpoint::Messages, "status 400")).await;
    assert_eq!(kind(&refused), (400, "invalid_request_error".into()));
    assert!(refused.text().contains("the engine says no"), "{}", refused.text());
    assert_eq!(
        kind(&send(Some(KEY), ask(Endpoint::Messages, "status 500")).await),
        (502, "api_error".into())
    );
    // Two keys could be two wallets'.
    let mut both = setup.request("/v1/messages", body().to_string());
    both.headers_mut().insert("x-api-key", KEY.parse().unwrap());
    assert_eq!(setup.send(both).await.status, 401);
    setup.charged(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_cost_more_than_its_body_shows_is_refused() {
    let setup = Setup::new().await;
    for (endpoint, field, value) in [
        (Endpoint::Responses, "previous_response_id", json!("resp_1")),
        (Endpoint::Responses, "background", json!(true)),
        (Endpoint::Responses, "tools", json!([{"type": "web_search"}])),
        (Endpoint::Messages, "mcp_servers", json!([{"type": "url", "url": "http://x"}])),
        (Endpoint::Messages, "tools", json!([{"type": "web_search_20250305", "name": "web_search"}])),
    ] {
        let mut body = ask(endpoint, "ok");
        body[field] = value;
        let got = setup.post(endpoint.path(), body).await;
        assert_eq!(got.status, 400, "{endpoint:?} {field}");
        assert!(got.text().contains("Send "), "no word of what to do: {}", got.text());
    }
    assert!(setup.upstreams[0].seen.lock().is_empty());
    assert_eq!((setup.recorded(), setup.held()), (0, 0));
}
