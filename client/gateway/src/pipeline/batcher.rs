//! The task that closes batches and forgets what is done.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use stipend_primitives::Sequence;
use stipend_receipt_log::Log;
use tokio::{
    sync::mpsc,
    time::{interval, MissedTickBehavior},
};

use super::{
    claims::Claims,
    compose::{OpenBatch, Pen},
    journal::Entry,
    work::{Work, AHEAD_MAX},
};
use crate::{kept::Kept, receipt::Receipt, status::Status};

/// Receipts taken from the log's writer at a time.
const TAKE_MAX: usize = 1_024;

/// A receipt as the log's writer hands it over.
pub(crate) type Recorded = (Sequence, Bytes);

/// Closes batches: at an interval, or when one is full.
pub(crate) struct Batcher {
    pub(crate) open: OpenBatch,
    pub(crate) receipts_max: u32,
    pub(crate) interval: Duration,
    pub(crate) pen: Pen,
    pub(crate) receipts: Log,
    pub(crate) kept: Arc<Kept>,
    pub(crate) journal: Log,
    /// Where the journal says which batch was closed last. It stays: a restart begins behind it.
    pub(crate) last_entry: u64,
    pub(crate) work: Arc<Work>,
    pub(crate) claims: Claims,
    pub(crate) status: Arc<Status>,
}

/// Why no more batches can be closed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stuck {
    #[error("the log handed over receipt {found} where {expected} was next")]
    Order { expected: Sequence, found: Sequence },
    #[error("receipt {0} in the log is not one of this version")]
    Unreadable(Sequence),
    #[error(transparent)]
    Log(#[from] stipend_receipt_log::Error),
}

impl Batcher {
    /// Runs until the log is closed.
    pub(crate) async fn run(mut self, mut incoming: mpsc::UnboundedReceiver<Recorded>) {
        let mut tick = interval(self.interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut taken = Vec::with_capacity(TAKE_MAX);
        loop {
            let done = tokio::select! {
                count = incoming.recv_many(&mut taken, TAKE_MAX) => {
                    if count == 0 {
                        return;
                    }
                    self.take_all(&mut taken).await
                }
                _ = tick.tick() => self.close_if_due().await,
                () = self.work.progress.notified() => self.forget_done().await,
            };
            if let Err(stuck) = done {
                self.status.halt(format!("no batch can be closed: {stuck}"));
                return;
            }
        }
    }

    async fn take_all(&mut self, recorded: &mut Vec<Recorded>) -> Result<(), Stuck> {
        for (seq, bytes) in recorded.drain(..) {
            self.take(seq, &bytes).await?;
        }
        Ok(())
    }

    /// Takes in the next receipt of the log.
    pub(crate) async fn take(&mut self, seq: Sequence, bytes: &[u8]) -> Result<(), Stuck> {
        let expected = self.open.next_seq();
        if seq != expected {
            return Err(Stuck::Order { expected, found: seq });
        }
        let receipt = Receipt::from_bytes(bytes).ok_or(Stuck::Unreadable(seq))?;
        if self.open.push(&receipt).is_err() {
            self.close().await?;
            // A batch of one receipt is within every bound.
            self.open.push(&receipt).map_err(|_| Stuck::Unreadable(seq))?;
        }
        Ok(())
    }

    /// While many batches wait for finality, the open one grows instead.
    async fn close_if_due(&mut self) -> Result<(), Stuck> {
        if self.open.is_empty() || self.work.ahead() >= AHEAD_MAX {
            return Ok(());
        }
        self.close().await
    }

    pub(crate) async fn close(&mut self) -> Result<(), Stuck> {
        let next = OpenBatch::new(self.open.next_seq(), self.receipts_max);
        let open = std::mem::replace(&mut self.open, next);
        let pen = self.pen.clone();
        // Hashing and signing megabytes takes milliseconds that other tasks need.
        let closed = tokio::task::spawn_blocking(move || open.close(&pen)).await;
        let batch = Arc::new(closed.map_err(|_| Stuck::Unreadable(self.open.next_seq()))?);
        let (first_seq, last_seq, hash) = (batch.first_seq, batch.last_seq, batch.hash);
        let entry = self.journal.append(Entry::Closed { first_seq, last_seq, hash }.to_bytes()).await?;
        tracing::debug!(first_seq, last_seq, ?hash, "closed a batch");
        // Only now may anybody see it: a restart will compose the same one.
        self.last_entry = entry;
        self.claims.post(&batch);
        self.work.add(batch, entry);
        Ok(())
    }

    /// Journals what is done, and lets the logs forget what nobody needs any more.
    pub(crate) async fn forget_done(&mut self) -> Result<(), Stuck> {
        for first_seq in self.work.take_done() {
            self.journal.append(Entry::Done { first_seq }.to_bytes()).await?;
        }
        let (seq, entry) = self.work.oldest().unwrap_or((self.open.first_seq(), self.last_entry));
        // The open batch's receipts are in the log only: they stay, and so does what can be looked up.
        let kept_seq = self.kept.first_seq().unwrap_or(Sequence::MAX);
        let kept_entry = self.kept.first_entry().unwrap_or(u64::MAX);
        self.receipts.prune_before(seq.min(self.open.first_seq()).min(kept_seq)).await?;
        self.journal.prune_before(entry.min(self.last_entry).min(kept_entry)).await?;
        Ok(())
    }
}
