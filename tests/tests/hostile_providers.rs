//! Eleven providers that cheat, each in its own way, on a real chain: every one is settled by rule, to
//! the micro-credit, and an honest company beside them does not notice.

use std::{collections::HashMap, time::Duration};

use anyhow::{ensure, Context, Result};
use sp_core::bounded::BoundedVec;
use stipend_primitives::{
    batch::{Batch, Line, Record, SignedBatch},
    cost::Usage,
    mint::Grant,
    settlement::{Item, VerdictKind},
    BlockNumber, Credits, Role, Sequence,
};
use stipend_runtime::RuntimeCall;
use stipend_sdk::{Client, Signer};
use stipend_tests::{
    audit,
    company::{prices, BASKET, MODEL_GENERAL_ID},
    consortium::load::Load,
    hostile::{Cheat, HostileProvider},
    observer::Observer,
    stage::{Setup, Stage},
    undisturbed,
};

/// Batches that name every cheat.
const BATCHES: u64 = 6;

/// Receipts of each provider in a batch.
const RECEIPTS: u64 = 3;

/// Finalised blocks after which every item must be settled: a minute until the silent are given up,
/// and as long again.
const SETTLED_WITHIN: BlockNumber = 120;

/// What every receipt here uses.
const USAGE: Usage = Usage { input: 100, cached_input: 0, output: 40 };

#[tokio::test(flavor = "multi_thread")]
async fn providers_that_cheat_are_settled_by_rule_and_delay_nobody() -> Result<()> {
    let stage = Stage::set(Setup { dir: "test-hostile-providers", ..Default::default() }).await?;
    let observer = Observer::start(stage.client.clone());
    let cast = Cast::assemble(&stage).await?;
    let begun = stage.client.finalised_head().await?.number;
    let load = Load::start(&stage);

    let mut batches = Vec::new();
    for number in 0..BATCHES {
        let batch = cast.batch(number);
        cast.providers.iter().for_each(|provider| provider.serve(&batch));
        stage.client.submit_batch_finalised(cast.sign(batch.clone(), &stage.client)).await?;
        batches.push(batch);
    }
    cast.report_two_truths(&stage, &batches[0]).await?;
    // What is still open, and what comes now, is judged without the suspended provider's word.
    let late = cast.batch(BATCHES);
    cast.providers.iter().for_each(|provider| provider.serve(&late));
    stage.client.submit_batch_finalised(cast.sign(late.clone(), &stage.client)).await?;
    batches.push(late);

    let refunded = cast.wait_for_verdicts(&stage.client, &observer, &batches).await?;
    cast.check_wallet(&stage.client, &batches, refunded).await?;

    let answers = load.finish().await?;
    audit::wait_until_final(&observer, &answers, Duration::from_secs(60)).await?;
    undisturbed::check_settlements(&stage, &observer, answers.len())?;
    let ended = stage.client.finalised_head().await?.number;
    undisturbed::check_slots(&stage.client, begun, ended).await?;
    for provider in &cast.providers {
        ensure!(provider.asked() > 0, "{:?} was never asked: it was not tested", provider.cheat);
    }
    Ok(())
}

/// The cheats, a gateway that uses them, and a wallet that pays.
struct Cast {
    providers: Vec<HostileProvider>,
    gateway: Signer,
    payer: Signer,
    book: u32,
}

impl Cast {
    async fn assemble(stage: &Stage) -> Result<Self> {
        let (client, company) = (&stage.client, &stage.company);
        let (gateway, payer) = (Signer::generate(), Signer::generate());
        let mut providers = Vec::new();
        for cheat in Cheat::ALL {
            providers.push(HostileProvider::start(cheat, client.genesis()).await?);
        }
        let grant = |who, role| -> RuntimeCall {
            pallet_roles::Call::grant_role { who, role, allowance: None }.into()
        };
        let mut acts = vec![grant(gateway.account(), Role::Gateway)];
        acts.extend(providers.iter().map(|provider| grant(provider.signer.account(), Role::Provider)));
        company.council.acts(client, acts).await?;
        for provider in &providers {
            company.register_provider(client, &provider.signer, &provider.url).await?;
        }
        let grants = vec![(payer.account(), Grant::Basket { basket: BASKET })];
        let grants = BoundedVec::try_from(grants).ok().context("one grant fits")?;
        client.submit_finalised(pallet_entitlements::Call::mint_many { grants }.into(), &company.hr).await?;
        let hash = stipend_primitives::key::hash("the payer's key");
        let register =
            pallet_entitlements::Call::register_key { hash, limits: Default::default(), reserve: None };
        client.submit_finalised(register.into(), &payer).await?;
        let book = client.finalised().await?.current_book().await?.context("the book was published")?.version;
        Ok(Cast { providers, gateway, payer, book })
    }

    /// Some receipts of every provider.
    fn batch(&self, number: u64) -> Batch {
        let line = |provider: &HostileProvider| Line {
            provider: provider.signer.account(),
            book: self.book,
            model: MODEL_GENERAL_ID,
        };
        let per_batch = self.providers.len() as u64 * RECEIPTS;
        let record = |at: u64| {
            let line = (at % self.providers.len() as u64) as u16;
            Record { wallet: 0, line, usage: USAGE, priority_fee: 0, digest: rand::random() }.to_bytes()
        };
        Batch {
            gateway: self.gateway.account(),
            first_seq: number * per_batch,
            wallets: BoundedVec::truncate_from(vec![self.payer.account()]),
            lines: BoundedVec::truncate_from(self.providers.iter().map(line).collect()),
            records: BoundedVec::truncate_from((0..per_batch).flat_map(record).collect()),
        }
    }

    fn sign(&self, batch: Batch, client: &Client) -> SignedBatch {
        let signature = self.gateway.sign(&batch.signing_payload(&client.genesis()));
        SignedBatch { batch, signature }
    }

    /// Anybody with a role hands in two attestations of one range; the provider's word counts no more.
    async fn report_two_truths(&self, stage: &Stage, batch: &Batch) -> Result<()> {
        let liar = self.of(Cheat::TellsTwoTruths)?;
        let [a, b] = liar.two_truths(batch);
        let call = pallet_settlement::Call::report_equivocation { a: Box::new(a), b: Box::new(b) };
        stage.client.submit_finalised(call.into(), &stage.company.hr).await?;
        let providers = stage.client.finalised().await?.providers().await?;
        let (_, known) = providers
            .iter()
            .find(|(account, _)| *account == liar.signer.account())
            .context("the provider is registered")?;
        ensure!(known.suspended, "a provider that told two truths is not suspended");
        Ok(())
    }

    fn of(&self, cheat: Cheat) -> Result<&HostileProvider> {
        self.providers.iter().find(|provider| provider.cheat == cheat).context("every cheat plays")
    }

    /// Waits until all is settled, and compares each verdict with the rule; returns what went back.
    async fn wait_for_verdicts(
        &self,
        client: &Client,
        observer: &Observer,
        batches: &[Batch],
    ) -> Result<Credits> {
        let expected = self.providers.len() * batches.len();
        let end = client.finalised_head().await?.number + SETTLED_WITHIN;
        let mine = |item: &Item| item.gateway == self.gateway.account();
        let verdicts = loop {
            let verdicts: HashMap<Item, (VerdictKind, Credits)> = observer.with(|seen| {
                let mine = seen.verdicts.iter().filter(|verdict| mine(&verdict.0));
                mine.map(|(item, kind, refunded, _)| (item.clone(), (*kind, *refunded))).collect()
            });
            if verdicts.len() == expected {
                break verdicts;
            }
            let at = client.finalised_head().await?.number;
            ensure!(at < end, "{} of {expected} items settled after {SETTLED_WITHIN} blocks", verdicts.len());
            tokio::time::sleep(Duration::from_millis(500)).await;
        };
        let last = batches.last().context("there are batches")?.first_seq;
        for (item, (kind, refunded)) in &verdicts {
            self.check_verdict(item, *kind, *refunded, last)?;
        }
        println!("{expected} items of providers that cheat are settled by rule");
        Ok(verdicts.values().map(|(_, refunded)| refunded).sum())
    }

    fn check_verdict(&self, item: &Item, kind: VerdictKind, refunded: Credits, last: Sequence) -> Result<()> {
        let provider = self.providers.iter().find(|provider| provider.signer.account() == item.provider);
        let provider = provider.context("a verdict about nobody")?;
        let price = &prices()[0];
        let charged = Credits::from(RECEIPTS) * price.cost(&USAGE);
        let overstated = |claimed: Usage| {
            let smaller = Usage { output: claimed.output.min(USAGE.output), ..USAGE };
            charged - Credits::from(RECEIPTS) * price.cost(&smaller)
        };
        let half = Usage { output: USAGE.output / 2, ..USAGE };
        let allowed = match (provider.cheat, provider.claims(USAGE)) {
            (_, Some(claimed)) => vec![(VerdictKind::Adjust, overstated(claimed))],
            // Whichever truth the validator heard, until it was reported for telling two.
            (Cheat::TellsTwoTruths, _) if item.first_seq < last => vec![
                (VerdictKind::Match, 0),
                (VerdictKind::Adjust, overstated(half)),
                (VerdictKind::Unattested, charged),
            ],
            _ => vec![(VerdictKind::Unattested, charged)],
        };
        ensure!(
            allowed.contains(&(kind, refunded)),
            "{:?}, batch at {}: {kind:?} with {refunded} micro-credits back, the rule says {allowed:?}",
            provider.cheat,
            item.first_seq
        );
        Ok(())
    }

    /// The wallet paid for what was settled, and for nothing else.
    async fn check_wallet(&self, client: &Client, batches: &[Batch], refunded: Credits) -> Result<()> {
        let receipts: u32 = batches.iter().map(Batch::receipts_count).sum();
        let expected = Credits::from(receipts) * prices()[0].cost(&USAGE) - refunded;
        let wallet = client.finalised().await?.wallet(&self.payer.account()).await?;
        let spent: Credits = wallet.iter().map(|row| row.amounts.spent).sum();
        ensure!(spent == expected, "the wallet has spent {spent} micro-credits, {expected} expected");
        println!("{receipts} receipts, {refunded} micro-credits went back, {spent} were paid");
        Ok(())
    }
}
