//! What callers of a gateway see on a real chain when an engine is down, a wallet is empty, or the
//! node is away; and that nothing is charged that was not served.

use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use serde_json::{json, Value};
use stipend_primitives::{key, mint::Grant};
use stipend_sdk::Signer;
use stipend_tests::{
    audit,
    company::{MODEL_GENERAL, MODEL_REASONING},
    observer::Observer,
    stage::{Setup, Stage},
};

/// How long the gateway goes on without final blocks. Long enough to serve on a slow machine.
const LIMITS: &str = "[limits]\nchain_silence_ms_max = 15000\n";

/// How long the test waits for anything.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_engine_wallet_and_node_have_their_codes_and_charge_nothing() -> Result<()> {
    let setup = Setup { dir: "test-gateway-faults", gateway_more: LIMITS, ..Default::default() };
    let mut stage = Stage::set(setup).await?;
    let observer = Observer::start(stage.client.clone());
    let api_key = stage.company.employees[0].api_key.clone();
    let mut served = 0;
    for model in [MODEL_GENERAL, MODEL_REASONING] {
        let (status, answer) = ask(&stage, &api_key, model).await?;
        ensure!(status == 200, "{model}: {status} {answer}");
        served += 1;
    }

    empty_wallet(&stage).await?;
    engine_down(&mut stage, &observer, &api_key, served).await?;
    served += node_away(&mut stage, &api_key).await?;

    let started = Instant::now();
    while observer.with(|seen| seen.receipts.len()) < served {
        ensure!(started.elapsed() < PATIENCE, "receipts of served requests are missing");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let audited = audit::check(&stage.client, &stage.company, &observer).await?;
    ensure!(audited.receipts == served, "{} receipts for {served} answers", audited.receipts);
    println!("{served} requests served, each charged once");
    Ok(())
}

/// A wallet with less than the smallest request costs gets 402, which names the class.
async fn empty_wallet(stage: &Stage) -> Result<()> {
    let (poor, secret) = (Signer::generate(), key::text(&rand::random()));
    let grant = Grant::One { program: 0, amount: 1, valid_from: None, valid_until: None };
    let mint = pallet_entitlements::Call::mint { owner: poor.account(), grant };
    stage.client.submit_finalised(mint.into(), &stage.company.hr).await?;
    let register = pallet_entitlements::Call::register_key {
        hash: key::hash(&secret),
        limits: Default::default(),
        reserve: None,
    };
    stage.client.submit_finalised(register.into(), &poor).await?;
    let started = Instant::now();
    let (status, answer) = loop {
        let (status, answer) = ask(stage, &secret, MODEL_GENERAL).await?;
        // The gateway learns of a key with the block that is final.
        if status != 401 {
            break (status, answer);
        }
        ensure!(started.elapsed() < PATIENCE, "the gateway never learned of the key");
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    let (code, message) = fault(&answer);
    ensure!(status == 402 && code == "insufficient_credits", "{status} {answer}");
    ensure!(message.contains("Innovation"), "the class is not named: {message}");
    println!("402: {message}");
    Ok(())
}

/// A request whose engine is down gets 502, and no receipt of it ever appears.
async fn engine_down(stage: &mut Stage, observer: &Observer, api_key: &str, served: usize) -> Result<()> {
    stage.engines[0].process.kill();
    let (status, answer) = ask(stage, api_key, MODEL_GENERAL).await?;
    let (code, message) = fault(&answer);
    ensure!(status == 502 && code == "upstream_error", "{status} {answer}");
    println!("502: {message}");
    // A batch closes every second; what is not in ten further blocks never comes.
    let goal = stage.client.finalised_head().await?.number + 10;
    while stage.client.finalised_head().await?.number < goal {
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let receipts = observer.with(|seen| seen.receipts.len());
    ensure!(receipts == served, "{receipts} receipts for {served} answers");
    Ok(())
}

/// Without its node the gateway serves against its reservations, then refuses with 503, and serves
/// again when the node is back. Returns how many it served.
async fn node_away(stage: &mut Stage, api_key: &str) -> Result<usize> {
    stage.node.as_mut().context("the stage started the node")?.process.kill();
    let (mut served, started) = (0, Instant::now());
    let answer = loop {
        let (status, answer) = ask(stage, api_key, MODEL_REASONING).await?;
        match status {
            200 => served += 1,
            503 => break answer,
            other => anyhow::bail!("without the node: {other} {answer}"),
        }
        ensure!(started.elapsed() < PATIENCE, "the gateway goes on without a chain");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    ensure!(served > 0, "the reservations did not serve");
    let (code, message) = fault(&answer);
    ensure!(code == "service_unavailable", "{answer}");
    println!("{served} requests served without the node, then 503: {message}");

    stage.restart_node().await?;
    let started = Instant::now();
    loop {
        match ask(stage, api_key, MODEL_REASONING).await? {
            (200, _) => return Ok(served + 1),
            (503, _) => {}
            (other, answer) => anyhow::bail!("with the node again: {other} {answer}"),
        }
        ensure!(started.elapsed() < PATIENCE, "the gateway does not serve again");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

async fn ask(stage: &Stage, api_key: &str, model: &str) -> Result<(u16, Value)> {
    let body = json!({
        "model": model,
        "messages": [{ "role": "user", "content": "the the the" }],
        "max_tokens": 5,
    });
    let response = reqwest::Client::new()
        .post(format!("{}/chat/completions", stage.gateway_url()))
        .bearer_auth(api_key)
        .json(&body)
        .send()
        .await?;
    Ok((response.status().as_u16(), response.json().await?))
}

/// Code and message of an OpenAI error.
fn fault(answer: &Value) -> (&str, &str) {
    let text = |name: &str| answer["error"][name].as_str().unwrap_or_default();
    (text("code"), text("message"))
}
