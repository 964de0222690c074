//! A real llama.cpp and a real vLLM behind attestor and gateway: every request is charged once, settled as a match, and the sum
//! is what the engine itself counted, to the token.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{ensure, Context, Result};
use stipend_primitives::{cost::Usage, Digest};
use stipend_tests::{
    audit,
    engines::{Counters, Kind, Mix, RealEngine, Told},
    observer::Observer,
    stage::{Setup, Stage},
};

/// Requests for each engine.
const REQUESTS: usize = 200;

/// Patience for what needs a few blocks and a few looks at counters; a busy machine takes longer.
const PATIENCE: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread")]
async fn what_wallets_pay_is_what_real_engines_counted() -> Result<()> {
    if std::env::var_os("STIPEND_TEST_LONG").is_none() {
        println!("NOT RUN: real engines are part of `make test-long`");
        return Ok(());
    }
    let seed: u64 =
        std::env::var("STIPEND_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random);
    println!("seed: STIPEND_TEST_SEED={seed}");
    // One after the other: there is memory for one.
    for (kind, dir) in [(Kind::LlamaCpp, "test-real-llama"), (Kind::Vllm, "test-real-vllm")] {
        if let Some(engine) = RealEngine::start(kind).await? {
            served(&engine, dir, seed).await.with_context(|| format!("{kind:?}"))?;
        }
    }
    Ok(())
}

async fn served(engine: &RealEngine, dir: &'static str, seed: u64) -> Result<()> {
    let behind = Some((engine.url.clone(), engine.model.to_string()));
    let stage = Stage::set(Setup { dir, engine: behind, ..Default::default() }).await?;
    let observer = Observer::start(stage.client.clone());
    let before = engine.counters().await?;

    let started = Instant::now();
    let told = Mix::new(seed, engine.kind, REQUESTS).run(&stage).await?;
    let took = started.elapsed();
    settled(&stage, &observer).await?;

    let receipts: HashMap<Digest, Usage> = observer
        .with(|seen| seen.receipts.iter().map(|receipt| (receipt.leaf.digest, receipt.leaf.usage)).collect());
    told_is_charged(&told, &receipts)?;
    let audited = audit::check(&stage.client, &stage.company, &observer).await?;
    ensure!(audited.refunded == 0, "{} micro-credits were given back", audited.refunded);

    let after = engine.counters().await?;
    let counted =
        Counters { prompt: after.prompt - before.prompt, generation: after.generation - before.generation };
    let choices: HashMap<Digest, u64> =
        told.iter().filter_map(|told| Some((told.digest?, told.choices))).collect();
    // Who left before the answer began asked for one choice.
    let choices = |digest: &Digest| choices.get(digest).copied().unwrap_or(1);
    let sum =
        |of: &dyn Fn(&Digest, &Usage) -> u64| receipts.iter().map(|(digest, usage)| of(digest, usage)).sum();
    let charged = Counters {
        prompt: sum(&|digest, usage| engine.prompt_counted(usage, choices(digest))),
        generation: sum(&|_, usage| usage.output.into()),
    };
    let kinds = |is: fn(&Told) -> bool| told.iter().filter(|told| is(told)).count();
    let billed: u64 = sum(&|_, usage| u64::from(usage.input) + u64::from(usage.cached_input));
    let cached: u64 = sum(&|_, usage| usage.cached_input.into());
    println!(
        "{:?}: {REQUESTS} requests in {took:.1?}: {} answered, {} left, {} refused; {} receipts, all match; \
         prompt tokens billed {billed} (cached {cached}), counted by the engine {}, expected {}; generated: billed {}, \
         counted {}; spent {} micro-credits",
        engine.kind,
        kinds(|told| !told.left && !told.refused),
        kinds(|told| told.left),
        kinds(|told| told.refused),
        audited.receipts,
        counted.prompt,
        charged.prompt,
        charged.generation,
        counted.generation,
        audited.spent,
    );
    ensure!(charged == counted, "charged {charged:?}, the engine counted {counted:?}");
    ensure!(
        kinds(|told| told.left) > 0 && kinds(|told| told.refused) > 0,
        "nobody left, or nothing was refused"
    );
    cross_checked(&stage).await
}

/// Waits until everything that the attestor metered is settled; all of it must be a match.
async fn settled(stage: &Stage, observer: &Observer) -> Result<()> {
    let provider = stage.company.providers[0].account();
    let started = Instant::now();
    loop {
        let metrics = metrics(stage).await?;
        let metered = metric(&metrics, "stipend_attestor_requests_total{outcome=\"metered\"}");
        let open = metric(&metrics, "stipend_attestor_requests_in_flight")
            + metric(&metrics, "stipend_attestor_unclaimed");
        let (verdicts, refunded, settled) = observer.with(|seen| seen.of_provider(&provider));
        ensure!(verdicts.keys().all(|kind| *kind == "match"), "settled as {verdicts:?}");
        ensure!(refunded == 0, "{refunded} micro-credits were refunded");
        if open == 0 && settled as i64 == metered {
            let unmetered = metric(&metrics, "stipend_attestor_requests_total{outcome=\"unmetered\"}");
            ensure!(unmetered == 0, "{unmetered} answers could not be metered");
            return Ok(());
        }
        ensure!(
            started.elapsed() < PATIENCE,
            "{metered} requests were metered, {settled} are settled, {open} are open at the attestor"
        );
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

/// Every answer that was given has its receipt, with the usage that the caller was told.
fn told_is_charged(told: &[Told], receipts: &HashMap<Digest, Usage>) -> Result<()> {
    for told in told.iter().filter(|told| !told.left) {
        let Some(digest) = told.digest else { continue };
        let charged = receipts.get(&digest).with_context(|| format!("no receipt for {told:?}"))?;
        ensure!(told.usage.is_none_or(|usage| usage == *charged), "{told:?} was charged as {charged:?}");
    }
    let acknowledged = told.iter().filter(|told| told.digest.is_some()).count();
    let left = told.iter().filter(|told| told.left).count();
    ensure!(receipts.len() <= acknowledged + left, "there are more receipts than requests");
    Ok(())
}

/// The attestor, which looks at the engine's counters by itself, finds no excess either.
async fn cross_checked(stage: &Stage) -> Result<()> {
    let started = Instant::now();
    loop {
        let metrics = metrics(stage).await?;
        let is_up = metric(&metrics, "stipend_attestor_engine_up") == 1;
        let excess = ["prompt", "generation"].map(|kind| {
            metric(&metrics, &format!("stipend_attestor_engine_excess_tokens{{kind=\"{kind}\"}}"))
        });
        if is_up && excess == [0, 0] {
            return Ok(());
        }
        ensure!(
            started.elapsed() < Duration::from_secs(30),
            "the attestor sees an excess of {excess:?}, the engine's counters read: {is_up}"
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn metrics(stage: &Stage) -> Result<String> {
    Ok(reqwest::get(format!("{}/metrics", stage.attestors[0].url)).await?.text().await?)
}

/// A metric's value; 0 where it is not there yet.
fn metric(text: &str, name: &str) -> i64 {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
    value.unwrap_or(0.0) as i64
}
