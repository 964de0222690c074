//! Traces and metrics at a collector: their names, their parents, what is never in them, and a collector that hangs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderMap, HeaderValue};
use opentelemetry_proto::tonic::trace::v1::{span::SpanKind, status::StatusCode, Span};
use serde_json::json;
use sp_core::crypto::Ss58Codec;
use stipend_primitives::{key::KeyLimits, AccountId, ClassId};

use super::{
    fake_collector::{attribute, FakeCollector},
    harness::*,
};
use crate::config::Otlp;

/// What a caller says of its own span.
const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn otlp(collector: &FakeCollector, sample_ratio: f64) -> Option<Otlp> {
    let mut secret = HeaderValue::from_static("Bearer collector-secret");
    secret.set_sensitive(true);
    Some(Otlp {
        endpoint: format!("http://{}", collector.address),
        headers: HeaderMap::from_iter([(http::header::AUTHORIZATION, secret)]),
        ca: None,
        sample_ratio,
        interval: Duration::from_millis(50),
    })
}

async fn exporting_to(collector: &Arc<FakeCollector>, providers: u8) -> Setup {
    Setup::with(providers, |config| config.operate.otlp = otlp(collector, 1.0)).await
}

async fn spans(collector: &FakeCollector, count: usize) -> Vec<Span> {
    until("the spans are there", || collector.spans().len() >= count).await;
    let spans = collector.spans();
    assert_eq!(spans.len(), count, "{spans:#?}");
    spans
}

fn events(span: &Span) -> Vec<&str> {
    assert!(span.events.is_sorted_by_key(|event| event.time_unix_nano));
    span.events.iter().map(|event| event.name.as_str()).collect()
}

/// Sends a chat with a caller's `traceparent`.
async fn chat_of(setup: &Setup, parents: &[&str]) -> Got {
    let mut request = setup.request("/v1/chat/completions", chat("ok").to_string());
    for parent in parents {
        request.headers_mut().append("traceparent", parent.parse().unwrap());
    }
    setup.send(request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_one_span_with_the_conventions_names_under_its_callers() {
    let collector = FakeCollector::start().await;
    let setup = exporting_to(&collector, 1).await;
    let got = chat_of(&setup, &[CALLER]).await;
    assert_eq!(got.status, 200);
    let span = &spans(&collector, 1).await[0];
    assert_eq!((span.name.as_str(), span.kind), ("chat m", SpanKind::Server as i32));
    assert_eq!(hex::encode(&span.trace_id), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(hex::encode(&span.parent_span_id), "b7ad6b7169203331");
    let (port, cost) = (setup.upstreams[0].address.port().to_string(), price(5).to_string());
    let provider = setup.config.upstreams[0].provider.to_ss58check();
    let id = got.headers["x-stipend-request-id"].to_str().unwrap();
    for (key, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "stipend"),
        ("gen_ai.request.model", "m"),
        ("gen_ai.request.max_tokens", "50"),
        ("gen_ai.response.model", "m"),
        ("gen_ai.usage.input_tokens", "10"),
        ("gen_ai.usage.cache_read.input_tokens", "4"),
        ("gen_ai.usage.output_tokens", "5"),
        ("server.address", "127.0.0.1"),
        ("server.port", port.as_str()),
        ("http.response.status_code", "200"),
        ("stipend.request_id", id),
        ("stipend.cost_micro_credits", cost.as_str()),
        ("stipend.provider", provider.as_str()),
    ] {
        assert_eq!(attribute(&span.attributes, key).as_deref(), Some(value), "{key}");
    }
    assert!(attribute(&span.attributes, "stipend.queue_ms").unwrap().parse::<u64>().unwrap() < 60_000);
    assert_eq!(attribute(&span.attributes, "error.type"), None);
    assert_eq!(events(span), ["stipend.admitted", "stipend.placed", "stipend.sent", "stipend.receipt"]);
    // The provider's span is a child of this one.
    let told = setup.upstreams[0].seen.lock()[0].headers["traceparent"].clone();
    assert_eq!(told, format!("00-{}-{}-01", hex::encode(&span.trace_id), hex::encode(&span.span_id)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_span_of_a_stream_ends_with_its_receipt_and_says_when_the_answer_began() {
    let collector = FakeCollector::start().await;
    let setup = exporting_to(&collector, 1).await;
    let mut body = chat("ok");
    body["stream"] = json!(true);
    assert_eq!(setup.post("/v1/chat/completions", body).await.status, 200);
    let span = &spans(&collector, 1).await[0];
    let happened =
        ["stipend.admitted", "stipend.placed", "stipend.sent", "stipend.first_token", "stipend.receipt"];
    assert_eq!(events(span), happened);
    assert!(span.end_time_unix_nano >= span.events.last().unwrap().time_unix_nano);
    assert!(span.parent_span_id.is_empty());
    assert_eq!(attribute(&span.attributes, "gen_ai.usage.output_tokens").as_deref(), Some("5"));
    let mut body = chat("die");
    body["stream"] = json!(true);
    setup.post("/v1/chat/completions", body).await;
    let span = &spans(&collector, 2).await[1];
    assert_eq!(attribute(&span.attributes, "error.type").as_deref(), Some("upstream_error"));
    assert_eq!(attribute(&span.attributes, "http.response.status_code").as_deref(), Some("200"));
    assert_eq!(span.status.as_ref().unwrap().code, StatusCode::Error as i32);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_or_fails_says_why_and_shows_the_way_it_took() {
    let collector = FakeCollector::start().await;
    let setup = exporting_to(&collector, 2).await;
    *setup.upstreams[0].always.lock() = Some(http::StatusCode::SERVICE_UNAVAILABLE);
    *setup.upstreams[1].always.lock() = Some(http::StatusCode::BAD_GATEWAY);
    assert_eq!(setup.chat("ok").await.status, 502);
    let span = &spans(&collector, 1).await[0];
    let tried = ["stipend.placed", "stipend.sent", "stipend.upstream_failed"];
    assert_eq!(events(span)[0], "stipend.admitted");
    assert_eq!(events(span)[1..], [tried, tried].concat());
    assert_eq!(attribute(&span.attributes, "error.type").as_deref(), Some("upstream_error"));
    assert_eq!(attribute(&span.attributes, "http.response.status_code").as_deref(), Some("502"));
    assert_eq!(span.status.as_ref().unwrap().code, StatusCode::Error as i32);

    let limits = KeyLimits { request_cost_max: Some(1), ..KeyLimits::default() };
    setup.chain.change(|ledger| ledger.set_key(KEY, &setup.owner, limits.clone()));
    let hash = stipend_primitives::key::hash(KEY);
    until("the limit is known", || {
        setup.engine().state.keys.get(&hash).is_some_and(|key| key.limits == limits)
    })
    .await;
    assert_eq!(setup.chat("ok").await.status, 403);
    let span = &spans(&collector, 2).await[1];
    assert_eq!((span.name.as_str(), span.events.len()), ("chat m", 0));
    assert_eq!(attribute(&span.attributes, "error.type").as_deref(), Some("request_cost_above_cap"));
    // It is the caller's affair, not this server's.
    assert!(span.status.as_ref().is_none_or(|status| status.code == StatusCode::Unset as i32));
    // Whoever shows no key has no span: nobody fills the queue for free.
    let mut request = setup.request("/v1/chat/completions", chat("ok").to_string());
    request.headers_mut().remove("authorization");
    assert_eq!(setup.send(request).await.status, 401);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(collector.spans().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn histograms_have_the_conventions_names_units_and_bounds() {
    let collector = FakeCollector::start().await;
    let setup = exporting_to(&collector, 1).await;
    for _ in 0..3 {
        assert_eq!(setup.chat("ok").await.status, 200);
    }
    let stream = json!({"model": "m", "prompt": "ok", "stream": true});
    assert_eq!(setup.post("/v1/completions", stream).await.status, 200);
    let count = |name: &str| collector.histogram(name).1.iter().map(|point| point.count).sum::<u64>();
    until("all are exported", || count("gen_ai.server.request.duration") == 4).await;
    until("all are exported", || count("gen_ai.client.token.usage") == 8).await;
    until("all are exported", || count("gen_ai.server.time_to_first_token") == 1).await;

    let (unit, tokens) = collector.histogram("gen_ai.client.token.usage");
    assert_eq!((unit.as_str(), tokens.len()), ("{token}", 4));
    let of = |operation: &str, kind: &str| {
        let is_it = |point: &&opentelemetry_proto::tonic::metrics::v1::HistogramDataPoint| {
            attribute(&point.attributes, "gen_ai.operation.name").as_deref() == Some(operation)
                && attribute(&point.attributes, "gen_ai.token.type").as_deref() == Some(kind)
        };
        tokens.iter().find(is_it).unwrap()
    };
    assert_eq!((of("chat", "input").count, of("chat", "input").sum), (3, Some(30.0)));
    assert_eq!((of("chat", "output").count, of("chat", "output").sum), (3, Some(15.0)));
    assert_eq!(of("text_completion", "output").count, 1);
    assert_eq!(tokens[0].explicit_bounds[..4], [1.0, 4.0, 16.0, 64.0]);
    assert_eq!(tokens[0].explicit_bounds.last(), Some(&67_108_864.0));
    let (unit, duration) = collector.histogram("gen_ai.server.request.duration");
    assert_eq!((unit.as_str(), duration[0].explicit_bounds.len()), ("s", 14));
    assert_eq!((duration[0].explicit_bounds[0], duration[0].explicit_bounds[13]), (0.01, 81.92));
    let (unit, first) = collector.histogram("gen_ai.server.time_to_first_token");
    assert_eq!((unit.as_str(), first[0].explicit_bounds.len()), ("s", 16));
    for point in tokens.iter().chain(&duration).chain(&first) {
        assert_eq!(attribute(&point.attributes, "gen_ai.provider.name").as_deref(), Some("stipend"));
        assert_eq!(attribute(&point.attributes, "gen_ai.request.model").as_deref(), Some("m"));
    }
    // Prometheus counts the same once.
    let page = setup.get("/metrics").await.text();
    assert!(page.contains("gen_ai_server_request_duration_seconds_count{gen_ai_request_model=\"m\"} 4"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_prompt_no_key_no_secret_and_nobody_is_in_what_is_exported() {
    let collector = FakeCollector::start().await;
    let setup = exporting_to(&collector, 1).await;
    let prompt = "the patient is called Wilhelmina";
    assert_eq!(setup.chat(prompt).await.status, 200);
    let mut body = chat(prompt);
    body["stream"] = json!(true);
    body["user"] = json!("wilhelmina@example.org");
    assert_eq!(setup.post("/v1/chat/completions", body).await.status, 200);
    // A model that is not served is a text of the caller's.
    let mut body = chat("ok");
    body["model"] = json!("my-password-is-rosebud");
    assert_eq!(setup.post("/v1/chat/completions", body).await.status, 404);
    let mut request = setup.request("/v1/chat/completions", chat("ok").to_string());
    request.headers_mut().insert("traceparent", CALLER.parse().unwrap());
    request.headers_mut().insert("tracestate", "vendor=wilhelmina".parse().unwrap());
    request.headers_mut().insert("x-request-id", "wilhelmina-7".parse().unwrap());
    assert_eq!(setup.send(request).await.status, 200);
    spans(&collector, 4).await;
    until("metrics are there", || !collector.metrics().is_empty()).await;
    let owner: &AccountId = &setup.owner;
    let raw: &[u8] = owner.as_ref();
    let never = [
        KEY.as_bytes().to_vec(),
        b"Wilhelmina".to_vec(),
        b"wilhelmina".to_vec(),
        b"rosebud".to_vec(),
        b"shared".to_vec(),
        b"collector-secret".to_vec(),
        owner.to_ss58check().into_bytes(),
        hex::encode(raw).into_bytes(),
        raw.to_vec(),
    ];
    for export in collector.exports.lock().iter() {
        assert_eq!(export.headers["authorization"], "Bearer collector-secret");
        assert_eq!(export.headers["content-type"], "application/x-protobuf");
        for secret in &never {
            let found = memchr::memmem::find(&export.body, secret);
            assert!(found.is_none(), "{} is exported", String::from_utf8_lossy(secret));
        }
    }
    assert!(collector.spans().iter().all(|span| span.trace_state.is_empty()));
    let page = setup.get("/metrics").await.text();
    assert!(page.contains("stipend_gateway_otlp_spans_lost_total 0"), "{page}");
    assert!(!page.contains("collector-secret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_word_on_sampling_counts_and_where_it_has_none_the_ratio() {
    let collector = FakeCollector::start().await;
    let setup = Setup::with(1, |config| config.operate.otlp = otlp(&collector, 0.0)).await;
    let unsampled = CALLER.replace("-01", "-00");
    let without_a_word: [&[&str]; 4] = [&[], &[unsampled.as_str()], &["nonsense"], &[CALLER, CALLER]];
    for parents in without_a_word {
        assert_eq!(chat_of(&setup, parents).await.status, 200);
        let seen = setup.upstreams[0].seen.lock().last().unwrap().headers["traceparent"].clone();
        assert!(seen.to_str().unwrap().ends_with("-00"), "{parents:?}: {seen:?}");
    }
    assert_eq!(chat_of(&setup, &[CALLER]).await.status, 200);
    let span = &spans(&collector, 1).await[0];
    assert_eq!(hex::encode(&span.parent_span_id), "b7ad6b7169203331");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_collector_nothing_of_it_is_there() {
    let setup = Setup::new().await;
    assert_eq!(chat_of(&setup, &[CALLER]).await.status, 200);
    assert!(!setup.upstreams[0].seen.lock()[0].headers.contains_key("traceparent"));
    assert!(setup.engine().state.otlp.is_none());
    assert!(!setup.get("/metrics").await.text().contains("otlp"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_hangs_delays_no_request_and_not_the_end() {
    let collector = FakeCollector::hanging().await;
    let setup = exporting_to(&collector, 1).await;
    setup.chat("ok").await;
    until("an export hangs", || !collector.exports.lock().is_empty()).await;
    let began = Instant::now();
    for _ in 0..10 {
        let got = futures::future::join_all((0..20).map(|_| setup.chat("ok"))).await;
        assert!(got.iter().all(|got| got.status == 200));
    }
    let served_in = began.elapsed();
    assert!(served_in < Duration::from_secs(4), "{served_in:?}: an export takes five seconds to give up");
    setup.charged(201).await;
    let failures = || async { setup.get("/metrics").await.text().contains("otlp_failures_total 0") };
    while failures().await {
        assert!(began.elapsed() < Duration::from_secs(30), "no failure was counted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let began = Instant::now();
    setup.engine().state.otlp.as_ref().unwrap().shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    assert_eq!(setup.chat("ok").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_handed_over_at_the_end() {
    let collector = FakeCollector::start().await;
    let setup = Setup::with(1, |config| {
        config.operate.otlp =
            otlp(&collector, 1.0).map(|otlp| Otlp { interval: Duration::from_secs(3_600), ..otlp });
    })
    .await;
    for _ in 0..10 {
        assert_eq!(setup.chat("ok").await.status, 200);
    }
    assert!(collector.exports.lock().is_empty());
    until("nothing is in flight", || setup.engine().state.in_flight() == 0).await;
    setup.engine().state.otlp.as_ref().unwrap().shutdown().await;
    assert_eq!(collector.spans().len(), 10);
    let (_, duration) = collector.histogram("gen_ai.server.request.duration");
    assert_eq!(duration[0].count, 10);
    setup.charged(10).await;
    assert_eq!(setup.spent(ClassId::INNOVATION), 10 * price(5));
}
