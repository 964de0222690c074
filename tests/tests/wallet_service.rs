//! The wallet service on a real chain: what it shows is what the chain says, however often it is killed.

use std::time::Duration;

use anyhow::{ensure, Context, Result};
use rand::{rngs::StdRng, Rng, SeedableRng};
use serde_json::Value;
use sp_core::crypto::Ss58Codec;
use stipend_primitives::Credits;
use stipend_tests::{
    audit,
    company::{MODEL_GENERAL, MODEL_REASONING},
    observer::Observer,
    process::free_port,
    replay::{Call, Replay},
    services::{work_dir, Node},
    stage::{RunningChain, Setup, Stage},
    trace,
    wallet_service::WalletService,
};

/// Requests replayed.
const REQUESTS: usize = 120;

#[tokio::test(flavor = "multi_thread")]
async fn what_it_shows_is_what_the_chain_says_however_often_it_is_killed() -> Result<()> {
    let kills = if std::env::var_os("STIPEND_TEST_LONG").is_some() { 100 } else { 5 };
    let seed: u64 =
        std::env::var("STIPEND_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random);
    println!("seed: STIPEND_TEST_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    // One that keeps old state: the tables are built anew at the end.
    let node_dir = work_dir("test-wallet-service-node")?;
    let node = Node::start_on(&node_dir, free_port()?, &["--state-pruning=archive"]).await?;
    let chain = Some(RunningChain { url: node.url.clone(), host: "127.0.0.1".into() });
    let stage =
        Stage::set(Setup { dir: "test-wallet-service", misreport: 3, chain, ..Default::default() }).await?;
    let observer = Observer::start(stage.client.clone());
    let mut wallet = WalletService::start(&stage.dir, &node.url).await?;

    let replay = Replay { gateway_url: stage.gateway_url(), speed: 1.0, attempts_max: 1 };
    let calls = calls(&stage)?;
    let replaying = tokio::spawn(async move { replay.run(calls, |_| {}).await });
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(random.gen_range(100..1_500))).await;
        wallet.kill_and_restart().await?;
    }
    let answers = replaying.await??;
    audit::wait_until_final(&observer, &answers, Duration::from_secs(90)).await?;
    wait_until_settled(&observer, REQUESTS).await?;
    let head = stage.client.finalised_head().await?.number;
    wallet.wait_for_block(head).await?;

    let token = wallet.sign_in(&stage.company.employees[0].signer).await?;
    let mut receipts = 0;
    for employee in &stage.company.employees {
        let address = employee.signer.account().to_ss58check();
        let own = wallet.sign_in(&employee.signer).await?;
        let answer: Value =
            serde_json::from_str(&wallet.get(&format!("/api/v1/wallets/{address}"), &own).await?)?;
        let balance = stage.client.wallet_balance(&employee.signer.account()).await?;
        for (shown, known) in answer["classes"].as_array().context("classes")?.iter().zip(&balance.finalised)
        {
            ensure!(
                shown["amounts"] == serde_json::to_value(known.amounts)?,
                "{address}: {shown} is not {known:?}"
            );
        }
        let export = wallet.get(&format!("/api/v1/wallets/{address}/export/receipts.ndjson"), &own).await?;
        let spent: Credits = balance.finalised.iter().map(|row| row.amounts.spent).sum();
        let (sum, count) = sum(&export)?;
        ensure!(sum == spent, "{address} spent {spent}, its export adds up to {sum}");
        receipts += count;
        // Nobody else's.
        let other = wallet.get(&format!("/api/v1/wallets/{address}"), &token).await;
        ensure!(other.is_ok() == (address == stage.company.employees[0].signer.address()));
    }
    ensure!(receipts == REQUESTS, "{receipts} of {REQUESTS} receipts are shown");
    check_receipt(&stage, &wallet, &token).await?;

    // The tables of one that was killed are those of one that never was.
    wallet.service.process.stop(Duration::from_secs(10));
    let before = wallet.verb(&["dump"])?;
    wallet.verb(&["rebuild", "--until", &height(&before)?])?;
    ensure!(wallet.verb(&["dump"])? == before, "tables built anew are others");
    println!("{kills} kills, {receipts} receipts, a dump of {} bytes", before.len());
    Ok(())
}

/// The first receipt of the first employee, explained, with its proof.
async fn check_receipt(stage: &Stage, wallet: &WalletService, token: &str) -> Result<()> {
    let address = stage.company.employees[0].signer.address();
    let list: Value =
        serde_json::from_str(&wallet.get(&format!("/api/v1/wallets/{address}/receipts"), token).await?)?;
    let first = &list["receipts"][0];
    let (gateway, seq) = (first["gateway"].as_str().context("gateway")?, &first["sequence"]);
    let path = format!("/api/v1/receipts/{gateway}/{seq}");
    let shown: Value = serde_json::from_str(&wallet.get(&path, token).await?)?;
    let known = stage
        .client
        .receipt(&stage.company.gateway.account(), seq.as_u64().context("sequence")?, None)
        .await?;
    ensure!(shown["receipt"]["price"] == serde_json::to_value(&known.price)?, "{shown}");
    ensure!(shown["receipt"]["energy_mj"] == serde_json::to_value(known.energy_mj)?, "{shown}");
    let proof: Value = serde_json::from_str(&wallet.get(&format!("{path}/proof"), token).await?)?;
    ensure!(proof.to_string().contains("stipend-receipt-proof/1"), "{proof}");
    Ok(())
}

/// What an export says was spent, and how many receipts it has.
fn sum(export: &str) -> Result<(Credits, usize)> {
    let (mut charged, mut back, mut count) = (0, 0, 0);
    for line in export.lines() {
        let row: Value = serde_json::from_str(line)?;
        let amount = |name: &str| anyhow::Ok(row[name].as_str().context("an amount")?.parse::<Credits>()?);
        if row["kind"] == "receipt" {
            charged += amount("cost")? + amount("fee")?;
            back += amount("uncollected")? + amount("uncollected_fee")?;
            count += 1;
        } else {
            back += amount("amount")?;
        }
    }
    Ok((charged - back, count))
}

/// The height of a dump: the first column of the last block.
fn height(dump: &[u8]) -> Result<String> {
    let text = String::from_utf8_lossy(dump);
    let blocks = text.split("# blocks\n").nth(1).and_then(|rest| rest.split("\n#").next());
    let last = blocks.and_then(|blocks| blocks.lines().last()).context("no block in the dump")?;
    Ok(last.split('\t').next().context("no height")?.to_owned())
}

async fn wait_until_settled(observer: &Observer, count: usize) -> Result<()> {
    for _ in 0..900 {
        if observer.with(|seen| seen.settled.len()) >= count {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    anyhow::bail!("not everything is settled")
}

fn calls(stage: &Stage) -> Result<Vec<Call>> {
    let calls = trace::requests(REQUESTS)?.into_iter().enumerate().map(|(index, mut request)| {
        request.at = Duration::from_millis(50) * index as u32;
        Call {
            index,
            request,
            api_key: stage.company.employees[index % stage.company.employees.len()].api_key.clone(),
            model: if index % 2 == 0 { MODEL_GENERAL } else { MODEL_REASONING }.into(),
            stream: index % 3 == 0,
        }
    });
    Ok(calls.collect())
}
