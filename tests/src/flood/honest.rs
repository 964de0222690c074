//! Those who have business with the chain while it is flooded, and how long they wait.

use std::sync::{
    atomic::{AtomicBool, Ordering},
    Arc,
};

use anyhow::{Context, Result};
use sp_core::bounded::BoundedVec;
use stipend_primitives::{
    batch::{Batch, Line, Record},
    cost::Usage,
    key::KeyLimits,
    AccountId, BlockNumber, KeyHash, Sequence, MICRO_CREDITS_PER_CREDIT,
};
use stipend_runtime::RuntimeCall;
use stipend_sdk::{Client, Signer};

use crate::{
    bench::sign,
    company::{name, Company, BASKET, BASKET_LINES, MODEL_GENERAL_ID},
};

/// Receipts in each of the gateway's batches.
pub const RECEIPTS: usize = 100;

/// One transaction that arrived.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Who sent it.
    pub sender: &'static str,
    /// Blocks from the newest one at its sending to the one that holds it: 1 is the next one.
    pub blocks: BlockNumber,
}

/// What one sender does over and over.
pub enum Sender {
    /// HR sets its basket.
    Hr(Signer),
    /// An employee sets the limits of a key.
    Employee(Signer, KeyHash),
    /// A gateway submits a batch of receipts for one wallet.
    Gateway(Signer, AccountId, Line),
}

impl Sender {
    /// HR, the first employee with a new key, and the gateway.
    pub async fn of_company(client: &Client, company: &Company) -> Result<[Self; 3]> {
        let employee = &company.employees[0];
        let register = pallet_entitlements::Call::register_key {
            hash: employee.key_hash(),
            limits: Default::default(),
            reserve: None,
        };
        client.submit_finalised(register.into(), &employee.signer).await?;
        let book = client.finalised().await?.current_book().await?.context("the book was published")?;
        let provider = company.providers[0].account();
        let line = Line { provider, book: book.version, model: MODEL_GENERAL_ID };
        Ok([
            Sender::Hr(company.hr.clone()),
            Sender::Employee(employee.signer.clone(), employee.key_hash()),
            Sender::Gateway(company.gateway.clone(), employee.signer.account(), line),
        ])
    }

    /// Sends one after the other until told to stop.
    pub async fn run(self, client: Client, stop: Arc<AtomicBool>) -> Result<Vec<Arrival>> {
        let mut arrivals = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let sent_at = client.best_head().await?.number;
            let sender = self.name();
            let arrived_at = self.send(&client, arrivals.len() as u64).await.context(sender)?;
            // A block that another one replaced may have been the newest when it was sent.
            arrivals.push(Arrival { sender, blocks: arrived_at.saturating_sub(sent_at) });
        }
        Ok(arrivals)
    }

    fn name(&self) -> &'static str {
        match self {
            Sender::Hr(_) => "HR",
            Sender::Employee(..) => "employee",
            Sender::Gateway(..) => "gateway",
        }
    }

    /// Sends number `round` and returns the height of the final block that holds it.
    async fn send(&self, client: &Client, round: u64) -> Result<BlockNumber> {
        let (call, signer): (RuntimeCall, _) = match self {
            Sender::Hr(signer) => (basket(round)?, signer),
            Sender::Employee(signer, hash) => {
                let limits =
                    KeyLimits { requests_per_minute_max: Some(round as u32 + 1), ..Default::default() };
                (pallet_entitlements::Call::set_limits { hash: *hash, limits }.into(), signer)
            }
            Sender::Gateway(gateway, wallet, line) => {
                let first_seq = round * RECEIPTS as u64;
                let signed = sign(batch(gateway, first_seq, wallet, line), &client.genesis(), gateway);
                return Ok(client.submit_batch_finalised(signed).await?.number);
            }
        };
        Ok(client.submit_finalised(call, signer).await?.block_number)
    }
}

fn basket(round: u64) -> Result<RuntimeCall> {
    let lines: Vec<_> = (0..)
        .zip(BASKET_LINES)
        .map(|(program, (_, credits))| (program, credits * MICRO_CREDITS_PER_CREDIT, None))
        .collect();
    let call = pallet_entitlements::Call::set_basket {
        id: BASKET,
        name: name(&format!("Package {round}"))?,
        lines: BoundedVec::try_from(lines).ok().context("a basket takes three lines")?,
    };
    Ok(call.into())
}

fn batch(gateway: &Signer, first_seq: Sequence, wallet: &AccountId, line: &Line) -> Batch {
    let usage = Usage { input: 10, cached_input: 0, output: 1 };
    let record = |_| Record { wallet: 0, line: 0, usage, priority_fee: 0, digest: rand::random() };
    let records = (0..RECEIPTS).map(record).flat_map(|record| record.to_bytes()).collect();
    Batch {
        gateway: gateway.account(),
        first_seq,
        wallets: BoundedVec::truncate_from(vec![wallet.clone()]),
        lines: BoundedVec::truncate_from(vec![line.clone()]),
        records: BoundedVec::truncate_from(records),
    }
}
