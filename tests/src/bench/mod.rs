//! Measures the batch path: blocks filled with batches of receipts over ten thousand wallets, and
//! beside it, on the same node in alternating rounds, every receipt in an extrinsic of its own.

mod load;
mod plot;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use futures::StreamExt;
use jsonrpsee::{core::client::ClientT, rpc_params};
use stipend_primitives::{batch::SignedBatch, ClassId, Credits};
use stipend_sdk::{Client, PoolRefusal, Signer, Snapshot, SubmitError};

use crate::{company, figures, progress::bar, services, services::Node};
use load::Load;

/// Rounds of each path; the ratio is taken round by round, so a slow moment of the machine hits both.
const ROUNDS: usize = 3;

/// Batches in one round of the batch path: some fifteen full blocks, so that the seconds until the last
/// of them is final weigh little.
const BATCHES: usize = 32;

/// Batches under way at once: what the chain takes in four blocks, two of them not final yet. Gateways
/// hand in batches as they fill, and what waits in the pool is validated again after every block.
const BATCHES_UNDER_WAY: usize = 8;

/// Receipts in one round of the single path: enough for a handful of full blocks.
const SINGLES: usize = 4_000;

/// Single receipts under way at once: what the chain takes in four blocks.
const SINGLES_UNDER_WAY: usize = 3_000;

/// Finalised blocks without progress after which what is missing is handed in again, as a gateway does.
const RESEND_BLOCKS: u32 = 8;

/// What one round showed.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Receipts finalised with their balances moved.
    pub receipts: u64,
    /// From the first submission to the finality of the last.
    pub wall: Duration,
    /// Processor time of the node meanwhile.
    pub cpu: Duration,
    /// Bytes of extrinsics.
    pub bytes: u64,
    /// Bytes by which the state grew.
    pub state: i64,
}

impl Measured {
    /// Receipts per second.
    pub fn rate(&self) -> f64 {
        self.receipts as f64 / self.wall.as_secs_f64()
    }

    fn cpu_micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.receipts as f64
    }

    fn bytes_per_receipt(&self) -> f64 {
        self.bytes as f64 / self.receipts as f64
    }

    fn state_per_million(&self) -> f64 {
        self.state as f64 * 1e6 / self.receipts as f64
    }
}

/// Runs everything and prints the figures; fails if a balance is not what it should be.
pub async fn run() -> Result<()> {
    let dir = services::work_dir("bench-chain")?;
    // The off-chain worker stays off: there is no provider here, and settling is not measured.
    let node = Node::start_on(
        &dir,
        crate::process::free_port()?,
        &["--rpc-methods=unsafe", "--offchain-worker=never"],
    )
    .await?;
    let client = Client::connect(&node.url).await?;
    println!(
        "{} receipts in {} batches and {SINGLES} single receipts, {ROUNDS} rounds of each.",
        BATCHES * load::RECEIPTS,
        BATCHES
    );
    let mut load = Load::prepare(&client).await?;

    let mut rounds = Vec::new();
    for round in 1..=ROUNDS {
        let batched = measure(&node, &client, load.batches(BATCHES), BATCHES_UNDER_WAY)
            .await
            .context("the batch path")?;
        let single = measure(&node, &client, load.singles(SINGLES), SINGLES_UNDER_WAY)
            .await
            .context("the single path")?;
        println!(
            "round {round}: {:>9.0} receipts/s in batches, {:>7.0} receipts/s one by one, {:.0} times",
            batched.rate(),
            single.rate(),
            batched.rate() / single.rate()
        );
        rounds.push((batched, single));
    }
    load.check_balances(&client).await?;
    report(&rounds);
    let plot = figures::folder()?.join("chain.svg");
    plot::bars(&plot, &rounds)?;
    println!("Plot: {}", plot.display());
    Ok(())
}

fn report(rounds: &[(Measured, Measured)]) {
    let median = |value: &dyn Fn(&(Measured, Measured)) -> f64| figures::median(rounds.iter().map(value));
    println!("\nMedians of {} rounds           in batches     one by one", rounds.len());
    println!("finalised receipts/s      {:>14.0} {:>14.0}", median(&|r| r.0.rate()), median(&|r| r.1.rate()));
    println!(
        "CPU microseconds/receipt  {:>14.2} {:>14.2}",
        median(&|r| r.0.cpu_micros()),
        median(&|r| r.1.cpu_micros())
    );
    println!(
        "bytes/receipt             {:>14.1} {:>14.1}",
        median(&|r| r.0.bytes_per_receipt()),
        median(&|r| r.1.bytes_per_receipt())
    );
    println!(
        "state bytes/10^6 receipts {:>14.0} {:>14.0}",
        median(&|r| r.0.state_per_million()),
        median(&|r| r.1.state_per_million())
    );
    println!("ratio of the rates        {:>14.1}", median(&|r| r.0.rate() / r.1.rate()));
}

/// Keeps `under_way` batches with the node until the last of all is finalised.
async fn measure(
    node: &Node,
    client: &Client,
    batches: Vec<SignedBatch>,
    under_way: usize,
) -> Result<Measured> {
    let receipts = batches.iter().map(receipts_of).sum();
    let bytes = batches.iter().map(|signed| codec::Encode::encoded_size(signed) as u64).sum();
    let state_before = state_bytes(node).await?;
    let (cpu_before, started) = (node.process.cpu_time()?, Instant::now());

    let bar = bar("finalising", receipts);
    let (mut waiting, mut sent) = (batches.into_iter(), Vec::new());
    let (mut blocks, mut idle_blocks) = (client.finalised_blocks(), 0);
    loop {
        let more: Vec<_> = waiting.by_ref().take(under_way - sent.len()).collect();
        submit_all(client, &more).await?;
        sent.extend(more);
        if sent.is_empty() {
            break;
        }
        let block = blocks.next().await.context("the node ended")??;
        let taken = drop_taken(&client.at(block.hash), &mut sent).await?;
        bar.inc(taken);
        idle_blocks = if taken > 0 { 0 } else { idle_blocks + 1 };
        if idle_blocks == RESEND_BLOCKS {
            submit_all(client, &sent).await?;
            idle_blocks = 0;
        }
    }
    bar.finish_and_clear();

    let wall = started.elapsed();
    let cpu = node.process.cpu_time()?.saturating_sub(cpu_before);
    let state = state_bytes(node).await? as i64 - state_before as i64;
    Ok(Measured { receipts, wall, cpu, bytes, state })
}

fn receipts_of(signed: &SignedBatch) -> u64 {
    signed.batch.receipts_count().into()
}

async fn submit_all(client: &Client, batches: &[SignedBatch]) -> Result<()> {
    let submissions = futures::stream::iter(batches.iter().map(|signed| async move {
        match client.submit_batch(signed.clone()).await {
            // On a second try: a block that is not final yet has it, or the node just dropped it.
            Ok(_) | Err(SubmitError::Refused(PoolRefusal::Stale | PoolRefusal::Banned)) => Ok(()),
            Err(error) => Err(error),
        }
    }));
    let results: Vec<_> = submissions.buffered(32).collect().await;
    Ok(results.into_iter().collect::<Result<(), _>>()?)
}

/// Takes the batches that a block shows out of `sent`; returns how many receipts they had.
async fn drop_taken(snapshot: &Snapshot, sent: &mut Vec<SignedBatch>) -> Result<u64> {
    let gateways: BTreeSet<_> = sent.iter().map(|signed| signed.batch.gateway.clone()).collect();
    let mut next_seqs = BTreeMap::new();
    for gateway in gateways {
        next_seqs.insert(gateway.clone(), snapshot.next_seq(&gateway).await?);
    }
    let receipts = |sent: &[SignedBatch]| sent.iter().map(receipts_of).sum::<u64>();
    let before = receipts(sent);
    sent.retain(|signed| signed.batch.last_seq() >= next_seqs[&signed.batch.gateway]);
    Ok(before - receipts(sent))
}

/// Bytes of all keys and values in the state of the newest finalised block.
async fn state_bytes(node: &Node) -> Result<u64> {
    let client = jsonrpsee::ws_client::WsClientBuilder::default()
        .request_timeout(Duration::from_secs(120))
        .build(&node.url)
        .await?;
    let head: sp_core::H256 = client.request("chain_getFinalizedHead", rpc_params![]).await?;
    let size: Option<u64> = client.request("state_getStorageSize", rpc_params!["0x", head]).await?;
    Ok(size.unwrap_or(0))
}

/// What a receipt of the load costs.
pub(crate) fn load_cost() -> (ClassId, Credits) {
    let entry = &company::prices()[0];
    (entry.class, entry.cost(&load::USAGE))
}

/// Signs a batch.
pub(crate) fn sign(
    batch: stipend_primitives::batch::Batch,
    genesis: &sp_core::H256,
    gateway: &Signer,
) -> SignedBatch {
    let signature = gateway.sign(&batch.signing_payload(genesis));
    SignedBatch { batch, signature }
}
