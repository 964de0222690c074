//! Clients that other people wrote work unmodified.

use std::time::{Duration, Instant};

use anyhow::{ensure, Result};
use serde_json::Value;
use stipend_primitives::{cost::Usage, ClassId, Credits};
use stipend_tests::{
    company::prices,
    engines::{Kind, RealEngine},
    observer::Observer,
    python::Python,
    stage::{Setup, Stage},
};

#[tokio::test(flavor = "multi_thread")]
async fn openai_anthropic_and_substrate_clients_from_pypi_work() -> Result<()> {
    let Some(python) = Python::clients()? else { return Ok(()) };
    let stage = Stage::set(Setup { dir: "test-clients", ..Default::default() }).await?;
    let usages = charged_exactly(&stage, &python, "sim").await?;

    let found: Value = serde_json::from_str(&python.run("substrate_client.py", &stage.endpoints())?)?;
    ensure!(
        found["classes"] == 3,
        "the wallet has three classes, substrate-interface found {}",
        found["classes"]
    );
    let output: u64 = usages.iter().map(|usage| u64::from(usage.output)).sum();
    println!(
        "openai and anthropic: {} requests with {output} generated tokens, charged exactly; substrate-interface: \
         {found}",
        usages.len()
    );
    Ok(())
}

/// Only in the long campaign: the engines and their models are gigabytes.
#[tokio::test(flavor = "multi_thread")]
async fn real_engines_answers_are_charged_exactly_and_settled_as_match() -> Result<()> {
    if std::env::var_os("STIPEND_TEST_LONG").is_none() {
        println!("NOT RUN: real engines are part of `make test-long`");
        return Ok(());
    }
    let Some(python) = Python::clients()? else { return Ok(()) };
    for (kind, dir) in [(Kind::LlamaCpp, "test-llama"), (Kind::Vllm, "test-vllm")] {
        // One that is not installed says so.
        if let Some(engine) = RealEngine::start(kind).await? {
            real_engine_is_charged_exactly(&engine, dir, &python).await?;
        }
    }
    Ok(())
}

async fn real_engine_is_charged_exactly(
    engine: &RealEngine,
    dir: &'static str,
    python: &Python,
) -> Result<()> {
    let engine_of = Some((engine.url.clone(), engine.model.to_string()));
    let stage = Stage::set(Setup { dir, engine: engine_of, ..Default::default() }).await?;
    let observer = Observer::start(stage.client.clone());
    let usages = charged_exactly(&stage, python, "text").await?;

    let provider = stage.company.providers[0].account();
    let started = Instant::now();
    loop {
        let (verdicts, _, settled) = observer.with(|seen| seen.of_provider(&provider));
        if settled == usages.len() {
            ensure!(verdicts.keys().eq(["match"].iter()), "settled as {verdicts:?}");
            break;
        }
        ensure!(
            started.elapsed() < Duration::from_secs(60),
            "{settled} of {} receipts are settled",
            usages.len()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("{:?}: {usages:?}, all settled as match", engine.kind);
    Ok(())
}

/// Has the clients ask at every endpoint that the engine serves, and checks that the wallet pays exactly for what
/// they were told they used. Returns that.
async fn charged_exactly(stage: &Stage, python: &Python, engine: &str) -> Result<Vec<Usage>> {
    let mut variables = stage.endpoints();
    variables.push(("STIPEND_ENGINE", engine.into()));
    let mut usages: Vec<Usage> = Vec::new();
    for script in ["openai_client.py", "endpoints_client.py"] {
        let used: Vec<Usage> = serde_json::from_str(&python.run(script, &variables)?)?;
        ensure!(!used.is_empty(), "{script} used nothing");
        usages.extend(used);
        wait_until_spent(stage, usages.iter().map(|usage| prices()[0].cost(usage)).sum()).await?;
    }
    Ok(usages)
}

/// The wallet's spent figure must become exactly the price of what the client was told it used.
async fn wait_until_spent(stage: &Stage, expected: Credits) -> Result<()> {
    let (owner, started) = (stage.company.employees[0].signer.account(), Instant::now());
    loop {
        let wallet = stage.client.finalised().await?.wallet(&owner).await?;
        let spent =
            wallet.iter().find(|row| row.class == ClassId::INNOVATION).map_or(0, |row| row.amounts.spent);
        if spent == expected {
            return Ok(());
        }
        ensure!(
            started.elapsed() < Duration::from_secs(30),
            "the wallet has spent {spent} micro-credits, the usage costs {expected}"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
