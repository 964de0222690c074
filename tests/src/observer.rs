//! Watches finalised blocks and notes when each receipt became final and when it was settled.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use anyhow::Result;
use codec::DecodeAll;
use futures::StreamExt;
use stipend_primitives::{
    batch::Batch,
    leaf::ReceiptLeaf,
    settlement::{Item, VerdictKind},
    AccountId, BlockNumber, Credits, Digest, Sequence,
};
use stipend_runtime::{RuntimeCall, RuntimeEvent, UncheckedExtrinsic};
use stipend_sdk::{BlockRef, Client};

/// Pause before a block is read again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// What was seen so far.
#[derive(Default)]
pub struct Seen {
    /// The newest block that was read.
    pub newest: Option<BlockRef>,
    /// Receipts in finalised batches, by digest: where they stand and when that was final.
    pub finalised: HashMap<Digest, (Sequence, Instant)>,
    /// When the part of a batch that a receipt belongs to was settled for good.
    pub settled: HashMap<Digest, Instant>,
    /// All receipts in finalised batches.
    pub receipts: Vec<ReceiptLeaf>,
    /// Digests that stand in more than one receipt: there must be none.
    pub repeated: Vec<Digest>,
    /// Receipts per open item, and the block that its batch came in.
    open: HashMap<Item, (BlockNumber, Vec<Digest>)>,
    /// Blocks from a batch to the verdict on each of its items.
    pub waits: Vec<(Item, BlockNumber)>,
    /// Verdicts: item, kind, micro-credits given back, receipts.
    pub verdicts: Vec<(Item, VerdictKind, Credits, usize)>,
}

/// Follows a chain in the background.
pub struct Observer {
    seen: Arc<Mutex<Seen>>,
    task: tokio::task::JoinHandle<()>,
}

impl Observer {
    /// Begins with the blocks finalised from now on.
    pub fn start(client: Client) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let notes = seen.clone();
        let task = tokio::spawn(async move {
            let mut blocks = client.finalised_blocks();
            while let Some(block) = blocks.next().await {
                match block {
                    // A node that is away comes back, and what it called final with it.
                    Ok(block) => {
                        while let Err(error) = note(&client, block, &notes).await {
                            tracing::warn!("finalised block {} could not be read: {error:#}", block.number);
                            tokio::time::sleep(RETRY_PAUSE).await;
                        }
                    }
                    Err(error) => tracing::error!("no more finalised blocks: {error:#}"),
                }
            }
        });
        Observer { seen, task }
    }

    /// Looks at what was seen.
    pub fn with<R>(&self, look: impl FnOnce(&Seen) -> R) -> R {
        look(&self.seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn note(client: &Client, block: BlockRef, seen: &Mutex<Seen>) -> Result<()> {
    let snapshot = client.at(block.hash);
    let batches: Vec<Batch> =
        client.block_body(block.hash).await?.iter().filter_map(|bytes| batch_in(bytes)).collect();
    let events = snapshot.events().await?;
    let now = Instant::now();
    let mut seen = seen.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    for batch in &batches {
        seen.note_batch(batch, block.number, now);
    }
    for event in events {
        if let RuntimeEvent::Settlement(pallet_settlement::Event::Settled {
            item, verdict, refunded, ..
        }) = event
        {
            seen.note_settlement((item, verdict, refunded), block.number, now);
        }
    }
    seen.newest = Some(block);
    Ok(())
}

/// The batch in an extrinsic, if that is what it carries.
pub fn batch_in(extrinsic: &[u8]) -> Option<Batch> {
    let extrinsic = UncheckedExtrinsic::decode_all(&mut &*extrinsic).ok()?;
    match extrinsic.function {
        RuntimeCall::Receipts(pallet_receipts::Call::submit_batch { signed }) => Some(signed.batch),
        _ => None,
    }
}

impl Seen {
    fn note_batch(&mut self, batch: &Batch, at: BlockNumber, now: Instant) {
        for (seq, record) in (batch.first_seq..).zip(batch.records()) {
            if self.finalised.insert(record.digest, (seq, now)).is_some() {
                self.repeated.push(record.digest);
            }
            let Some(line) = batch.lines.get(usize::from(record.line)) else { continue };
            let Some(wallet) = batch.wallets.get(usize::from(record.wallet)) else { continue };
            self.receipts.push(ReceiptLeaf::new(seq, &record, line, wallet));
            let item = Item {
                gateway: batch.gateway.clone(),
                first_seq: batch.first_seq,
                provider: line.provider.clone(),
            };
            self.open.entry(item).or_insert_with(|| (at, Vec::new())).1.push(record.digest);
        }
    }

    fn note_settlement(
        &mut self,
        (item, verdict, refunded): (Item, VerdictKind, Credits),
        at: BlockNumber,
        now: Instant,
    ) {
        let (since, digests) = self.open.remove(&item).unwrap_or((at, Vec::new()));
        self.waits.push((item.clone(), at - since));
        self.verdicts.push((item, verdict, refunded, digests.len()));
        self.settled.extend(digests.into_iter().map(|digest| (digest, now)));
    }

    /// Verdicts about one provider: how many of each kind, what went back, receipts.
    pub fn of_provider(&self, provider: &AccountId) -> (HashMap<&'static str, usize>, Credits, usize) {
        let (mut kinds, mut refunded, mut receipts) = (HashMap::new(), 0, 0);
        for (_, kind, amount, count) in self.verdicts.iter().filter(|verdict| verdict.0.provider == *provider)
        {
            let name = match kind {
                VerdictKind::Match => "match",
                VerdictKind::Adjust => "adjust",
                VerdictKind::Unattested => "unattested",
            };
            *kinds.entry(name).or_default() += 1;
            refunded += amount;
            receipts += count;
        }
        (kinds, refunded, receipts)
    }
}
