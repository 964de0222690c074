//! Which receipts can be looked up, and where they stand in the log.
//!
//! Two generations of names: once the newer one is full or old enough, it becomes the older one, and the
//! one before that is forgotten. So memory is bounded, every receipt can be looked up for as long as the
//! configuration says, and forgetting costs nothing.

use std::collections::HashMap;

use parking_lot::Mutex;
use stipend_primitives::{BookVersion, Digest, Moment, Sequence};

use crate::{config::Receipts, receipt::Receipt};

/// Receipts that can be looked up.
pub(crate) struct Kept {
    limits: Receipts,
    names: Mutex<Names>,
    relined: Mutex<Vec<Relined>>,
}

#[derive(Default)]
struct Names {
    newer: Generation,
    older: Generation,
}

#[derive(Default)]
struct Generation {
    first_seq: Sequence,
    began_ms: Moment,
    seqs: HashMap<Digest, Sequence>,
}

/// Receipts that are charged by another book than the log says: see [`crate::pipeline::reline`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Relined {
    pub(crate) first_seq: Sequence,
    pub(crate) last_seq: Sequence,
    pub(crate) book: BookVersion,
    /// Where the journal begins to speak of their batch.
    pub(crate) entry: u64,
}

impl Kept {
    pub(crate) fn new(limits: Receipts, relined: Vec<Relined>) -> Self {
        Kept { limits, names: Mutex::default(), relined: Mutex::new(relined) }
    }

    /// Takes in the next receipt of the log.
    pub(crate) fn add(&self, seq: Sequence, receipt: &Receipt, now_ms: Moment) {
        // A receipt of the first layout does not say when it was made.
        let at_ms = receipt.details.as_ref().map_or(now_ms, |details| details.at_ms);
        let forgotten = self.names.lock().add(&self.limits, seq, receipt.digest, at_ms);
        // Outside of the lock: it may be large.
        drop(forgotten);
    }

    /// Where a receipt stands in the log.
    pub(crate) fn find(&self, digest: &Digest) -> Option<Sequence> {
        let names = self.names.lock();
        names.newer.seqs.get(digest).or_else(|| names.older.seqs.get(digest)).copied()
    }

    /// The oldest receipt that can be looked up; `None` if there is none.
    pub(crate) fn first_seq(&self) -> Option<Sequence> {
        let names = self.names.lock();
        let oldest = [&names.older, &names.newer].into_iter().find(|names| !names.seqs.is_empty());
        oldest.map(|names| names.first_seq)
    }

    /// The receipts of a batch are charged by another book.
    pub(crate) fn reline(&self, relined: Relined) {
        self.relined.lock().push(relined);
    }

    /// The book that a receipt is charged by, where it is another than the log says.
    pub(crate) fn book_of(&self, seq: Sequence) -> Option<BookVersion> {
        let relined = self.relined.lock();
        let of_it = |relined: &&Relined| (relined.first_seq..=relined.last_seq).contains(&seq);
        // A batch can be moved more than once.
        relined.iter().rev().find(of_it).map(|relined| relined.book)
    }

    /// The oldest entry of the journal that says so of a receipt that can be looked up.
    pub(crate) fn first_entry(&self) -> Option<u64> {
        let first_seq = self.first_seq()?;
        let mut relined = self.relined.lock();
        relined.retain(|relined| relined.last_seq >= first_seq);
        relined.iter().map(|relined| relined.entry).min()
    }
}

impl Names {
    fn add(&mut self, limits: &Receipts, seq: Sequence, digest: Digest, at_ms: Moment) -> Option<Generation> {
        let newer = &mut self.newer;
        let keep_ms = u64::try_from(limits.keep.as_millis()).unwrap_or(u64::MAX);
        let is_full = newer.seqs.len() >= limits.keep_max;
        let is_old = at_ms.saturating_sub(newer.began_ms) >= keep_ms;
        let mut forgotten = None;
        if newer.seqs.is_empty() || is_full || is_old {
            // Room for all at once: growing step by step would hold the log's writer up.
            let seqs = HashMap::with_capacity(limits.keep_max);
            let next = Generation { first_seq: seq, began_ms: at_ms, seqs };
            let before = std::mem::replace(newer, next);
            forgotten = Some(std::mem::replace(&mut self.older, before));
        }
        self.newer.seqs.insert(digest, seq);
        forgotten
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Duration;

    use super::*;
    use crate::receipt::Details;
    use stipend_primitives::{cost::Usage, AccountId, ClassId, ModelId};

    fn receipt(seq: Sequence, at_ms: Moment) -> Receipt {
        let mut digest = [0; 16];
        digest[..8].copy_from_slice(&seq.to_le_bytes());
        let details =
            Details { at_ms, held: 0, request_sha256: [0; 32], response_sha256: [0; 32], key: None };
        Receipt {
            wallet: AccountId::new([1; 32]),
            provider: AccountId::new([2; 32]),
            book: 1,
            model: ModelId(1),
            usage: Usage::default(),
            priority_fee: 0,
            digest,
            class: ClassId(0),
            cost: 0,
            details: Some(details),
        }
    }

    fn kept(keep_max: usize) -> Kept {
        Kept::new(Receipts { keep: Duration::from_secs(10), keep_max }, Vec::new())
    }

    fn found(kept: &Kept, seq: Sequence) -> bool {
        kept.find(&receipt(seq, 0).digest) == Some(seq)
    }

    #[test]
    fn as_many_as_are_promised_can_be_looked_up_and_at_most_twice_as_many() {
        let kept = kept(10);
        assert_eq!(kept.first_seq(), None);
        for seq in 0..100 {
            kept.add(seq, &receipt(seq, 1_000), 0);
            assert!((seq.saturating_sub(9)..=seq).all(|seq| found(&kept, seq)), "{seq}");
            let first = kept.first_seq().unwrap();
            assert!(seq - first < 20 && found(&kept, first), "{first} to {seq}");
            assert!(first == 0 || !found(&kept, first - 1));
        }
    }

    #[test]
    fn receipts_can_be_looked_up_for_the_time_that_is_promised_and_not_for_ever() {
        let kept = kept(1_000);
        for (seq, at_ms) in (0..).zip((0..60_000).step_by(1_000)) {
            kept.add(seq, &receipt(seq, at_ms), 0);
            assert!((seq.saturating_sub(10)..=seq).all(|seq| found(&kept, seq)));
            assert!(seq - kept.first_seq().unwrap() < 20);
        }
    }

    #[test]
    fn a_batch_that_was_moved_is_charged_by_its_newest_book_while_it_can_be_looked_up() {
        let kept = kept(2);
        for (book, entry) in [(5, 70), (6, 70)] {
            kept.reline(Relined { first_seq: 3, last_seq: 4, book, entry });
        }
        for seq in 0..6 {
            kept.add(seq, &receipt(seq, 0), 0);
        }
        assert_eq!([2, 3, 4, 5].map(|seq| kept.book_of(seq)), [None, Some(6), Some(6), None]);
        assert_eq!(kept.first_entry(), Some(70));
        for seq in 6..12 {
            kept.add(seq, &receipt(seq, 0), 0);
        }
        assert_eq!((kept.first_entry(), kept.book_of(3)), (None, None));
    }
}
