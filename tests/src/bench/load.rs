//! The wallets, gateways and batches of the benchmark.

use anyhow::{bail, Context, Result};
use futures::StreamExt;
use rand::{rngs::StdRng, Rng, SeedableRng};
use sp_core::{bounded::BoundedVec, H256};
use stipend_primitives::{
    batch::{Batch, Line, Record, SignedBatch, RECEIPTS_MAX},
    cost::Usage,
    key,
    mint::Grant,
    AccountId, Credits, Moment, Role, Sequence,
};
use stipend_runtime::RuntimeCall;
use stipend_sdk::{Client, Signer};

use super::{load_cost, sign};
use crate::{
    company::{name, prices, MODEL_GENERAL_ID},
    council::Council,
    progress::bar,
};

/// Wallets that receipts are spread over.
const WALLETS: usize = 10_000;

/// Receipts in one batch.
pub(super) const RECEIPTS: usize = RECEIPTS_MAX as usize;

/// Rows in one `mint_many`: its limit.
const MINTS: usize = 512;

/// Rows in one `reserve_many` here: its limit is 4,096.
const ROWS: usize = 2_500;

/// Owners who register their keys at a time.
const REGISTERING: usize = 512;

/// How long the gateway's reservations last, in milliseconds.
const RESERVED_FOR_MS: u64 = 24 * 60 * 60 * 1_000;

/// Gateways of the single path. Each may have 256 unsettled batches, and here nothing is settled.
const GATEWAYS: usize = 64;

/// Micro-credits granted to each wallet: more than it can spend here, and no more than one issuer grants
/// alone.
const GRANT: Credits = 10_000_000_000;

/// What every receipt uses.
pub(super) const USAGE: Usage = Usage { input: 1_000, cached_input: 0, output: 100 };

/// The state of the load: who pays, who meters, where each gateway's sequence is.
pub(super) struct Load {
    genesis: H256,
    wallets: Vec<AccountId>,
    line: Line,
    batching: (Signer, Sequence),
    singles: Vec<(Signer, Sequence)>,
    spent: Vec<u64>,
    random: StdRng,
    next_single: usize,
}

impl Load {
    /// Founds a company with ten thousand wallets.
    pub async fn prepare(client: &Client) -> Result<Self> {
        let council = Council::of_development()?;
        let (hr, provider, batching) = (Signer::generate(), Signer::generate(), Signer::generate());
        let singles: Vec<_> = (0..GATEWAYS).map(|_| (Signer::generate(), 0)).collect();
        let grant = |who, role| -> RuntimeCall {
            pallet_roles::Call::grant_role { who, role, allowance: None }.into()
        };
        let mut acts = vec![
            grant(hr.account(), Role::Issuer),
            grant(provider.account(), Role::Provider),
            grant(batching.account(), Role::Gateway),
            pallet_pricing::Call::publish { entries: prices() }.into(),
            pallet_entitlements::Call::create_program {
                name: name("Benchmark")?,
                class: load_cost().0,
                owner: hr.account(),
                budget: GRANT * WALLETS as Credits,
            }
            .into(),
            pallet_entitlements::Call::set_mint_allowance {
                issuer: hr.account(),
                class: load_cost().0,
                amount: Some(GRANT * WALLETS as Credits),
            }
            .into(),
        ];
        acts.extend(singles.iter().map(|(gateway, _)| grant(gateway.account(), Role::Gateway)));
        council.acts(client, acts).await?;

        let owners: Vec<Signer> = (0..WALLETS).map(|_| Signer::generate()).collect();
        let wallets: Vec<AccountId> = owners.iter().map(Signer::account).collect();
        mint(client, &hr, &wallets).await?;
        register_keys(client, &owners).await?;
        reserve(client, &batching, &wallets).await?;
        let book = client.finalised().await?.current_book().await?.context("the book was published")?;
        let line = Line { provider: provider.account(), book: book.version, model: MODEL_GENERAL_ID };
        Ok(Load {
            genesis: client.genesis(),
            spent: vec![0; wallets.len()],
            wallets,
            line,
            batching: (batching, 0),
            singles,
            random: StdRng::seed_from_u64(1),
            next_single: 0,
        })
    }

    /// The next full batches of one gateway, every wallet in each.
    pub fn batches(&mut self, count: usize) -> Vec<SignedBatch> {
        (0..count)
            .map(|_| {
                let mut records = Vec::with_capacity(RECEIPTS * stipend_primitives::batch::RECORD_LEN);
                for _ in 0..RECEIPTS {
                    let wallet = self.random.gen_range(0..self.wallets.len());
                    self.spent[wallet] += 1;
                    records.extend_from_slice(&record(wallet as u16, self.random.gen()).to_bytes());
                }
                let (gateway, next) = &mut self.batching;
                let batch = batch(gateway, *next, self.wallets.clone(), self.line.clone(), records);
                *next += RECEIPTS as u64;
                sign(batch, &self.genesis, gateway)
            })
            .collect()
    }

    /// The next receipts as batches of one, each in an extrinsic of its own, from many gateways in
    /// turn.
    pub fn singles(&mut self, count: usize) -> Vec<SignedBatch> {
        (0..count)
            .map(|_| {
                let wallet = self.random.gen_range(0..self.wallets.len());
                self.spent[wallet] += 1;
                let record = record(0, self.random.gen()).to_bytes().to_vec();
                let at = self.next_single % self.singles.len();
                self.next_single += 1;
                let (gateway, next) = &mut self.singles[at];
                let batch =
                    batch(gateway, *next, vec![self.wallets[wallet].clone()], self.line.clone(), record);
                *next += 1;
                sign(batch, &self.genesis, gateway)
            })
            .collect()
    }

    /// Every wallet must have spent exactly what its receipts cost.
    pub async fn check_balances(&self, client: &Client) -> Result<()> {
        let (class, cost) = load_cost();
        let snapshot = client.finalised().await?;
        let bar = bar("checking", self.wallets.len() as u64);
        for (wallet, receipts) in self.wallets.iter().zip(&self.spent) {
            let balance = snapshot.wallet(wallet).await?;
            let row = balance.iter().find(|row| row.class == class).context("a wallet is missing")?;
            let expected = Credits::from(*receipts) * cost;
            if row.amounts.spent != expected {
                bail!("wallet {wallet} has spent {} micro-credits, {expected} expected", row.amounts.spent);
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        println!("All {} wallets have spent exactly what their receipts cost.", self.wallets.len());
        Ok(())
    }
}

async fn mint(client: &Client, hr: &Signer, wallets: &[AccountId]) -> Result<()> {
    let bar = bar("minting", WALLETS as u64);
    for owners in wallets.chunks(MINTS) {
        let grant = Grant::One { program: 0, amount: GRANT, valid_from: None, valid_until: None };
        let grants: Vec<_> = owners.iter().map(|owner| (owner.clone(), grant.clone())).collect();
        let grants = BoundedVec::try_from(grants).ok().context("the chunk is within the limit")?;
        client.submit_finalised(pallet_entitlements::Call::mint_many { grants }.into(), hr).await?;
        bar.inc(owners.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Only who has a key is charged.
async fn register_keys(client: &Client, owners: &[Signer]) -> Result<()> {
    let bar = bar("registering keys", WALLETS as u64);
    let register = |owner: &Signer| {
        let owner = owner.clone();
        async move {
            let hash = key::hash(&owner.address());
            let call =
                pallet_entitlements::Call::register_key { hash, limits: Default::default(), reserve: None };
            client.submit_finalised(call.into(), &owner).await
        }
    };
    let mut registered = futures::stream::iter(owners.iter().map(register)).buffer_unordered(REGISTERING);
    while let Some(result) = registered.next().await {
        result?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// The gateway of the batch path keeps half of each wallet for itself, as gateways do.
async fn reserve(client: &Client, gateway: &Signer, wallets: &[AccountId]) -> Result<()> {
    let now: Moment =
        client.finalised().await?.storage("Timestamp", "Now").await?.context("the chain has a clock")?;
    for owners in wallets.chunks(ROWS) {
        let rows: Vec<_> = owners.iter().map(|owner| (owner.clone(), load_cost().0, GRANT / 2)).collect();
        let rows = BoundedVec::try_from(rows).ok().context("the chunk is within the limit")?;
        let call = pallet_entitlements::Call::reserve_many { rows, expires_at: now + RESERVED_FOR_MS };
        client.submit_finalised(call.into(), gateway).await?;
    }
    Ok(())
}

fn record(wallet: u16, digest: [u8; 16]) -> Record {
    Record { wallet, line: 0, usage: USAGE, priority_fee: 0, digest }
}

fn batch(
    gateway: &Signer,
    first_seq: Sequence,
    wallets: Vec<AccountId>,
    line: Line,
    records: Vec<u8>,
) -> Batch {
    Batch {
        gateway: gateway.account(),
        first_seq,
        wallets: BoundedVec::truncate_from(wallets),
        lines: BoundedVec::truncate_from(vec![line]),
        records: BoundedVec::truncate_from(records),
    }
}
