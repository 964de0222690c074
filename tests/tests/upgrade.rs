//! The runtime is replaced while employees work: the council authorises the hash of the next one,
//! somebody brings the code, and all validators go on with it. No receipt is lost or charged twice.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Result};
use stipend_runtime::VERSION;
use stipend_sdk::{upgrade, Client, SubmitError};
use stipend_tests::{
    audit,
    consortium::{load::Load, Consortium, FOUNDERS, PATIENCE},
    next_runtime,
    observer::Observer,
    stage::{Setup, Stage},
    try_state,
};

/// Requests that must be answered after the upgrade before it counts as survived.
const REQUESTS_AFTER: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_under_load_loses_and_doubles_no_receipt() -> Result<()> {
    if std::env::var_os("STIPEND_TEST_LONG").is_none() {
        println!("NOT RUN: an upgrade under load is part of `make test-long`");
        return Ok(());
    }
    let next = tokio::task::spawn_blocking(next_runtime::build).await??;
    let consortium = Consortium::start("test-upgrade", None).await?;
    let setup =
        Setup { dir: "test-upgrade-company", chain: Some(consortium.chain_at(0)), ..Default::default() };
    let stage = Stage::set(setup).await?;
    let observer = Observer::start(stage.client.clone());
    let load = Load::start(&stage);
    wait_for_answers(&load, REQUESTS_AFTER).await?;
    ensure!(stage.client.runtime_version().await?.spec_version == VERSION.spec_version, "a fresh chain");
    let before = check_state(&consortium).await?;

    nobody_brings_unauthorised_code(&stage, next.code.clone()).await?;
    stage.company.council.act(&stage.client, upgrade::authorize(&next.code)).await?;
    // Whoever has a role may bring what the council authorised.
    let applied = stage.client.apply_upgrade(next.code, &stage.company.hr).await?;
    println!("block {} replaced the runtime", applied.block_number);
    let receipts_before = observer.with(|seen| seen.receipts.len());
    for at in 0..FOUNDERS {
        wait_for_version(&consortium.client(at)?, next.spec_version).await?;
    }
    wait_for_answers(&load, load.answered() + REQUESTS_AFTER).await?;

    let answers = load.finish().await?;
    audit::wait_until_final(&observer, &answers, Duration::from_secs(180)).await?;
    let audited = audit::check(&stage.client, &stage.company, &observer).await?;
    ensure!(audited.receipts > receipts_before, "no receipt came after the upgrade");
    ensure!(audited.receipts == answers.len(), "{} receipts, {} answers", audited.receipts, answers.len());
    let after = check_state(&consortium).await?;
    let everybody: Vec<usize> = (0..FOUNDERS).collect();
    let agreed = consortium.ensure_agreement(&everybody).await?;
    println!(
        "{} receipts for {} requests across the upgrade, none lost, none doubled; the state is sound before \
         ({before} keys) and after ({after} keys); all agree at {agreed}",
        audited.receipts,
        answers.len(),
    );
    Ok(())
}

/// Code that the council did not authorise is refused.
async fn nobody_brings_unauthorised_code(stage: &Stage, code: Vec<u8>) -> Result<()> {
    match stage.client.apply_upgrade(code, &stage.company.hr).await {
        Err(SubmitError::Failed { .. } | SubmitError::Refused(_)) => Ok(()),
        Ok(done) => bail!("block {} took code that nobody authorised", done.block_number),
        Err(error) => Err(error.into()),
    }
}

/// Checks the state of the newest final block; returns how many keys it has.
async fn check_state(consortium: &Consortium) -> Result<usize> {
    let head = consortium.client(0)?.finalised_head().await?;
    Ok(try_state::check(&consortium.validators[0].url, head.hash).await?.keys)
}

async fn wait_for_version(client: &Client, spec_version: u32) -> Result<()> {
    let started = Instant::now();
    while client.runtime_version().await?.spec_version != spec_version {
        ensure!(started.elapsed() < PATIENCE, "a validator does not run version {spec_version}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Ok(())
}

async fn wait_for_answers(load: &Load, answers: usize) -> Result<()> {
    let started = Instant::now();
    while load.answered() < answers {
        ensure!(started.elapsed() < PATIENCE, "{} of {answers} requests answered", load.answered());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Ok(())
}
