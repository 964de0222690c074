//! Forgetting what nobody will ask for, and letting go of the log's beginning.

use std::sync::atomic::Ordering;

use codec::Encode;
use futures::future::try_join_all;
use stipend_primitives::{Digest, Moment};
use stipend_receipt_log::Error;

use super::{book::Book, record::Record, types::Metered, Store};

/// Requests written again in one sweep.
const REWRITTEN_MAX: usize = 10_000;

impl Store {
    /// Forgets by age and size, then prunes the log as far as nothing in memory needs it.
    pub(crate) async fn sweep(&self, now_ms: Moment) -> Result<(), Error> {
        // Whatever is appended from here on stands at this position or later.
        let mut needed = self.log.next_position();
        let straggling_before = needed.saturating_sub(self.grain.held_back_max);
        for book in self.books.values() {
            let _turn = book.claiming.lock().await;
            self.forget(book, now_ms).await?;
            self.rewrite_stragglers(book, straggling_before).await?;
            needed = needed.min(book.oldest_position().unwrap_or(needed));
        }
        if needed < self.pruned_before.load(Ordering::Relaxed).saturating_add(self.grain.pruned_min) {
            return Ok(());
        }
        // A watermark must never be lost with the log's beginning: it goes to the end first.
        for book in self.books.values() {
            if let Some(before) = book.watermark() {
                self.log.append(Record::Watermark { gateway: book.account.clone(), before }.encode()).await?;
            }
        }
        self.log.prune_before(needed).await?;
        self.pruned_before.store(needed, Ordering::Relaxed);
        Ok(())
    }

    async fn forget(&self, book: &Book, now_ms: Moment) -> Result<(), Error> {
        let oldest_ms = now_ms.saturating_sub(self.limits.range_ms_max);
        if let Some(before) =
            book.next_watermark(oldest_ms, self.limits.leaves_max, self.grain.ranges_open_max)
        {
            let gateway = book.account.clone();
            self.log.append(Record::Watermark { gateway, before }.encode()).await?;
            book.forget_before(before);
        }
        let forgotten = book.forget_unclaimed(now_ms.saturating_sub(self.limits.unclaimed_ms_max));
        if forgotten > 0 {
            tracing::warn!(
                gateway = %book.account,
                forgotten,
                "requests were served and never claimed: their gateway will not be charged for them"
            );
        }
        Ok(())
    }

    async fn rewrite_stragglers(&self, book: &Book, before: u64) -> Result<(), Error> {
        let stragglers = book.stragglers(before, REWRITTEN_MAX);
        try_join_all(stragglers.into_iter().map(|straggler| self.rewrite(book, straggler))).await?;
        Ok(())
    }

    async fn rewrite(&self, book: &Book, (digest, metered): (Digest, Metered)) -> Result<(), Error> {
        let Metered { model, usage, at_ms, .. } = metered;
        let record = Record::Metered { gateway: book.account.clone(), digest, model, usage, at_ms };
        let position = self.log.append(record.encode()).await?;
        book.moved(&digest, position);
        Ok(())
    }
}
