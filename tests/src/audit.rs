//! Holds the wallets against the receipts on the chain, and those against what callers were told.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{ensure, Context, Result};
use stipend_primitives::{BlockNumber, ClassId, Credits};
use stipend_sdk::Client;

use crate::{
    company::{prices, Company},
    observer::Observer,
    replay::Answer,
};

/// What an audit counted.
#[derive(Clone, Copy, Debug)]
pub struct Audited {
    /// Receipts in final blocks.
    pub receipts: usize,
    /// Micro-credits that the wallets have spent.
    pub spent: Credits,
    /// Micro-credits that settlements gave back.
    pub refunded: Credits,
}

/// Waits until every answered request has a receipt in a final block.
pub async fn wait_until_final(observer: &Observer, answers: &[Answer], patience: Duration) -> Result<()> {
    let started = Instant::now();
    loop {
        let lost =
            observer.with(|seen| answers.iter().filter(|a| !seen.finalised.contains_key(&a.digest)).count());
        if lost == 0 {
            return Ok(());
        }
        ensure!(started.elapsed() < patience, "{lost} acknowledged requests have no receipt");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until the observer has read a block.
async fn wait_until_seen(observer: &Observer, number: BlockNumber) -> Result<()> {
    let started = Instant::now();
    while observer.with(|seen| seen.newest.is_none_or(|newest| newest.number < number)) {
        ensure!(started.elapsed() < Duration::from_secs(60), "final block {number} was not read");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// No digest stands twice, and the wallets have spent exactly what the receipts on the chain cost,
/// less what settlements gave back; all as of one block.
pub async fn check(client: &Client, company: &Company, observer: &Observer) -> Result<Audited> {
    wait_until_seen(observer, client.finalised_head().await?.number).await?;
    let prices = prices();
    let mut costs: HashMap<(usize, ClassId), Credits> = HashMap::new();
    let (block, receipts, repeated, refunded) = observer.with(|seen| {
        for receipt in &seen.receipts {
            let owner = company.employees.iter().position(|e| e.signer.account() == receipt.wallet);
            let entry = prices.iter().find(|entry| entry.model == receipt.leaf.model);
            let (Some(owner), Some(entry)) = (owner, entry) else { continue };
            *costs.entry((owner, entry.class)).or_default() += entry.cost(&receipt.leaf.usage);
        }
        let refunded: Credits = seen.verdicts.iter().map(|verdict| verdict.2).sum();
        (seen.newest, seen.receipts.len(), seen.repeated.len(), refunded)
    });
    ensure!(repeated == 0, "{repeated} receipts stand twice");

    let snapshot = client.at(block.context("no block was seen")?.hash);
    let (mut spent, mut given_back) = (0, 0);
    for (at, employee) in company.employees.iter().enumerate() {
        for row in snapshot.wallet(&employee.signer.account()).await? {
            let cost = costs.remove(&(at, row.class)).unwrap_or(0);
            let difference = cost.checked_sub(row.amounts.spent).with_context(|| {
                format!(
                    "{} spent {} micro-credits of class {}, its receipts cost {cost}",
                    employee.name, row.amounts.spent, row.class.0
                )
            })?;
            spent += row.amounts.spent;
            given_back += difference;
        }
    }
    ensure!(costs.is_empty(), "receipts charge classes that no wallet has: {costs:?}");
    ensure!(
        given_back == refunded,
        "the wallets spent {given_back} micro-credits less than their receipts cost, {refunded} were given back"
    );
    let uncollected = snapshot.uncollected(&company.gateway.account()).await?;
    ensure!(uncollected == 0, "{uncollected} micro-credits were not covered by a reservation");
    Ok(Audited { receipts, spent, refunded })
}
