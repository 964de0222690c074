//! What a fee buys at a saturated engine, and that nobody starves for it; with the stand-in engine, and with a real vLLM that
//! schedules by priority and one that does not.

use std::{
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

use anyhow::{ensure, Context, Result};
use futures::future::try_join_all;
use serde_json::json;
use stipend_tests::{
    company::MODEL_GENERAL,
    engines::{counter, Kind, RealEngine},
    services,
    stage::{Setup, Stage},
};

/// One request at a time, so that the order is the gateway's; whoever waits for a second is old.
const ONE_AT_A_TIME: &str = "concurrency_max = 1\nageing_ms = 1000\n";

/// How long the stand-in engine takes for a request.
const REQUEST: Duration = Duration::from_millis(100);

/// Every fourth place goes to the oldest that is old.
const OLD_EVERY: u32 = 4;

/// The order is the engine's: the gateway holds nothing back.
const ALL_AT_ONCE: &str = "concurrency_max = 256\nconcurrency_learned = false\n";

/// Time for an engine to be tried, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Sends a request; resolves when its answer is complete.
async fn ask(stage: &Stage, employee: usize, fee: u32, tokens: u32) -> Result<Instant> {
    let body = json!({
        "model": MODEL_GENERAL,
        "max_tokens": tokens,
        "ignore_eos": true,
        "messages": [{"role": "user", "content": "Say something."}],
    });
    let request = reqwest::Client::new()
        .post(format!("{}/chat/completions", stage.gateway_url()))
        .bearer_auth(&stage.company.employees[employee].api_key)
        .header("x-stipend-priority-fee", fee)
        .json(&body);
    let answer = request.send().await?;
    let status = answer.status();
    let text = answer.text().await?;
    ensure!(status == 200, "{status} {text}");
    Ok(Instant::now())
}

async fn metric(url: &str, name: &str) -> Result<Option<f64>> {
    let text = reqwest::get(format!("{url}/metrics")).await?.text().await?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    Ok(line.and_then(|line| line.split_whitespace().last()?.parse().ok()))
}

/// Waits until a metric of the gateway, its name with labels, has a value that will do.
async fn until(url: &str, name: &str, will_do: impl Fn(f64) -> bool) -> Result<()> {
    let began = Instant::now();
    while !metric(url, name).await?.is_some_and(&will_do) {
        ensure!(began.elapsed() < PATIENCE, "{name} is {:?}", metric(url, name).await?);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// A label of the first provider's figures.
fn of_provider(stage: &Stage, name: &str) -> String {
    format!("{name}{{provider=\"{}\"}}", stage.company.providers[0].address())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fee_overtakes_and_an_old_request_without_one_begins_within_its_bound() -> Result<()> {
    let dir = services::work_dir("test-priority-engine")?;
    let pace = REQUEST.as_millis().to_string();
    let engine = services::engine(&dir, "engine", MODEL_GENERAL, &["--first-token-ms", &pace]).await?;
    let stage = Stage::set(Setup {
        dir: "test-priority",
        engine: Some((engine.url.clone(), MODEL_GENERAL.into())),
        upstream_more: ONE_AT_A_TIME,
        ..Default::default()
    })
    .await?;
    // The first one finds connections and reservations made.
    ask(&stage, 0, 0, 1).await?;
    ask(&stage, 1, 1, 1).await?;
    overtakes(&stage).await?;
    begins_in_time(&stage).await
}

/// Twelve wait without a fee; one with a fee comes last and is among the first.
async fn overtakes(stage: &Stage) -> Result<()> {
    let waiting = of_provider(stage, "stipend_gateway_upstream_waiting");
    let without = try_join_all((0..12).map(|_| ask(stage, 0, 0, 1)));
    let with = async {
        until(&stage.gateway.url, &waiting, |waiting| waiting >= 11.0).await?;
        ask(stage, 1, 5, 1).await
    };
    let (without, with) = tokio::try_join!(without, with)?;
    let before = without.iter().filter(|ended| **ended < with).count();
    println!("of 12 requests that waited without a fee {before} were served before the one with a fee");
    ensure!(before <= 4, "{before} requests without a fee went before the one with a fee");
    Ok(())
}

/// While others who pay never cease to come, one that does not is served, and within the bound.
async fn begins_in_time(stage: &Stage) -> Result<()> {
    let (served, over) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let pay = |_| {
        let (served, over) = (served.clone(), over.clone());
        async move {
            while !over.load(Ordering::SeqCst) {
                ask(stage, 1, 5, 1).await?;
                served.fetch_add(1, Ordering::SeqCst);
            }
            anyhow::Ok(())
        }
    };
    let paying = try_join_all((0..6).map(pay));
    let old = async {
        let waiting = of_provider(stage, "stipend_gateway_upstream_waiting");
        until(&stage.gateway.url, &waiting, |waiting| waiting >= 5.0).await?;
        let (came, before) = (Instant::now(), served.load(Ordering::SeqCst));
        let ended = ask(stage, 0, 0, 1).await?;
        over.store(true, Ordering::SeqCst);
        anyhow::Ok((ended - came, served.load(Ordering::SeqCst) - before))
    };
    let ((took, overtaken), _) = tokio::try_join!(old, paying)?;
    // The ageing time, then at most four places, each a request long; as much again for a busy machine.
    let bound = Duration::from_secs(1) + REQUEST * (OLD_EVERY + 2);
    println!("without a fee: served after {took:.1?}, {overtaken} with a fee went before; the bound is {bound:.1?}");
    ensure!(took < bound * 2, "it waited for {took:?}");
    ensure!(overtaken >= 5, "fees bought nothing: {overtaken} overtook it");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_engine_is_found_to_heed_priorities_or_to_ignore_them() -> Result<()> {
    if std::env::var_os("STIPEND_TEST_LONG").is_none() {
        println!("NOT RUN: real engines are part of `make test-long`");
        return Ok(());
    }
    // One after the other: there is memory for one.
    for (more, dir, heeds) in [
        (&["--scheduling-policy", "priority"][..], "test-priority-vllm", true),
        (&[], "test-priority-vllm-fcfs", false),
    ] {
        let Some(engine) = RealEngine::start_with(Kind::Vllm, more).await? else { return Ok(()) };
        found_out(&engine, dir, heeds).await.with_context(|| format!("vLLM with {more:?}"))?;
    }
    Ok(())
}

async fn found_out(engine: &RealEngine, dir: &'static str, heeds: bool) -> Result<()> {
    let stage = Stage::set(Setup {
        dir,
        engine: Some((engine.url.clone(), engine.model.into())),
        upstream_more: ALL_AT_ONCE,
        engine_more: "try_priorities = true\n",
        ..Default::default()
    })
    .await?;
    let known = of_provider(&stage, "stipend_gateway_upstream_priorities");
    until(&stage.gateway.url, &known, |known| known == if heeds { 1.0 } else { 0.0 }).await?;
    let ready = reqwest::get(format!("{}/readyz", stage.gateway.url)).await?.text().await?;
    let said = format!("its engine ignores priorities: {}", stage.company.providers[0].address());
    ensure!(ready.contains(&said) != heeds, "{ready}");

    let filling = try_join_all((0..40).map(|number| ask(&stage, 2, 0, 150 + 5 * number)));
    let compared = async {
        engine_waits(engine, 20).await?;
        let without = try_join_all((0..8).map(|_| ask(&stage, 0, 0, 8)));
        let with = async {
            engine_waits(engine, 26).await?;
            try_join_all((0..8).map(|_| ask(&stage, 1, 500, 8))).await
        };
        tokio::try_join!(without, with)
    };
    let (_, (without, with)) = tokio::try_join!(filling, compared)?;
    let overtaken: usize = with.iter().map(|with| without.iter().filter(|other| with < *other).count()).sum();
    println!(
        "vLLM, priorities heeded: {heeds}: {overtaken} of 64 pairs were served the one with the fee first"
    );
    match heeds {
        true => ensure!(overtaken >= 48, "fees bought nothing: {overtaken} of 64"),
        false => ensure!(overtaken <= 32, "without priorities {overtaken} of 64 were overtaken"),
    }
    Ok(())
}

/// Waits until so many requests wait in the engine.
async fn engine_waits(engine: &RealEngine, least: u64) -> Result<()> {
    let began = Instant::now();
    loop {
        let text = reqwest::get(format!("{}/metrics", engine.url)).await?.text().await?;
        let waiting = counter(&text, "vllm:num_requests_waiting{")?;
        if waiting >= least {
            return Ok(());
        }
        ensure!(began.elapsed() < Duration::from_secs(60), "{waiting} requests wait in the engine");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
