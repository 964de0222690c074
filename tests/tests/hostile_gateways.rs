//! Gateways that cheat, on a real chain and with an honest attestor: whatever they charge is refused,
//! uncollected or given back by rule, to the micro-credit, and an honest company beside them does not
//! notice.

use std::{collections::HashMap, time::Duration};

use anyhow::{bail, ensure, Context, Result};
use frame_support::traits::Authorize;
use futures::future::try_join_all;
use sp_core::{bounded::BoundedVec, H256};
use sp_runtime::{
    traits::Dispatchable,
    transaction_validity::{InvalidTransaction, TransactionSource},
};
use stipend_primitives::{
    batch::SignedBatch,
    cost::Usage,
    key,
    mint::Grant,
    settlement::{Item, VerdictKind},
    AccountId, BlockNumber, BookVersion, ClassId, Credits, Role, Sequence,
};
use stipend_runtime::{configs::council::CouncilInstance, RuntimeCall, System};
use stipend_sdk::{Client, PoolRefusal, Signer, SubmitError};
use stipend_tests::{
    audit,
    company::{prices, Company},
    consortium::load::Load,
    hostile_gateway::{
        attestor::HonestAttestor,
        cheats::{cost, inflated, Cheat},
        Charge, HostileGateway,
    },
    observer::Observer,
    stage::{Setup, Stage},
    try_state, undisturbed,
};

/// Tokens of the answers that each gateway has served: no two requests cost the same.
const OUTPUTS: [u32; 3] = [3, 5, 8];

/// Finalised blocks after which every item must be settled: what nobody can attest waits for a minute.
const SETTLED_WITHIN: BlockNumber = 90;

/// Blocks for which something that must not happen is watched.
const WATCHED: BlockNumber = 3;

/// Codes of `receipts`' refusals, as its README has them.
mod code {
    pub const NOT_GATEWAY: u8 = 1;
    pub const UNKNOWN_BOOK: u8 = 3;
    pub const RETIRED_BOOK: u8 = 4;
    pub const WRONG_SIGNATURE: u8 = 6;
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_that_cheat_gain_nothing_and_delay_nobody() -> Result<()> {
    let stage = Stage::set(Setup { dir: "test-hostile-gateways", ..Default::default() }).await?;
    let observer = Observer::start(stage.client.clone());
    let cast = Cast::assemble(&stage).await?;
    let begun = stage.client.finalised_head().await?.number;
    let load = Load::start(&stage);

    try_join_all(cast.cheats.iter().map(|part| cast.play(part))).await?;
    cast.refusals().await?;
    cast.out_of_turn().await?;
    cast.wait_for_verdicts(&observer).await?;
    cast.check_books().await?;

    let answers = load.finish().await?;
    audit::wait_until_final(&observer, &answers, Duration::from_secs(60)).await?;
    undisturbed::check_settlements(&stage, &observer, answers.len())?;
    let ended = stage.client.finalised_head().await?;
    undisturbed::check_slots(&stage.client, begun, ended.number).await?;
    check_company(&stage, &observer).await?;
    let url = stage.node.as_ref().context("the stage started a node")?.url.clone();
    let checked = try_state::check(&url, ended.hash).await?;
    println!("the state is sound: {} keys", checked.keys);
    Ok(())
}

/// A gateway that cheats in one way.
struct Part {
    cheat: Cheat,
    gateway: HostileGateway,
    served: Vec<Charge>,
}

/// Everybody who cheats, and the provider that does not.
struct Cast {
    client: Client,
    attestor: HonestAttestor,
    book: BookVersion,
    cheats: Vec<Part>,
    /// Sends batches that no block may take, and others at the wrong time.
    outlaw: HostileGateway,
    outlaw_served: Vec<Charge>,
}

impl Cast {
    async fn assemble(stage: &Stage) -> Result<Self> {
        let (client, company) = (stage.client.clone(), &stage.company);
        let (genesis, provider) = (client.genesis(), Signer::generate());
        let gateway = || HostileGateway::new(provider.account(), genesis);
        let gateways: Vec<_> = Cheat::ALL.iter().map(|cheat| (*cheat, gateway())).collect();
        let outlaw = gateway();
        let everybody = || gateways.iter().map(|(_, gateway)| gateway).chain([&outlaw]);
        let engine = &stage.engines[0].url;
        let attestor =
            HonestAttestor::start(&stage.dir, provider.clone(), genesis, engine, everybody()).await?;

        let grant = |who, role| -> RuntimeCall {
            pallet_roles::Call::grant_role { who, role, allowance: None }.into()
        };
        let mut acts = vec![grant(provider.account(), Role::Provider)];
        acts.extend(everybody().map(|gateway| grant(gateway.signer.account(), Role::Gateway)));
        company.council.acts(&client, acts).await?;
        company.register_provider(&client, &provider, &attestor.url).await?;

        let serve =
            |gateway| try_join_all(OUTPUTS.map(|output| HonestAttestor::serve(&attestor, gateway, output)));
        let served = try_join_all(everybody().map(serve)).await?;
        let mut served = served.into_iter();
        let mut cheats = Vec::new();
        for (cheat, gateway) in gateways {
            cheats.push(Part { cheat, gateway, served: served.next().context("each was served")? });
        }
        let outlaw_served = served.next().context("each was served")?;
        let book = client.finalised().await?.current_book().await?.context("the book was published")?.version;
        let cast = Cast { client, attestor, book, cheats, outlaw, outlaw_served };
        cast.fill_wallets(company).await?;
        Ok(cast)
    }

    /// Everybody who is to pay gets credits, and whoever asks for one a key.
    async fn fill_wallets(&self, company: &Company) -> Result<()> {
        let one = |amount| Grant::One { program: 0, amount, valid_from: None, valid_until: None };
        let of = |part: &Part| (part.gateway.payer.account(), one(part.cheat.wallet(&part.served)));
        let mut grants: Vec<_> = self.cheats.iter().map(of).collect();
        grants.push((self.outlaw.payer.account(), one(10 * cost(&self.outlaw_served))));
        let grants = BoundedVec::try_from(grants).ok().context("these grants fit into one call")?;
        let mint = pallet_entitlements::Call::mint_many { grants };
        self.client.submit_finalised(mint.into(), &company.hr).await?;

        let with_key = self.cheats.iter().filter(|part| part.cheat.payer_has_key());
        let reserved =
            with_key.map(|part| (&part.gateway.payer, part.cheat.reserved_elsewhere(&part.served)));
        let register = |(payer, reserved): (&Signer, Credits)| {
            let rows = BoundedVec::truncate_from(vec![(ClassId::INNOVATION, reserved)]);
            let call = pallet_entitlements::Call::register_key {
                hash: key::hash(&payer.address()),
                limits: Default::default(),
                reserve: (reserved > 0).then(|| (company.gateway.account(), rows)),
            };
            let payer = payer.clone();
            async move { self.client.submit_finalised(call.into(), &payer).await }
        };
        try_join_all(reserved.chain([(&self.outlaw.payer, 0)]).map(register)).await?;
        Ok(())
    }

    /// A gateway cheats: claims and batches, one after the other.
    async fn play(&self, part: &Part) -> Result<()> {
        let mut first_seq = 0;
        for charges in part.cheat.charges(&part.served) {
            let signed = part.gateway.batch(first_seq, self.book, &charges);
            let claims = part.cheat.claims(&charges);
            part.gateway.claim(&self.attestor.url, &signed.batch, &claims).await?;
            self.client.submit_batch_finalised(signed).await?;
            first_seq += charges.len() as Sequence;
        }
        Ok(())
    }

    /// What no block takes, and the code by which the gateway knows why.
    async fn refusals(&self) -> Result<()> {
        let good = || self.outlaw.batch(0, self.book, &self.outlaw_served[..1]);
        let signed_by = |signer: &Signer, genesis: H256| {
            let batch = good().batch;
            let signature = signer.sign(&batch.signing_payload(&genesis));
            SignedBatch { batch, signature }
        };
        let stranger = HostileGateway {
            signer: Signer::generate(),
            payer: self.outlaw.payer.clone(),
            provider: self.outlaw.provider.clone(),
            genesis: self.client.genesis(),
        };
        let other_key = signed_by(&stranger.signer, self.client.genesis());
        let other_chain = signed_by(&self.outlaw.signer, H256::repeat_byte(7));
        let unlisted = stranger.batch(0, self.book, &self.outlaw_served[..1]);
        for (what, signed, expected) in [
            ("another key's signature", other_key, code::WRONG_SIGNATURE),
            ("another chain's signature", other_chain, code::WRONG_SIGNATURE),
            ("a gateway that nobody listed", unlisted, code::NOT_GATEWAY),
        ] {
            match self.client.submit_batch(signed).await {
                Err(SubmitError::Refused(PoolRefusal::Custom { code, .. })) if code == expected => {}
                other => bail!("{what}: {other:?}"),
            }
        }
        let unknown = format!("({})", code::UNKNOWN_BOOK);
        match self.client.submit_batch(self.outlaw.batch(0, self.book + 1, &self.outlaw_served[..1])).await {
            Err(SubmitError::Refused(PoolRefusal::Unknown(reason))) if reason.contains(&unknown) => {}
            other => bail!("a price book that is not in force: {other:?}"),
        }
        self.check_outlaw(0).await
    }

    /// A gap, two batches for one place, and numbers that were used: every request is charged once, in
    /// its turn, and what is never charged costs nobody anything.
    async fn out_of_turn(&self) -> Result<()> {
        let (outlaw, client) = (&self.outlaw, &self.client);
        let (first, second) = (self.outlaw_served[0], self.outlaw_served[1]);
        let late = outlaw.batch(1, self.book, &[second]);
        outlaw.claim(&self.attestor.url, &late.batch, &[second.digest]).await?;
        // It waits for the one before it, in vain.
        client.submit_batch(late).await?;
        let end = client.finalised_head().await?.number + WATCHED;
        while client.finalised_head().await?.number < end {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        self.check_outlaw(0).await?;

        let honest = outlaw.batch(0, self.book, &[first]);
        let twin = outlaw.batch(0, self.book, &[inflated(&first)]);
        outlaw.claim(&self.attestor.url, &honest.batch, &[first.digest]).await?;
        outlaw.claim_refused(&self.attestor.url, &twin.batch, &[second.digest]).await?;
        client.submit_batch(honest.clone()).await?;
        self.refused_as_used(twin.clone(), "a second batch for one place").await?;
        let end = client.finalised_head().await?.number + SETTLED_WITHIN;
        while self.next_seq().await? < 2 {
            ensure!(client.finalised_head().await?.number < end, "the batch behind the gap never came");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        for (what, again) in [("the same batch again", honest), ("other receipts under its number", twin)] {
            self.refused_as_used(again, what).await?;
        }
        Ok(())
    }

    async fn refused_as_used(&self, signed: SignedBatch, what: &str) -> Result<()> {
        use PoolRefusal::{Banned, NonceTaken, Stale};
        match self.client.submit_batch(signed).await {
            Err(SubmitError::Refused(Banned | NonceTaken | Stale)) => Ok(()),
            other => bail!("{what}: {other:?}"),
        }
    }

    async fn next_seq(&self) -> Result<Sequence> {
        Ok(self.client.finalised().await?.next_seq(&self.outlaw.signer.account()).await?)
    }

    /// The outlaw has charged so many requests, and its payer has paid for them.
    async fn check_outlaw(&self, charged: usize) -> Result<()> {
        let next_seq = self.next_seq().await?;
        ensure!(next_seq == charged as Sequence, "{next_seq} receipts are charged instead of {charged}");
        self.check_wallet(&self.outlaw, cost(&self.outlaw_served[..charged]), 0).await
    }

    /// What a payer has paid, and what stands against its gateway.
    async fn check_wallet(
        &self,
        gateway: &HostileGateway,
        spent: Credits,
        uncollected: Credits,
    ) -> Result<()> {
        let snapshot = self.client.finalised().await?;
        let wallet = snapshot.wallet(&gateway.payer.account()).await?;
        let paid: Credits = wallet.iter().map(|row| row.amounts.spent).sum();
        ensure!(paid == spent, "the wallet has paid {paid} micro-credits instead of {spent}");
        let owed = snapshot.uncollected(&gateway.signer.account()).await?;
        ensure!(owed == uncollected, "{owed} micro-credits are uncollected instead of {uncollected}");
        Ok(())
    }

    /// Waits until all is settled, and compares each verdict with the rule.
    async fn wait_for_verdicts(&self, observer: &Observer) -> Result<()> {
        let mut expected = HashMap::new();
        for part in &self.cheats {
            let charges = part.cheat.charges(&part.served);
            let mut first_seq = 0;
            for (charges, verdict) in charges.iter().zip(part.cheat.outcome(&part.served).verdicts) {
                expected.insert(self.item(&part.gateway, first_seq), (Some(part.cheat), verdict));
                first_seq += charges.len() as Sequence;
            }
        }
        for first_seq in [0, 1] {
            expected.insert(self.item(&self.outlaw, first_seq), (None, (VerdictKind::Match, 0)));
        }
        let end = self.client.finalised_head().await?.number + SETTLED_WITHIN;
        loop {
            let verdicts: HashMap<Item, (VerdictKind, Credits)> = observer.with(|seen| {
                let mine = seen.verdicts.iter().filter(|verdict| expected.contains_key(&verdict.0));
                mine.map(|(item, kind, refunded, _)| (item.clone(), (*kind, *refunded))).collect()
            });
            for (item, verdict) in &verdicts {
                let (cheat, rule) = &expected[item];
                ensure!(verdict == rule, "{cheat:?} was settled as {verdict:?}, the rule says {rule:?}");
            }
            if verdicts.len() == expected.len() {
                println!("{} items of gateways that cheat are settled by rule", verdicts.len());
                return Ok(());
            }
            let at = self.client.finalised_head().await?.number;
            ensure!(at < end, "{} of {} items are settled", verdicts.len(), expected.len());
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    fn item(&self, gateway: &HostileGateway, first_seq: Sequence) -> Item {
        let provider = gateway.provider.clone();
        Item { gateway: gateway.signer.account(), first_seq, provider }
    }

    /// Every wallet has paid what the rules say, and what is missing stands against its gateway.
    async fn check_books(&self) -> Result<()> {
        for part in &self.cheats {
            let outcome = part.cheat.outcome(&part.served);
            let checked = self.check_wallet(&part.gateway, outcome.spent, outcome.uncollected).await;
            checked.with_context(|| format!("{:?}", part.cheat))?;
            println!(
                "{:?}: {} micro-credits paid of {} charged, {} for what was served",
                part.cheat,
                outcome.spent,
                cost(&part.cheat.charges(&part.served).concat()),
                cost(&part.served),
            );
        }
        self.check_outlaw(2).await.context("out of turn")
    }
}

/// The company's employees paid for their receipts and for nothing else.
async fn check_company(stage: &Stage, observer: &Observer) -> Result<()> {
    let (block, receipts) = observer.with(|seen| (seen.newest, seen.receipts.clone()));
    let snapshot = stage.client.at(block.context("a block was seen")?.hash);
    for employee in &stage.company.employees {
        let owner = employee.signer.account();
        let own = receipts.iter().filter(|receipt| receipt.wallet == owner);
        let price = |receipt: &stipend_primitives::leaf::ReceiptLeaf| {
            let entry = prices().into_iter().find(|entry| entry.model == receipt.leaf.model);
            entry.map_or(0, |entry| entry.cost(&receipt.leaf.usage))
        };
        let (due, wallet): (Credits, _) = (own.map(price).sum(), snapshot.wallet(&owner).await?);
        let paid: Credits = wallet.iter().map(|row| row.amounts.spent).sum();
        ensure!(paid == due, "{} has paid {paid} micro-credits, the receipts cost {due}", employee.name);
    }
    let uncollected = snapshot.uncollected(&stage.company.gateway.account()).await?;
    ensure!(uncollected == 0, "{uncollected} micro-credits of the honest gateway are uncollected");
    Ok(())
}

/// On the real runtime, but with blocks that take no time: a book retires ten minutes after its
/// successor. `refusals.rs` waits for that on a real node when it has the time.
#[test]
fn a_retired_price_book_charges_nothing() {
    /// Blocks for which a book stays chargeable once it has a successor.
    const GRACE_BLOCKS: BlockNumber = 600;
    let gateway = HostileGateway::new(AccountId::new([9; 32]), H256::zero());
    let council = |call: RuntimeCall| {
        let origin = pallet_collective::RawOrigin::<AccountId, CouncilInstance>::Members(3, 3);
        call.dispatch(origin.into()).expect("the council may");
    };
    let judged = |book, block| {
        System::set_block_number(block);
        let usage = Usage { input: 10, cached_input: 0, output: 1 };
        let signed = gateway.batch(0, book, &[Charge { digest: [7; 16], usage }]);
        let call: RuntimeCall = pallet_receipts::Call::submit_batch { signed: Box::new(signed) }.into();
        call.authorize(TransactionSource::External).expect("a batch authorises itself").map(drop)
    };
    sp_io::TestExternalities::default().execute_with(|| {
        System::set_block_number(1);
        let (who, role) = (gateway.signer.account(), Role::Gateway);
        council(pallet_roles::Call::grant_role { who, role, allowance: None }.into());
        council(pallet_pricing::Call::publish { entries: prices() }.into());
        assert_eq!(judged(1, 2), Ok(()));
        council(pallet_pricing::Call::publish { entries: prices() }.into());
        // The successor is in force from block 3 on.
        assert_eq!(judged(1, 3 + GRACE_BLOCKS), Ok(()));
        let retired = InvalidTransaction::Custom(code::RETIRED_BOOK).into();
        assert_eq!(judged(1, 4 + GRACE_BLOCKS), Err(retired));
        assert_eq!(judged(2, 4 + GRACE_BLOCKS), Ok(()));
    });
}
