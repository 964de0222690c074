//! What passes, and what is counted.

use std::time::Duration;

use http::StatusCode;
use http_body_util::BodyExt;
use proptest::prelude::*;
use serde_json::{json, Value};
use stipend_engine_sim::Options;
use stipend_primitives::{cost::Usage, ModelId};

use crate::world::{self, chat, digest, world, Gateway, World, MODEL, MODEL_ID};

/// The JSON of all events but the last, which must be `[DONE]`.
fn events(text: &str) -> Vec<Value> {
    let mut events: Vec<&str> = text.split_terminator("\n\n").collect();
    assert_eq!(events.pop(), Some("data: [DONE]"));
    events.iter().map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn an_answer_is_passed_on_and_attested() {
    let World { gateway, engine, .. } = &world(Options::default(), "").await;
    let (status, text) = gateway.chat(digest(1), json!({ "max_tokens": 9 })).await;
    assert_eq!(status, StatusCode::OK);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["model"], MODEL, "the engine's own name for the model stays inside");
    assert_eq!(answer["usage"]["completion_tokens"], 9);

    let (signed, leaves) = gateway.attested(0, &[digest(1)]).await;
    let input = answer["usage"]["prompt_tokens"].as_u64().unwrap() as u32;
    assert_eq!(leaves[0].usage, Usage { input, cached_input: 0, output: 9 });
    assert_eq!(leaves[0].model, ModelId(MODEL_ID));
    assert_eq!(signed.attestation.output, engine.totals().generation_tokens);
    assert_eq!((signed.attestation.gpu_time_ms, signed.attestation.energy_mj), (None, None));
}

#[tokio::test]
async fn a_stream_shows_usage_only_to_a_gateway_that_asked() {
    let World { gateway, .. } = &world(Options::default(), "").await;
    let (_, silent) = gateway.chat(digest(1), json!({ "stream": true, "max_tokens": 4 })).await;
    let silent = events(&silent);
    assert_eq!(silent.len(), 5, "a role and four tokens");
    assert!(silent.iter().all(|event| event.get("usage").is_none() && event["model"] == MODEL));

    let asked = json!({ "stream": true, "max_tokens": 4, "stream_options": { "include_usage": true } });
    let (_, asked) = gateway.chat(digest(2), asked).await;
    let usage = events(&asked).pop().unwrap();
    assert_eq!((&usage["choices"], &usage["model"]), (&json!([]), &json!(MODEL)));

    let (_, leaves) = gateway.attested(0, &[digest(1), digest(2)]).await;
    assert!(leaves.iter().all(|leaf| leaf.usage.output == 4 && leaf.usage.input > 0));
}

/// A request of each endpoint that is no chat, and what is metered for it: with the engine's usage, or by size.
fn others() -> [(&'static str, Value); 4] {
    let text = "Count this, please.";
    [
        ("/v1/embeddings", json!({ "model": MODEL, "input": [text, text] })),
        ("/v1/responses", json!({ "model": MODEL, "input": text, "max_output_tokens": 6 })),
        (
            "/v1/messages",
            json!({ "model": MODEL, "max_tokens": 6, "messages": [{ "role": "user", "content": text }] }),
        ),
        ("/v1/images/generations", json!({ "model": MODEL, "prompt": text, "size": "64x64" })),
    ]
}

#[tokio::test]
async fn every_endpoint_is_metered_whole_and_streamed() {
    let World { gateway, .. } = &world(Options::default(), "").await;
    let mut digests = Vec::new();
    for stream in [false, true] {
        for (path, mut body) in others() {
            if stream && path == "/v1/embeddings" {
                continue;
            }
            body["stream"] = json!(stream);
            digests.push(digest(digests.len() as u64));
            let (status, text) = gateway.post(path, *digests.last().unwrap(), body).await;
            assert_eq!(status, StatusCode::OK, "{path}: {text}");
            assert!(!text.contains("\"tiny\""), "the engine's own name for the model is shown: {text}");
        }
    }
    let (_, leaves) = gateway.attested(0, &digests).await;
    let input = stipend_engine_sim::tokens_count("Count this, please.") as u32;
    let usage = |input, output| Usage { input, cached_input: 0, output };
    let text = [usage(input, 6), usage(input, 6), usage(0, 4)];
    let expected = [&[usage(2 * input, 0)], &text[..], &text].concat();
    assert_eq!(leaves.iter().map(|leaf| leaf.usage).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn what_an_engine_counts_of_every_endpoint_agrees_with_what_is_metered() {
    let World { gateway, .. } = &world(Options::default(), "[limits]\nscrape_ms = 20").await;
    while gateway.metric("stipend_attestor_engine_up").await != Some(1) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for (number, (path, body)) in others().into_iter().enumerate() {
        gateway.post(path, digest(number as u64), body).await;
    }
    agrees_with_the_engine(gateway, 12).await;
}

#[tokio::test]
async fn what_would_not_be_metered_is_refused() {
    let World { gateway, engine, .. } = &world(Options::default(), "").await;
    for (path, more) in [
        ("/v1/responses", json!({ "background": true })),
        ("/v1/responses", json!({ "previous_response_id": "x" })),
        ("/v1/messages", json!({ "tools": [{ "type": "web_search_20250305" }] })),
    ] {
        let mut body = json!({ "model": MODEL, "input": "x", "max_tokens": 1 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, text) = gateway.post(path, digest(1), body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{more}");
        assert!(text.contains("unbounded_request"), "{text}");
    }
    assert_eq!(engine.totals(), Default::default());
}

#[tokio::test]
async fn tokens_from_the_cache_are_metered_as_such() {
    let World { gateway, .. } = &world(Options { prefix_cache: true, ..Options::default() }, "").await;
    let body = json!({ "model": MODEL, "prompt": "all work and no play ".repeat(20), "stream": true });
    for number in [1, 2] {
        assert_eq!(gateway.post("/v1/completions", digest(number), body.clone()).await.0, StatusCode::OK);
    }
    let (_, leaves) = gateway.attested(0, &[digest(1), digest(2)]).await;
    let [cold, warm] = [leaves[0].usage, leaves[1].usage];
    assert_eq!(cold.cached_input, 0);
    assert!(warm.cached_input > 0);
    assert_eq!(cold.input, warm.input + warm.cached_input);
}

#[tokio::test]
async fn a_request_whose_gateway_goes_away_is_read_to_its_end_and_metered() {
    let options = Options { tokens_per_second: Some(100.0), ..Options::default() };
    let World { gateway, engine, .. } = &world(options, "").await;
    for (number, stream) in [(1, true), (2, false)] {
        let body = chat(json!({ "stream": stream, "max_tokens": 40 })).to_string();
        let request = gateway.request("/v1/chat/completions", digest(number)).body(body.into()).unwrap();
        let gateway = gateway.clone();
        let before = engine.totals().successes;
        let call = tokio::spawn(async move {
            let mut response = gateway.send(request).await;
            while let Some(Ok(_)) = response.frame().await {}
        });
        tokio::time::sleep(Duration::from_millis(100)).await;
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        while engine.totals().successes == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    while gateway.metric("stipend_attestor_requests_in_flight").await != Some(0) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (signed, _) = gateway.attested(0, &[digest(1), digest(2)]).await;
    assert_eq!(signed.attestation.output, 80);
    assert_eq!(gateway.metric("stipend_attestor_drained_total").await, Some(2));
}

#[tokio::test]
async fn what_is_metered_agrees_with_the_engines_own_counters() {
    let World { gateway, .. } = &world(Options::default(), "[limits]\nscrape_ms = 20").await;
    while gateway.metric("stipend_attestor_engine_up").await != Some(1) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for number in 0..20 {
        gateway.chat(digest(number), json!({ "max_tokens": 5, "n": 1 + number % 3 })).await;
    }
    agrees_with_the_engine(gateway, 20 * 5 + 5 * (7 + 12)).await;
}

/// Waits until the engine's `generated` tokens were scraped and no excess is left. A scrape between an engine's
/// last token and the end of its answer rightly finds an excess, which the next one takes back.
async fn agrees_with_the_engine(gateway: &Gateway, generated: i64) {
    let figure = |what, kind| format!("stipend_attestor_engine_{what}{{kind=\"{kind}\"}}");
    let mut seen = Vec::new();
    for _ in 0..400 {
        seen.clear();
        for name in [
            figure("tokens", "generation"),
            figure("excess_tokens", "generation"),
            figure("excess_tokens", "prompt"),
        ] {
            seen.push(gateway.metric(&name).await);
        }
        if seen == [Some(generated), Some(0), Some(0)] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("counted {generated}, excess 0 and 0 expected; the attestor says {seen:?}");
}

#[derive(Clone, Debug)]
struct Asked {
    stream: bool,
    include_usage: bool,
    max_tokens: u32,
    n: u32,
    words: usize,
}

fn any_request() -> impl Strategy<Value = Asked> {
    (any::<bool>(), any::<bool>(), 1..40u32, 1..3u32, 0..50usize).prop_map(
        |(stream, include_usage, max_tokens, n, words)| Asked { stream, include_usage, max_tokens, n, words },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The engine counts by itself, token by token; the attestor reads the engine's answers. For
    /// whatever is asked, side by side, both come to the same sums.
    #[test]
    fn metering_equals_the_engines_truth(asked in prop::collection::vec(any_request(), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let World { gateway, engine, .. } = &world::world(Options::default(), "").await;
            let mut calls = Vec::new();
            for (number, asked) in asked.iter().cloned().enumerate() {
                let gateway = gateway.clone();
                calls.push(tokio::spawn(async move {
                    let mut body = json!({
                        "model": MODEL, "prompt": "word ".repeat(asked.words), "max_tokens": asked.max_tokens,
                        "n": asked.n, "stream": asked.stream,
                    });
                    if asked.include_usage {
                        body["stream_options"] = json!({ "include_usage": true });
                    }
                    gateway.post("/v1/completions", digest(number as u64), body).await.0
                }));
            }
            for call in calls {
                assert_eq!(call.await.unwrap(), StatusCode::OK);
            }
            let digests: Vec<_> = (0..asked.len() as u64).map(digest).collect();
            let (signed, leaves) = gateway.attested(0, &digests).await;
            let truth = engine.totals();
            assert_eq!(signed.attestation.output, truth.generation_tokens);
            let prompts = leaves.iter().zip(&asked).map(|(leaf, asked)| u64::from(leaf.usage.input * asked.n));
            assert_eq!(prompts.sum::<u64>(), truth.prompt_tokens);
            for (leaf, asked) in leaves.iter().zip(&asked) {
                assert_eq!(leaf.usage.output, asked.max_tokens * asked.n);
            }
        });
    }
}
