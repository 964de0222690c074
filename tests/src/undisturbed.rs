//! An honest company beside those who cheat does not notice them.

use anyhow::{ensure, Context, Result};
use codec::Decode;
use sp_runtime::DigestItem;
use stipend_primitives::{settlement::VerdictKind, BlockNumber};
use stipend_sdk::Client;

use crate::{observer::Observer, stage::Stage};

/// Blocks within which an honest batch is settled.
const SETTLED_WITHIN: BlockNumber = 6;

/// The company's own batches were settled as a match, and soon.
pub fn check_settlements(stage: &Stage, observer: &Observer, answers: usize) -> Result<()> {
    let gateway = stage.company.gateway.account();
    let (mut waits, other) = observer.with(|seen| {
        let waits: Vec<BlockNumber> = seen
            .waits
            .iter()
            .filter(|(item, _)| item.gateway == gateway)
            .map(|(_, blocks)| *blocks)
            .collect();
        let verdicts = seen.verdicts.iter().filter(|verdict| verdict.0.gateway == gateway);
        (waits, verdicts.filter(|verdict| verdict.1 != VerdictKind::Match).count())
    });
    ensure!(waits.len() > 50, "only {} honest items were settled", waits.len());
    waits.sort_unstable();
    let (median, longest) = (waits[waits.len() / 2], waits[waits.len() - 1]);
    let late = waits.iter().filter(|blocks| **blocks > SETTLED_WITHIN).count();
    println!(
        "{answers} honest requests, {} honest items settled as a match; median {median} blocks, longest \
         {longest}, {late} after more than {SETTLED_WITHIN}",
        waits.len()
    );
    ensure!(other == 0, "{other} honest items were not settled as a match");
    // A machine with other things to do may hold one back.
    ensure!(late * 50 <= waits.len(), "{late} of {} honest items waited too long", waits.len());
    Ok(())
}

/// Blocks were made meanwhile, from `begun` to `ended`.
pub async fn check_slots(client: &Client, begun: BlockNumber, ended: BlockNumber) -> Result<()> {
    let slot_of = |number| async move {
        let header = client.header(client.block_hash(number).await?).await?;
        let slot = header.digest.logs().iter().find_map(|item| match item {
            DigestItem::PreRuntime(_, bytes) => u64::decode(&mut &bytes[..]).ok(),
            _ => None,
        });
        slot.context("a block has a slot")
    };
    let slots = slot_of(ended).await? - slot_of(begun).await?;
    let missed = slots - u64::from(ended - begun);
    println!("{slots} slots, {missed} without a block");
    ensure!(missed * 20 <= slots, "{missed} of {slots} slots had no block");
    Ok(())
}
