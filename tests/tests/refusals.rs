//! What a real node refuses, and the code by which whoever sent it knows why. Nothing of what is
//! refused changes a balance.

use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};
use codec::{Decode, Encode};
use jsonrpsee::{core::client::ClientT, rpc_params, ws_client::WsClient, ws_client::WsClientBuilder};
use sp_core::{bounded::BoundedVec, Bytes, H256};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};
use stipend_primitives::{
    batch::{Batch, Line, Record, SignedBatch},
    cost::Usage,
    settlement::{Item, Refund, Verdict, Vote},
    BookVersion, ClassId, Credits, Sequence,
};
use stipend_runtime::{authorized_extrinsic, RuntimeCall};
use stipend_sdk::{Client, PoolRefusal, Signer, SubmitError};
use stipend_tests::{
    company::{prices, Company, MODEL_GENERAL_ID},
    process::free_port,
    services::{self, Node},
};

/// What every receipt here uses.
const USAGE: Usage = Usage { input: 10, cached_input: 0, output: 1 };

/// Blocks for which something that must not happen is watched.
const WATCHED: u32 = 3;

/// Blocks for which a price book stays chargeable once it has a successor.
const GRACE_BLOCKS: u32 = 600;

/// Codes of `receipts`' refusals and of admission, as its README and the SDK's errors have them.
mod code {
    pub const NOT_GATEWAY: u8 = 1;
    pub const UNKNOWN_BOOK: u8 = 3;
    pub const RETIRED_BOOK: u8 = 4;
    pub const WRONG_SIGNATURE: u8 = 6;
    pub const REFUNDS_TOO_HIGH: u8 = 62;
}

struct World {
    client: Client,
    raw: WsClient,
    company: Company,
    book: BookVersion,
    _node: Node,
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_refused_says_why_and_charges_nothing() -> Result<()> {
    let world = World::found().await?;
    // One batch is on the chain, so that there is something to repeat and to vote on.
    let first = world.batch(0, &world.company.gateway);
    world.client.submit_batch_finalised(first.clone()).await?;
    let spent = world.spent().await?;
    ensure!(spent == prices()[0].cost(&USAGE), "the first batch was charged {spent}");

    wrong_signature(&world).await?;
    unlisted_gateway(&world).await?;
    repeat(&world, first).await?;
    unknown_book(&world).await?;
    stranger(&world).await?;
    forged_votes(&world).await?;
    ensure!(world.spent().await? == spent, "something that was refused was charged");
    gap(&world).await?;
    retired_book(&world).await
}

/// A batch that another key signed, and one that was changed after it was signed.
async fn wrong_signature(world: &World) -> Result<()> {
    let mut forged = world.batch(1, &world.company.gateway);
    forged.signature = Signer::generate().sign(&forged.batch.signing_payload(&world.client.genesis()));
    world.refused_with(forged, code::WRONG_SIGNATURE).await?;

    let mut changed = world.batch(1, &world.company.gateway);
    changed.batch.wallets = BoundedVec::truncate_from(vec![world.company.employees[1].signer.account()]);
    world.refused_with(changed, code::WRONG_SIGNATURE).await
}

/// A batch of an account that the council never made a gateway.
async fn unlisted_gateway(world: &World) -> Result<()> {
    world.refused_with(world.batch(0, &Signer::generate()), code::NOT_GATEWAY).await
}

/// The batch that is there, again, and other receipts under its numbers.
async fn repeat(world: &World, first: SignedBatch) -> Result<()> {
    // The node remembers a transaction that it has just seen; it judges others anew.
    match world.client.submit_batch(first).await {
        Err(SubmitError::Refused(PoolRefusal::Banned | PoolRefusal::Stale)) => {}
        other => bail!("the same batch again: {other:?}"),
    }
    match world.client.submit_batch(world.batch(0, &world.company.gateway)).await {
        Err(SubmitError::Refused(PoolRefusal::Stale)) => Ok(()),
        other => bail!("other receipts under the same numbers: {other:?}"),
    }
}

/// A batch that quotes from a book that never was.
async fn unknown_book(world: &World) -> Result<()> {
    match world.client.submit_batch(world.quoting(1, world.book + 40)).await {
        Err(SubmitError::Refused(PoolRefusal::Unknown(reason)))
            if reason.contains(&format!("({})", code::UNKNOWN_BOOK)) =>
        {
            println!("refused: {reason}");
            Ok(())
        }
        other => bail!("a book that never was: {other:?}"),
    }
}

/// A batch that quotes from a book whose grace is over: ten minutes after its successor took effect.
async fn retired_book(world: &World) -> Result<()> {
    if std::env::var_os("STIPEND_TEST_LONG").is_none() {
        println!("A RETIRED BOOK IS NOT TESTED: it takes ten minutes of blocks; STIPEND_TEST_LONG=1 does.");
        return Ok(());
    }
    let publish = pallet_pricing::Call::publish { entries: prices() };
    world.company.council.act(&world.client, publish).await?;
    let published = world.client.finalised_head().await?.number;
    while world.client.finalised_head().await?.number < published + GRACE_BLOCKS + 2 {
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    world.refused_with(world.quoting(3, world.book), code::RETIRED_BOOK).await
}

/// A transaction of somebody whom nobody gave a role or a credit.
async fn stranger(world: &World) -> Result<()> {
    let call = RuntimeCall::System(frame_system::Call::remark { remark: b"let me in".to_vec() });
    match world.client.submit(call, &Signer::generate()).await {
        Err(SubmitError::Refused(PoolRefusal::NotAdmitted)) => Ok(()),
        other => bail!("a stranger's transaction: {other:?}"),
    }
}

/// Votes in a validator's name, of somebody else, and for more than was charged.
async fn forged_votes(world: &World) -> Result<()> {
    let validator = Signer::from_uri("//Alice")?;
    let item = Item {
        gateway: world.company.gateway.account(),
        first_seq: 0,
        provider: world.company.providers[0].account(),
    };
    let batch_hash = world.batch_hash(&item).await?;
    let vote = |verdict| Vote { item: item.clone(), batch_hash, verdict, gpu: Default::default() };
    let forger = Signer::generate();
    let everything = |amount| {
        let owner = world.company.employees[0].signer.account();
        let refunds = BoundedVec::truncate_from(vec![Refund { owner, class: ClassId::INNOVATION, amount }]);
        Verdict::Unattested { refunds }
    };
    let cases: [(&str, Vote, &Signer, &Signer, String); 3] = [
        ("in a validator's name", vote(Verdict::Match), &validator, &forger, "bad signature".into()),
        ("of somebody else", vote(Verdict::Match), &forger, &forger, "Invalid signing address".into()),
        (
            "for more than was charged",
            vote(everything(Credits::MAX)),
            &validator,
            &validator,
            format!("Custom error: {}", code::REFUNDS_TOO_HIGH),
        ),
    ];
    for (what, vote, validator, signer, expected) in cases {
        let signature = signer.sign(&vote.signing_payload(&world.client.genesis()));
        let call =
            pallet_settlement::Call::vote { vote: Box::new(vote), validator: validator.public(), signature };
        let (code, reason) = world.hand_in(call.into()).await?.context("a forged vote was taken")?;
        ensure!(code == 1010 && reason.contains(&expected), "a vote {what}: {code} {reason}");
    }
    Ok(())
}

/// A batch whose predecessor is missing is not refused at the pool, where the predecessor may come
/// yet; but no block takes it before.
async fn gap(world: &World) -> Result<()> {
    let before = world.spent().await?;
    let late = world.batch(2, &world.company.gateway);
    world.client.submit_batch(late.clone()).await?;
    let dry: Bytes = world
        .raw
        .request("system_dryRun", rpc_params![Bytes(authorized_extrinsic(submit(late)).encode())])
        .await?;
    let refused = TransactionValidityError::Invalid(InvalidTransaction::Future);
    let result =
        Result::<Result<(), sp_runtime::DispatchError>, TransactionValidityError>::decode(&mut &dry[..])?;
    ensure!(result == Err(refused), "a block says of a gap: {result:?}");
    world.wait_for_blocks(WATCHED).await?;
    ensure!(world.spent().await? == before, "a batch after a gap was charged");

    world.client.submit_batch_finalised(world.batch(1, &world.company.gateway)).await?;
    let end = world.client.finalised_head().await?.number + 20;
    while world.next_seq().await? < 3 {
        ensure!(world.client.finalised_head().await?.number < end, "the batch behind the gap never came");
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let (spent, expected) = (world.spent().await?, before + 2 * prices()[0].cost(&USAGE));
    ensure!(spent == expected, "{spent} micro-credits spent, {expected} expected");
    Ok(())
}

impl World {
    async fn found() -> Result<Self> {
        let dir = services::work_dir("test-refusals")?;
        let node = Node::start_on(&dir, free_port()?, &["--rpc-methods=unsafe"]).await?;
        let client = Client::connect(&node.url).await?;
        let company = Company::new(&["ada", "grace", "linus"])?;
        company.found(&client).await?;
        company.mint_baskets(&client).await?;
        company.register_keys(&client).await?;
        let book = client.finalised().await?.current_book().await?.context("the book was published")?.version;
        let raw = WsClientBuilder::default().build(&node.url).await?;
        Ok(World { client, raw, company, book, _node: node })
    }

    /// One receipt of the first employee, signed.
    fn batch(&self, first_seq: Sequence, gateway: &Signer) -> SignedBatch {
        self.make(first_seq, gateway, self.book)
    }

    fn quoting(&self, first_seq: Sequence, book: BookVersion) -> SignedBatch {
        self.make(first_seq, &self.company.gateway, book)
    }

    fn make(&self, first_seq: Sequence, gateway: &Signer, book: BookVersion) -> SignedBatch {
        let record = Record { wallet: 0, line: 0, usage: USAGE, priority_fee: 0, digest: rand::random() };
        let line = Line { provider: self.company.providers[0].account(), book, model: MODEL_GENERAL_ID };
        let batch = Batch {
            gateway: gateway.account(),
            first_seq,
            wallets: BoundedVec::truncate_from(vec![self.company.employees[0].signer.account()]),
            lines: BoundedVec::truncate_from(vec![line]),
            records: BoundedVec::truncate_from(record.to_bytes().to_vec()),
        };
        let signature = gateway.sign(&batch.signing_payload(&self.client.genesis()));
        SignedBatch { batch, signature }
    }

    async fn refused_with(&self, signed: SignedBatch, expected: u8) -> Result<()> {
        match self.client.submit_batch(signed).await {
            Err(SubmitError::Refused(PoolRefusal::Custom { code, explanation })) if code == expected => {
                println!("refused with {code}: {explanation}");
                Ok(())
            }
            other => bail!("expected code {expected}: {other:?}"),
        }
    }

    /// Hands in a call that authorises itself; returns the error's code and reason if it is refused.
    async fn hand_in(&self, call: RuntimeCall) -> Result<Option<(i32, String)>> {
        let bytes = Bytes(authorized_extrinsic(call).encode());
        match self.raw.request::<H256, _>("author_submitExtrinsic", rpc_params![bytes]).await {
            Ok(_) => Ok(None),
            Err(jsonrpsee::core::ClientError::Call(error)) => {
                let reason = error.data().map_or_else(|| error.message(), |data| data.get());
                println!("refused with {}: {reason}", error.code());
                Ok(Some((error.code(), reason.to_owned())))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn batch_hash(&self, item: &Item) -> Result<H256> {
        let snapshot = self.client.finalised().await?;
        let batch =
            snapshot.batch(&item.gateway, item.first_seq).await?.context("the batch is on the chain")?;
        Ok(batch.batch_hash)
    }

    async fn next_seq(&self) -> Result<Sequence> {
        Ok(self.client.finalised().await?.next_seq(&self.company.gateway.account()).await?)
    }

    /// What the employees have spent so far.
    async fn spent(&self) -> Result<Credits> {
        let (snapshot, mut spent) = (self.client.finalised().await?, 0);
        for employee in &self.company.employees {
            let wallet = snapshot.wallet(&employee.signer.account()).await?;
            spent += wallet.iter().map(|row| row.amounts.spent).sum::<Credits>();
        }
        Ok(spent)
    }

    async fn wait_for_blocks(&self, blocks: u32) -> Result<()> {
        let goal = self.client.finalised_head().await?.number + blocks;
        while self.client.finalised_head().await?.number < goal {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        Ok(())
    }
}

fn submit(signed: SignedBatch) -> RuntimeCall {
    pallet_receipts::Call::submit_batch { signed: Box::new(signed) }.into()
}
