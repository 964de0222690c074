//! Looking after jobs: those that fail, are deleted, or take too long give back what is held for them.
//!
//! What is done follows from what is seen, not from what happened: a look that fails concludes nothing, and the next one sees
//! the same.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::sleep;

use super::{
    cluster::{ClusterJob, Phase},
    failure, manifest,
    record::Stage,
    Inner, Job, Jobs,
};
use crate::{clock::now_ms, state::State};

/// The longest pause between two looks at a cluster that does not answer.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// What the cluster has, by name; `None` where it could not be asked.
type Seen<'a> = Option<&'a HashMap<String, ClusterJob>>;

/// Runs until it is aborted.
pub(crate) async fn run(state: Arc<State>) {
    let Some(jobs) = &state.jobs else { return std::future::pending().await };
    let mut pause = Duration::ZERO;
    loop {
        pause = match round(&state, jobs).await {
            Ok(()) => jobs.config.poll,
            Err(wait) => wait.unwrap_or(pause * 2).clamp(jobs.config.poll, PAUSE_MAX.max(jobs.config.poll)),
        };
        sleep(pause).await;
    }
}

/// One look at everything. An error says how long the API server asks to be left alone.
async fn round(state: &State, jobs: &Jobs) -> Result<(), Option<Duration>> {
    let mut placed = Vec::new();
    for job in jobs.table.pending() {
        // One that is being changed, or comes to the cluster while that is asked, is for the next look.
        let attempts = match job.inner.try_lock() {
            Ok(inner) if inner.is_placed => inner.record.attempts.len(),
            _ => continue,
        };
        placed.push((job, attempts));
    }
    let listed = jobs.cluster.list_jobs(&manifest::label(&state.pen.signer.account())).await;
    let listed = listed.map(|listed| {
        listed.into_iter().map(|job| (job.metadata.name.clone(), job)).collect::<HashMap<_, _>>()
    });
    let seen = listed.as_ref().ok();
    for (job, attempts) in &placed {
        let mut inner = job.lock().await;
        look(state, jobs, job, &mut inner, *attempts, seen).await;
    }
    for id in jobs.table.forget(&jobs.config, now_ms()) {
        jobs.store.remove(&id).await;
    }
    if let Some(seen) = seen {
        sweep(state, jobs, seen).await;
    }
    listed.map(drop).map_err(|error| {
        state.metrics.cluster_failed();
        tracing::warn!(%error, "the cluster cannot be asked for its Jobs");
        error.retry_after()
    })
}

/// Looks at one job. `attempts`: how many there were before the cluster was asked.
async fn look(
    state: &State,
    jobs: &Jobs,
    job: &Arc<Job>,
    inner: &mut Inner,
    attempts: usize,
    seen: Seen<'_>,
) {
    if let Stage::Answered(_) = inner.record.stage {
        // Of an earlier run: the log is asked whether it has the receipt.
        if let Err(error) = jobs.settle(state, job, inner).await {
            tracing::warn!(job = %job.id, why = %error.error.message, "a job's receipt has to wait");
        }
        return;
    }
    if inner.record.stage != Stage::Pending {
        return;
    }
    let now = now_ms();
    let error = if now >= inner.record.deadline_at_ms {
        Some(failure("deadline_exceeded", "The job did not report by its deadline. Nothing was charged."))
    } else if !inner.is_covered(now) {
        Some(failure(
            "reservation_ended",
            "The reservation that the job's credits were held against ended and could not be extended. Nothing was \
             charged; submit the job again.",
        ))
    } else if !inner.is_begun() {
        inner.not_to_begin(state, now)
    } else {
        None
    };
    if let Some(error) = error {
        return jobs.fail(state, job, inner, error).await;
    }
    let Some(seen) = seen else { return };
    match seen.get(&manifest::name(&job.id)).map(ClusterJob::phase) {
        None => lost(state, jobs, job, inner, "The job's Job was deleted from the cluster.").await,
        Some(Phase::Failed(why)) => {
            lost(state, jobs, job, inner, &format!("The cluster gave the job up ({why}).")).await;
        }
        Some(Phase::Complete) => lost(state, jobs, job, inner, "The job ended without a report.").await,
        Some(phase) if inner.record.attempts.len() == attempts => {
            inner.is_suspended = phase == Phase::Suspended;
            if inner.is_suspended && inner.record.is_cancelled {
                jobs.end(state, job, inner, Stage::Cancelled(now)).await;
            }
            job.show(inner);
        }
        Some(_) => {}
    }
}

/// No runner of the job will report.
async fn lost(state: &State, jobs: &Jobs, job: &Arc<Job>, inner: &mut Inner, why: &str) {
    if inner.record.is_cancelled {
        return jobs.end(state, job, inner, Stage::Cancelled(now_ms())).await;
    }
    jobs.fail(
        state,
        job,
        inner,
        failure("job_failed", format!("{why} Nothing was charged; submit it again.")),
    )
    .await;
}

/// Deletes Jobs that nobody waits for: of jobs that are over, or that this gateway does not know any more.
async fn sweep(state: &State, jobs: &Jobs, seen: &HashMap<String, ClusterJob>) {
    let wanted: HashSet<String> = jobs.table.pending().iter().map(|job| manifest::name(&job.id)).collect();
    for name in seen.keys().filter(|name| !wanted.contains(*name)) {
        if let Err(error) = jobs.cluster.delete_job(name).await {
            state.metrics.cluster_failed();
            tracing::warn!(%error, name, "a Job that nobody waits for cannot be deleted yet");
        }
    }
}

impl Inner {
    /// Whether a receipt that is made now is on the chain before the reservation ends.
    fn is_covered(&self, now_ms: u64) -> bool {
        let Some(admitted) = &self.admitted else { return true };
        admitted.base.amount() == 0 || admitted.base.account().takes_requests(now_ms)
    }
}
