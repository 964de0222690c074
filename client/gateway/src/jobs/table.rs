//! Which jobs there are, and for how long those that are over can be looked at.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use stipend_openai::ApiError;
use stipend_primitives::{AccountId, Moment};

use super::{record::JobId, Job};
use crate::config::JobsConfig;

/// Seconds after which some of a full table's jobs may be over.
const RETRY_S: u32 = 30;

/// All jobs, in memory.
#[derive(Default)]
pub(super) struct Table(Mutex<Rows>);

#[derive(Default)]
struct Rows {
    jobs: HashMap<JobId, Arc<Job>>,
    /// Jobs that are not over, by wallet.
    pending: HashMap<AccountId, usize>,
    pending_count: usize,
    /// The others, the oldest first.
    over: VecDeque<Over>,
    kept_bytes: u64,
}

struct Over {
    id: JobId,
    bytes: u64,
    at_ms: Moment,
}

impl Table {
    pub(super) fn find(&self, id: &JobId) -> Option<Arc<Job>> {
        self.0.lock().jobs.get(id).cloned()
    }

    pub(super) fn for_each(&self, look: impl FnMut(&Arc<Job>)) {
        self.0.lock().jobs.values().for_each(look);
    }

    /// Takes in a new job, if there is room for it.
    pub(super) fn add(&self, job: &Arc<Job>, config: &JobsConfig) -> Result<(), ApiError> {
        let mut rows = self.0.lock();
        if rows.pending_count >= config.pending_max {
            return Err(full("The gateway has as many jobs waiting as it takes"));
        }
        if rows.pending.get(&job.owner).is_some_and(|count| *count >= config.pending_per_wallet_max) {
            return Err(full("This wallet has as many jobs waiting as it may"));
        }
        rows.insert(job);
        Ok(())
    }

    /// Takes in a job of an earlier run.
    pub(super) fn restore(&self, job: &Arc<Job>) {
        self.0.lock().insert(job);
    }

    /// A job never came to be.
    pub(super) fn remove(&self, job: &Job) {
        let mut rows = self.0.lock();
        rows.jobs.remove(&job.id);
        rows.no_longer_pending(&job.owner);
    }

    /// A job is over.
    pub(super) fn is_over(&self, job: &Job, bytes: u64, at_ms: Moment) {
        let mut rows = self.0.lock();
        rows.no_longer_pending(&job.owner);
        rows.kept_bytes += bytes;
        rows.over.push_back(Over { id: job.id, bytes, at_ms });
    }

    /// Jobs that are not over.
    pub(super) fn pending(&self) -> Vec<Arc<Job>> {
        let rows = self.0.lock();
        let over: HashSet<JobId> = rows.over.iter().map(|over| over.id).collect();
        rows.jobs.values().filter(|job| !over.contains(&job.id)).cloned().collect()
    }

    /// Forgets the jobs that are over for too long, or are too many; returns them.
    pub(super) fn forget(&self, config: &JobsConfig, now_ms: Moment) -> Vec<JobId> {
        let mut rows = self.0.lock();
        let mut forgotten = Vec::new();
        while let Some(oldest) = rows.over.front() {
            let age = Duration::from_millis(now_ms.saturating_sub(oldest.at_ms));
            let is_much = rows.over.len() > config.keep_max || rows.kept_bytes > config.keep_bytes_max;
            if age < config.keep && !is_much {
                break;
            }
            let (id, bytes) = (oldest.id, oldest.bytes);
            rows.over.pop_front();
            rows.kept_bytes = rows.kept_bytes.saturating_sub(bytes);
            rows.jobs.remove(&id);
            forgotten.push(id);
        }
        forgotten
    }
}

impl Rows {
    fn insert(&mut self, job: &Arc<Job>) {
        self.jobs.insert(job.id, job.clone());
        *self.pending.entry(job.owner.clone()).or_default() += 1;
        self.pending_count += 1;
    }

    fn no_longer_pending(&mut self, owner: &AccountId) {
        self.pending_count = self.pending_count.saturating_sub(1);
        if let Some(count) = self.pending.get_mut(owner) {
            *count -= 1;
            if *count == 0 {
                self.pending.remove(owner);
            }
        }
    }
}

fn full(why: &str) -> ApiError {
    ApiError::new(
        429,
        "rate_limit_error",
        "too_many_jobs",
        format!("{why}. Try again when some are over, or cancel one."),
    )
    .with_retry_after(RETRY_S)
}
