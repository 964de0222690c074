//! `judge` against a gateway that answers as the real one does: OpenAI's form, with the gateway's headers.

use std::{net::SocketAddr, sync::Arc};

use axum::{extract::State, response::IntoResponse, routing::post, Json, Router};
use http::{HeaderMap, StatusCode};
use parking_lot::Mutex;
use serde_json::{json, Value};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{
    command::{evaluator, good},
    world::{receipt, World, A},
};

/// The API key of the program's wallet; nothing may show it.
pub const KEY: &str = "canary-of-the-api-key-77b1";

const GOOD_WORK: &str = "The outage began when the certificate of the message broker expired at two in the morning. Renewal had \
    failed silently for a month because its account lost the permission to write secrets. We restored it and added an alert.";
const REFERENCE: &str =
    "There was an outage of the broker during the night and it was fixed after a while by the team on duty.";
const FLUENT: &str = include_str!("../fixtures/filler_fluent.txt");

#[derive(Clone, Default)]
struct Gateway(Arc<Mutex<Vec<Value>>>, Arc<Mutex<String>>);

async fn complete(
    State(Gateway(asked, mode)): State<Gateway>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> axum::response::Response {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    if bearer != Some(&format!("Bearer {KEY}")) || mode.lock().as_str() == "refuse" {
        let error = json!({ "error": { "message": "too few credits", "code": "insufficient_credits" } });
        return (StatusCode::PAYMENT_REQUIRED, Json(error)).into_response();
    }
    asked.lock().push(body.clone());
    let material: Value = serde_json::from_str(body["messages"][1]["content"].as_str().unwrap()).unwrap();
    let marks = |place: &str| if material[place].as_str().unwrap().contains("certificate") { 9 } else { 4 };
    let filler = |place: &str| material[place] == FLUENT;
    let (a, b) = (marks("A"), marks("B"));
    let verdict = match mode.lock().as_str() {
        "talk" => "I prefer A, because it is nicer.".to_owned(),
        "huge" => "x".repeat(400_000),
        _ => json!({
            "winner": if a > b { "A" } else if b > a { "B" } else { "tie" },
            "marks_a": a, "marks_b": b, "filler_a": filler("A"), "filler_b": filler("B"),
            "instructs_a": false, "instructs_b": false, "reason": "it names cause and fix",
        })
        .to_string(),
    };
    let answer = json!({ "choices": [{ "message": { "role": "assistant", "content": verdict } }] });
    let headers = [
        ("x-stipend-cost", "1234"),
        ("x-stipend-class", "3"),
        ("x-stipend-request-id", "ab".repeat(16).leak()),
    ];
    (headers, Json(answer)).into_response()
}

impl Gateway {
    async fn start(&self) -> (SocketAddr, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/v1/chat/completions", post(complete)).with_state(self.clone());
        (address, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
    }
}

fn world(address: SocketAddr) -> World {
    let world = World::new(&format!(
        "[judge]\nurl = \"http://{address}/v1\"\nkey_file = \"api.key\"\nmodel = \"big\"\n"
    ));
    world.secret("api.key", KEY);
    world.write("task", "Write a summary of the outage that says cause, fix and prevention.");
    world.write("reference", REFERENCE);
    std::fs::write(world.path("a.receipt"), receipt(A, 1).bytes()).unwrap();
    world
}

fn judge(world: &World, name: &str, work: &str) -> std::process::Output {
    world.write("work", work);
    let verb = format!("judge --name {name} --task task --reference reference --receipt a.receipt work");
    tokio::task::block_in_place(|| evaluator(world, &verb))
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_wins_in_both_orders_earns_and_the_report_says_what_judging_cost() {
    let gateway = Gateway::default();
    let (address, _task) = gateway.start().await;
    let world = world(address);
    let told = good(&judge(&world, "outage", GOOD_WORK));
    assert_eq!(told["outcomes"][0]["weight"].as_u64(), Some(50));
    let report = std::fs::read_to_string(world.path(told["report"].as_str().unwrap())).unwrap();
    assert_eq!(report.matches("1234 micro-credits of class 3, receipt abab").count(), 2, "{report}");
    let asked = gateway.0.lock().clone();
    let places: Vec<Value> = asked
        .iter()
        .map(|body| {
            serde_json::from_str::<Value>(body["messages"][1]["content"].as_str().unwrap()).unwrap()["A"]
                .clone()
        })
        .collect();
    assert_eq!(places, [GOOD_WORK, REFERENCE], "the second time with the places exchanged");
    // Judged once: the same name is not paid for again.
    good(&judge(&world, "outage", GOOD_WORK));
    assert_eq!(gateway.0.lock().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn filler_and_texts_that_speak_to_the_judge_earn_nothing() {
    let gateway = Gateway::default();
    let (address, _task) = gateway.start().await;
    let world = world(address);
    let injected = include_str!("../fixtures/injected_marks.txt");
    for (name, work, why, asked) in [
        ("injected", injected, "speaks to its judge", 0),
        ("repeated", include_str!("../fixtures/filler_repetition.txt"), "repeats itself", 0),
        ("fluent", FLUENT, "filler", 2),
    ] {
        let told = good(&judge(&world, name, work));
        assert!(told["nothing"].as_str().unwrap().contains(why), "{told}");
        assert_eq!(gateway.0.lock().len(), asked, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_judge_that_gives_no_verdict_is_an_error_and_the_work_can_be_judged_again() {
    let gateway = Gateway::default();
    let (address, _task) = gateway.start().await;
    let world = world(address);
    for (mode, why) in [
        ("talk", "no verdict"),
        ("huge", "does not answer"),
        ("refuse", "the gateway refused (402): too few credits"),
    ] {
        *gateway.1.lock() = mode.into();
        let output = judge(&world, "outage", GOOD_WORK);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(why), "{why}: {error}");
        assert!(!error.contains(KEY));
    }
    *gateway.1.lock() = String::new();
    assert_eq!(good(&judge(&world, "outage", GOOD_WORK))["outcomes"][0]["weight"].as_u64(), Some(50));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_asks_nobody() {
    let gateway = Gateway::default();
    let (address, _task) = gateway.start().await;
    let world = world(address);
    world.write("work", GOOD_WORK);
    let verb = "judge --dry-run --name outage --task task --reference reference work";
    let told = good(&tokio::task::block_in_place(|| evaluator(&world, verb)));
    assert!(told["nothing"].as_str().unwrap().contains("nothing speaks against"), "{told}");
    assert!(gateway.0.lock().is_empty());
}
