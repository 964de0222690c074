//! Findings of waste, through the whole gateway.

use http::{header, Method};
use serde_json::{json, Value};
use stipend_detectors::Measure;
use stipend_primitives::{key::KeyLimits, AccountId, ClassId};

use super::harness::*;
use crate::config::WasteConfig;

const AUDITOR: &str = "the auditor's token, which is long enough";
const OTHER: &str = "sk-stipend-other";

/// A prompt whose answer counts a million tokens: repeating it is dear.
const DEAR: &str = "above bound";

async fn watching(measure: Measure) -> Setup {
    Setup::with(1, |config| config.waste = Some(WasteConfig::for_test(measure, AUDITOR))).await
}

/// Sends one prompt again and again until that is found.
async fn waste(setup: &Setup) {
    for number in 0..30 {
        let got = setup.chat(DEAR).await;
        assert_eq!(got.status, 200, "request {number}: {got:?}");
    }
    let all = || setup.engine().state.waste.as_ref().unwrap().book.all();
    until("the repetition is found", || !all().is_empty()).await;
}

async fn findings(setup: &Setup, path: &str, token: &str) -> Vec<Value> {
    let mut request = setup.request(path, "");
    *request.method_mut() = Method::GET;
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    let got = setup.send(request).await;
    assert_eq!(got.status, 200, "{got:?}");
    got.json()["data"].as_array().unwrap().clone()
}

async fn other_wallet(setup: &Setup) {
    let other = AccountId::new([8; 32]);
    setup.chain.change(|ledger| {
        ledger.endow(&other, ClassId::INNOVATION, 1_000 * MILLION);
        ledger.set_key(OTHER, &other, KeyLimits::default());
    });
    setup.knows(OTHER).await;
}

fn with_purpose(
    setup: &Setup,
    prompt: &str,
    purpose: &str,
) -> http::Request<http_body_util::Full<bytes::Bytes>> {
    let mut request = setup.request("/v1/chat/completions", chat(prompt).to_string());
    request.headers_mut().insert("x-stipend-purpose", purpose.parse().unwrap());
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_is_told_to_its_owner_and_the_auditor_and_to_nobody_else() {
    let setup = watching(Measure::Advise).await;
    other_wallet(&setup).await;
    waste(&setup).await;
    let own = findings(&setup, "/v1/waste", KEY).await;
    assert_eq!(own.len(), 1);
    assert_eq!((own[0]["rule"].as_str(), own[0]["audience"].as_str()), (Some("repeat"), Some("person")));
    assert!(own[0]["explanation"].as_str().unwrap().contains("was sent 30 times"), "{}", own[0]);
    assert_eq!(own[0]["requests"].as_array().unwrap().len(), 8);
    assert!(findings(&setup, "/v1/waste", OTHER).await.is_empty());
    assert_eq!(findings(&setup, "/v1/waste/all", AUDITOR).await, own);
    for wrong in [KEY, OTHER, "", &AUDITOR[1..]] {
        let mut request = setup.request("/v1/waste/all", "");
        *request.method_mut() = Method::GET;
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {wrong}").parse().unwrap());
        assert_eq!(setup.send(request).await.code(), "invalid_auditor_token");
    }
    let metrics = setup.get("/metrics").await.text();
    assert!(metrics.contains("stipend_gateway_waste_findings_total{rule=\"repeat\"} 1"), "{metrics}");
    assert!(metrics.contains("stipend_gateway_waste_findings_total{rule=\"loop\"} 0"), "{metrics}");
    // Advice holds nobody back.
    assert_eq!(setup.chat("ok").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_prompt_stands_in_what_is_kept_or_shown() {
    let setup = watching(Measure::Advise).await;
    waste(&setup).await;
    let file = setup.config.data_dir.join("waste/findings.jsonl");
    let shown = setup.get("/v1/waste").await.text();
    for text in [std::fs::read_to_string(file).unwrap(), shown] {
        assert!(text.contains("explanation") && !text.contains(DEAR), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_appeal_is_kept_once_through_a_restart_and_read_by_the_auditor() {
    let mut setup = watching(Measure::Advise).await;
    other_wallet(&setup).await;
    waste(&setup).await;
    let id = findings(&setup, "/v1/waste", KEY).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/waste/{id}/appeal");

    let mut foreign = setup.request(&path, json!({"text": "Not mine."}).to_string());
    foreign.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {OTHER}").parse().unwrap());
    assert_eq!(setup.send(foreign).await.code(), "finding_not_found");
    for text in ["", "  ", &"a".repeat(2_001)] {
        assert_eq!(setup.post(&path, json!({"text": text})).await.code(), "invalid_appeal");
    }
    assert_eq!(setup.post(&path, json!({"txt": "x"})).await.code(), "invalid_appeal");
    let taken = setup.post(&path, json!({"text": "It was a drill."})).await;
    assert_eq!(taken.status, 201);
    assert_eq!(taken.json()["appeal"]["text"], "It was a drill.");
    assert_eq!(setup.post(&path, json!({"text": "No, it was not."})).await.code(), "appealed_already");

    setup.crash().await;
    setup.start().await;
    let all = findings(&setup, "/v1/waste/all", AUDITOR).await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["appeal"]["text"], "It was a drill.");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_finding_requests_are_slowed_down_where_that_is_wanted() {
    let setup = watching(Measure::Slow).await;
    other_wallet(&setup).await;
    waste(&setup).await;
    assert_eq!(setup.chat("ok").await.status, 200);
    let held = setup.chat("ok").await;
    assert_eq!(held.status, 429);
    let seconds: u64 = held.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert!(held.message().contains("/v1/waste"), "{}", held.message());
    let mut other = setup.request("/v1/chat/completions", chat("ok").to_string());
    other.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {OTHER}").parse().unwrap());
    assert_eq!(setup.send(other).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_finding_a_purpose_is_asked_for_where_that_is_wanted() {
    let setup = watching(Measure::AskPurpose).await;
    waste(&setup).await;
    assert_eq!(setup.chat("ok").await.code(), "purpose_needed");
    assert_eq!(setup.send(with_purpose(&setup, "ok", "drill")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purpose_silences_and_is_bounded_in_length_and_number() {
    let setup = watching(Measure::Advise).await;
    for _ in 0..40 {
        assert_eq!(setup.send(with_purpose(&setup, DEAR, "load test")).await.status, 200);
    }
    let metrics = || &setup.engine().state.waste.as_ref().unwrap().metrics;
    until("all were looked at", || metrics().looked_at.get() == 40).await;
    assert!(findings(&setup, "/v1/waste", KEY).await.is_empty());
    for odd in ["", "\t", &"a".repeat(65), "a\tb"] {
        assert_eq!(setup.send(with_purpose(&setup, "ok", odd)).await.code(), "invalid_purpose", "{odd:?}");
    }
    for number in 1..32 {
        assert_eq!(setup.send(with_purpose(&setup, "ok", &number.to_string())).await.status, 200);
    }
    assert_eq!(setup.send(with_purpose(&setup, "ok", "32")).await.code(), "too_many_purposes");
    assert_eq!(setup.send(with_purpose(&setup, "ok", "load test")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_and_whole_answers_are_looked_at_and_what_was_not_served_is_not() {
    let setup = watching(Measure::Advise).await;
    let mut body = chat("slow");
    body["stream"] = json!(true);
    assert_eq!(setup.post("/v1/chat/completions", body).await.status, 200);
    let metrics = || &setup.engine().state.waste.as_ref().unwrap().metrics;
    until("the stream was looked at", || metrics().looked_at.get() == 1).await;
    assert_eq!(setup.chat("status 400").await.status, 400);
    assert_eq!(setup.chat("ok").await.status, 200);
    until("what was served was looked at", || metrics().looked_at.get() == 2).await;
    assert_eq!(metrics().not_looked_at.get(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_section_nobody_looks() {
    let setup = Setup::new().await;
    assert_eq!(setup.send(with_purpose(&setup, "ok", "anything")).await.status, 200);
    assert_eq!(setup.get("/v1/waste").await.code(), "waste_not_shown");
    assert_eq!(setup.post("/v1/waste/1/appeal", json!({"text": "x"})).await.code(), "waste_not_shown");
    assert!(!setup.config.data_dir.join("waste").exists());
}
