//! Batches on their way: which wait for finality, which for their providers.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use stipend_primitives::{AccountId, Sequence};
use tokio::sync::Notify;

use super::compose::ClosedBatch;

/// Batches handed in ahead of finality: at a block a second and finality after a few, more would only
/// wait in the pool. Meanwhile the next batch grows.
pub(crate) const AHEAD_MAX: usize = 16;

/// How long a batch is expected to be finalised in. Then it is handed in again: a pool forgets.
const RESEND_AFTER: Duration = Duration::from_secs(12);

/// All batches that are not done.
#[derive(Default)]
pub(crate) struct Work {
    jobs: Mutex<BTreeMap<Sequence, Job>>,
    /// There is something to hand in.
    pub(crate) to_send: Notify,
    /// Something is done.
    pub(crate) progress: Notify,
}

struct Job {
    batch: Arc<ClosedBatch>,
    /// Position in the journal of the entry that closed it.
    entry: u64,
    is_final: bool,
    unclaimed: Vec<AccountId>,
    sent_at: Option<Instant>,
}

/// The chain's count of receipts does not fit this gateway's batches.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "the chain counts receipts of this gateway up to {next_seq}, which is in the middle of the batch from \
     {first_seq} to {last_seq}: another gateway uses the same key; stop it, and see the README"
)]
pub(crate) struct OtherGateway {
    next_seq: Sequence,
    first_seq: Sequence,
    last_seq: Sequence,
}

impl Work {
    /// A batch whose journal entry is durable at `entry`.
    pub(crate) fn add(&self, batch: Arc<ClosedBatch>, entry: u64) {
        let unclaimed = batch.claims.iter().map(|(provider, _)| provider.clone()).collect();
        let job = Job { entry, is_final: false, unclaimed, sent_at: None, batch };
        self.jobs.lock().insert(job.batch.first_seq, job);
        self.to_send.notify_one();
    }

    /// Takes in a finalised block; returns the batches that it finalised, in order.
    pub(crate) fn finalise(&self, next_seq: Sequence) -> Result<Vec<Arc<ClosedBatch>>, OtherGateway> {
        let mut jobs = self.jobs.lock();
        let mut finalised = Vec::new();
        for job in jobs.values_mut().filter(|job| !job.is_final) {
            let (first_seq, last_seq) = (job.batch.first_seq, job.batch.last_seq);
            if next_seq <= first_seq {
                break;
            }
            if next_seq <= last_seq {
                return Err(OtherGateway { next_seq, first_seq, last_seq });
            }
            job.is_final = true;
            finalised.push(job.batch.clone());
        }
        drop(jobs);
        if !finalised.is_empty() {
            self.to_send.notify_one();
            self.progress.notify_one();
        }
        Ok(finalised)
    }

    /// The batches to hand in now, in order.
    pub(crate) fn due(&self, now: Instant) -> Vec<Arc<ClosedBatch>> {
        let jobs = self.jobs.lock();
        let open = jobs.values().filter(|job| !job.is_final).take(AHEAD_MAX);
        let due = open.filter(|job| job.sent_at.is_none_or(|sent| now.duration_since(sent) >= RESEND_AFTER));
        due.map(|job| job.batch.clone()).collect()
    }

    pub(crate) fn sent(&self, first_seq: Sequence, now: Instant) {
        if let Some(job) = self.jobs.lock().get_mut(&first_seq) {
            job.sent_at = Some(now);
        }
    }

    /// Puts a batch with other bytes in the place of one.
    pub(crate) fn replace(&self, batch: Arc<ClosedBatch>) {
        if let Some(job) = self.jobs.lock().get_mut(&batch.first_seq) {
            job.batch = batch;
            job.sent_at = None;
        }
    }

    /// Where the journal says that a batch was closed.
    pub(crate) fn entry_of(&self, first_seq: Sequence) -> Option<u64> {
        self.jobs.lock().get(&first_seq).map(|job| job.entry)
    }

    /// A provider has its claim, or will not get it.
    pub(crate) fn claimed(&self, first_seq: Sequence, provider: &AccountId) {
        if let Some(job) = self.jobs.lock().get_mut(&first_seq) {
            job.unclaimed.retain(|unclaimed| unclaimed != provider);
        }
        self.progress.notify_one();
    }

    /// Forgets the batches that are done; returns their first numbers.
    pub(crate) fn take_done(&self) -> Vec<Sequence> {
        let mut jobs = self.jobs.lock();
        let done: Vec<Sequence> = jobs
            .iter()
            .filter(|(_, job)| job.is_final && job.unclaimed.is_empty())
            .map(|(first_seq, _)| *first_seq)
            .collect();
        for first_seq in &done {
            jobs.remove(first_seq);
        }
        done
    }

    /// The oldest receipt and the oldest journal entry that are still needed.
    pub(crate) fn oldest(&self) -> Option<(Sequence, u64)> {
        let jobs = self.jobs.lock();
        let entry = jobs.values().map(|job| job.entry).min()?;
        Some((*jobs.keys().next()?, entry))
    }

    /// Batches that no finalised block has.
    pub(crate) fn ahead(&self) -> usize {
        self.jobs.lock().values().filter(|job| !job.is_final).count()
    }
}
