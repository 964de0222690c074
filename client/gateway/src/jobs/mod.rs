//! Batch work: requests that wait in a Kubernetes cluster for their turn, which Kueue gives them.
//!
//! A job is one request whose answer nobody waits for. Its credits are held as a live request's are; then a suspended Job is
//! created, and when Kueue resumes it, its runner asks this gateway what to do ([`run::begin`]), sends the request to a
//! provider's attestor, and reports the answer ([`run::report`]), which is metered and becomes a receipt.
//!
//! | module | job |
//! |---|---|
//! | `record`, `store` | what is known of a job, on the disk before anybody is told |
//! | `manifest`, `cluster` | the Job in the cluster, and the API server |
//! | `submit` | from an admitted request to a Job that waits |
//! | `run`, `order` | a runner begins, what it is told, and what becomes of its report |
//! | `watch` | jobs that fail, are deleted, or take too long |
//! | `restore` | going on after a restart |
//! | `token` | who may report |
//! | `runner` | the program that runs in the Job |

mod cluster;
mod manifest;
mod order;
pub(crate) mod record;
mod restore;
pub(crate) mod run;
pub(crate) mod runner;
mod store;
pub(crate) mod submit;
mod table;
pub(crate) mod token;
pub(crate) mod watch;

#[cfg(test)]
mod tests;

use std::sync::{
    atomic::{AtomicU8, Ordering},
    Arc,
};

use stipend_openai::{error::ErrorObject, ApiError};
use stipend_primitives::AccountId;
use tokio::sync::Mutex;

use crate::{admission::Admitted, clock::now_ms, config::JobsConfig, state::State};
use cluster::Cluster;
use record::{Failure, JobId, Record, Stage};
use store::Store;
use table::Table;

/// Under which path callers and runners find a job.
pub(crate) const PATH: &str = "/v1/jobs/";

/// All jobs of this gateway.
pub(crate) struct Jobs {
    pub(crate) config: JobsConfig,
    cluster: Arc<Cluster>,
    pub(crate) store: Store,
    table: Table,
}

/// One job.
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) owner: AccountId,
    /// A [`JobState`], for those who only look.
    state: AtomicU8,
    /// One change at a time, each on the disk before the next begins.
    inner: Mutex<Inner>,
}

pub(crate) struct Inner {
    pub(crate) record: Record,
    /// What is held for it, until it is charged or comes to nothing.
    admitted: Option<Admitted>,
    /// Whether the cluster has had it: if it lacks it then, somebody deleted it.
    is_placed: bool,
    /// Whether the cluster said last that nothing of it runs.
    is_suspended: bool,
}

/// What a caller is told of how far its job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobState {
    /// It has not begun, or Kueue took its place back.
    Queued,
    /// A runner has it.
    Running,
    /// It was cancelled while it ran: it is charged once the runner reports.
    Cancelling,
    Done,
    Failed,
    Cancelled,
}

impl JobState {
    pub(crate) const ALL: [JobState; 6] = [
        JobState::Queued,
        JobState::Running,
        JobState::Cancelling,
        JobState::Done,
        JobState::Failed,
        JobState::Cancelled,
    ];

    /// The name in answers and metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Running => "running",
            JobState::Cancelling => "cancelling",
            JobState::Done => "done",
            JobState::Failed => "failed",
            JobState::Cancelled => "cancelled",
        }
    }
}

impl Inner {
    /// Whether a runner has begun whose place was not taken back.
    fn is_begun(&self) -> bool {
        !self.record.attempts.is_empty() && !self.is_suspended
    }

    pub(crate) fn state(&self) -> JobState {
        match &self.record.stage {
            Stage::Pending if self.record.is_cancelled => JobState::Cancelling,
            Stage::Pending if self.is_begun() => JobState::Running,
            Stage::Pending => JobState::Queued,
            Stage::Answered(_) => JobState::Running,
            Stage::Done(_) if self.record.is_cancelled => JobState::Cancelled,
            Stage::Done(_) => JobState::Done,
            Stage::Failed(_) => JobState::Failed,
            Stage::Cancelled(_) => JobState::Cancelled,
        }
    }
}

impl Job {
    fn new(record: Record, admitted: Option<Admitted>, is_placed: bool) -> Self {
        let inner = Inner { record, admitted, is_placed, is_suspended: false };
        Job {
            id: inner.record.id,
            owner: inner.record.owner.clone(),
            state: AtomicU8::new(inner.state() as u8),
            inner: Mutex::new(inner),
        }
    }

    /// Waits until nobody else changes the job.
    pub(crate) async fn lock(&self) -> tokio::sync::MutexGuard<'_, Inner> {
        self.inner.lock().await
    }

    fn show(&self, inner: &Inner) {
        self.state.store(inner.state() as u8, Ordering::Relaxed);
    }
}

impl Jobs {
    /// A job that is known.
    pub(crate) fn find(&self, id: &JobId) -> Option<Arc<Job>> {
        self.table.find(id)
    }

    /// How many jobs are in each state.
    pub(crate) fn counts(&self) -> [(JobState, i64); JobState::ALL.len()] {
        let mut counts = JobState::ALL.map(|state| (state, 0));
        self.table.for_each(|job| counts[usize::from(job.state.load(Ordering::Relaxed))].1 += 1);
        counts
    }

    /// The caller wants the job no more. What a provider does for it already is charged when it is reported, as it is where the
    /// caller of a live request leaves.
    pub(crate) async fn cancel(&self, state: &State, job: &Job, inner: &mut Inner) {
        if inner.record.stage != Stage::Pending || inner.record.is_cancelled {
            return;
        }
        if inner.is_begun() {
            inner.record.is_cancelled = true;
            self.put(&inner.record).await;
            job.show(inner);
        } else {
            self.end(state, job, inner, Stage::Cancelled(now_ms())).await;
        }
    }

    /// The job comes to nothing: what was held is free again, nothing is charged.
    async fn fail(&self, state: &State, job: &Job, inner: &mut Inner, error: ErrorObject) {
        tracing::warn!(job = %job.id, why = %error.message, "a job failed; nothing is charged");
        self.end(state, job, inner, Stage::Failed(Failure { error, at_ms: now_ms() })).await;
    }

    /// The job is over.
    async fn end(&self, state: &State, job: &Job, inner: &mut Inner, stage: Stage) {
        inner.record.stage = stage;
        inner.admitted = None;
        self.put(&inner.record).await;
        self.store.drop_request(&job.id).await;
        if inner.record.kept_bytes() == 0 {
            self.store.drop_answer(&job.id).await;
        }
        job.show(inner);
        state.metrics.jobs_ended(inner.state());
        self.table.is_over(job, inner.record.kept_bytes(), inner.record.ended_at_ms().unwrap_or_default());
        let (cluster, name) = (self.cluster.clone(), manifest::name(&job.id));
        // Should this fail, the next look at the cluster finds a Job that nobody waits for.
        tokio::spawn(async move {
            if let Err(error) = cluster.delete_job(&name).await {
                tracing::warn!(%error, name, "a Job that is over cannot be deleted yet");
            }
        });
    }

    /// Writes a record. Where that fails the gateway goes on with what it knows: a restart would find an earlier stage, from which it
    /// comes to the same end.
    async fn put(&self, record: &Record) {
        if let Err(error) = self.store.put(record).await {
            tracing::error!(%error, job = %record.id, "a job's record cannot be written");
        }
    }
}

/// Why a job came to nothing, for its caller.
fn failure(code: &'static str, message: impl Into<String>) -> ErrorObject {
    ApiError::new(500, "api_error", code, message.into()).error
}
