//! The task that hands batches to the chain until finalised blocks have them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use stipend_receipt_log::Log;
use tokio::time::{interval, sleep, MissedTickBehavior};

use super::{
    compose::{ClosedBatch, Pen},
    journal::Entry,
    reline::reline,
    work::Work,
};
use crate::{
    chain::{Chain, Submitted},
    kept::{Kept, Relined},
    prices::Prices,
    status::Status,
    wallets::Wallets,
};

/// How often is looked whether a batch must be handed in again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Pause after a refusal: a role may be granted again, a node may catch up.
const REFUSED_PAUSE: Duration = Duration::from_secs(5);

/// Hands in batches in order.
pub(crate) struct Submitter<C> {
    pub(crate) chain: Arc<C>,
    pub(crate) work: Arc<Work>,
    pub(crate) journal: Log,
    pub(crate) pen: Pen,
    pub(crate) prices: Arc<ArcSwap<Prices>>,
    pub(crate) wallets: Arc<Wallets>,
    pub(crate) kept: Arc<Kept>,
    pub(crate) status: Arc<Status>,
}

impl<C: Chain> Submitter<C> {
    /// Runs until it is aborted.
    pub(crate) async fn run(self) {
        let mut look = interval(LOOK_EVERY);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.work.to_send.notified() => {}
                _ = look.tick() => {}
            }
            self.hand_in_all().await;
        }
    }

    /// Hands in what is due, up to the first that is not taken: the chain wants them in order.
    async fn hand_in_all(&self) {
        for batch in self.work.due(Instant::now()) {
            let (first_seq, last_seq) = (batch.first_seq, batch.last_seq);
            match self.chain.submit(batch.signed.clone()).await {
                Ok(Submitted::Taken) => {
                    self.work.sent(first_seq, Instant::now());
                    self.status.take();
                }
                Ok(Submitted::RetiredBook) => {
                    self.replace(&batch).await;
                    return;
                }
                Ok(Submitted::Later(why)) => {
                    tracing::debug!(first_seq, last_seq, %why, "the chain does not take the batch yet");
                    return;
                }
                Ok(Submitted::Refused(why)) => {
                    self.status.refuse(format!("receipts {first_seq} to {last_seq}: {why}"));
                    sleep(REFUSED_PAUSE).await;
                    return;
                }
                Err(error) => {
                    tracing::warn!(first_seq, last_seq, %error, "cannot hand in a batch; trying again");
                    return;
                }
            }
        }
    }

    /// Charges a batch by the book in force, because nobody can charge its own any more. What is
    /// retired stays retired, so the batch as it was can never come in beside this one.
    async fn replace(&self, batch: &Arc<ClosedBatch>) {
        let (first_seq, last_seq) = (batch.first_seq, batch.last_seq);
        let prices = self.prices.load_full();
        let newer = prices
            .current_book()
            .filter(|book| batch.signed.batch.lines.iter().any(|line| line.book < book.version));
        let Some((book, relined)) = newer.and_then(|book| Some((book, reline(batch, book, &self.pen)?)))
        else {
            let why = "their price book is retired, and the one in force lacks a model of theirs";
            self.status.refuse(format!("receipts {first_seq} to {last_seq}: {why}"));
            sleep(REFUSED_PAUSE).await;
            return;
        };
        let entry = Entry::Relined { first_seq, book: book.version, hash: relined.hash };
        let position = match self.journal.append(entry.to_bytes()).await {
            Ok(position) => position,
            Err(error) => {
                self.status.halt(format!("the journal cannot be written: {error}"));
                return;
            }
        };
        let entry = self.work.entry_of(first_seq).unwrap_or(position);
        self.kept.reline(Relined { first_seq, last_seq, book: book.version, entry });
        tracing::warn!(
            first_seq,
            last_seq,
            book = book.version,
            "the price book of these receipts is retired; they are charged by the book in force"
        );
        self.wallets.take_instead(&batch.charges, &relined.charges);
        self.work.replace(Arc::new(relined));
        self.work.to_send.notify_one();
    }
}
