//! From an admitted request to a Job that waits in the cluster.

use std::{future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use stipend_openai::{ApiError, RequestView};
use stipend_primitives::{AccountId, KeyHash};
use tokio::time::sleep;
use tracing::Instrument;

use super::{
    cluster::ClusterError,
    manifest,
    record::{JobId, Record, Stage},
    token, Job, Jobs,
};
use crate::{admission::Admitted, clock::now_ms, state::State};

/// How often a call that may succeed in a moment is made.
const TRIES_MAX: u32 = 3;

/// Pause before it is made again, the first time; doubled each time.
const PAUSE: Duration = Duration::from_millis(200);

/// The longest pause while a caller waits.
const PAUSE_MAX: Duration = Duration::from_secs(3);

/// Seconds after which an API server that failed may be back.
const RETRY_S: u32 = 10;

/// Who submits, and for how long.
pub(crate) struct Submission {
    pub(crate) owner: AccountId,
    pub(crate) key: KeyHash,
    /// From now to the moment at which it must have reported.
    pub(crate) deadline: Duration,
}

/// Puts a job down and hands it to the cluster. Goes on if the caller leaves meanwhile.
pub(crate) async fn submit(
    state: &Arc<State>,
    submission: Submission,
    view: &RequestView<'_>,
    admitted: Admitted,
) -> Result<Arc<Job>, ApiError> {
    let jobs = state.jobs.as_ref().ok_or_else(ApiError::internal)?;
    let record = record(submission, view, &admitted);
    let class_name = state.prices.load().class_name(record.entry.class);
    let job = Arc::new(Job::new(record, Some(admitted), false));
    jobs.table.add(&job, &jobs.config)?;
    let (state, body) = (state.clone(), Bytes::copy_from_slice(view.body));
    let placed = tokio::spawn(place(state, job, body, class_name).in_current_span());
    placed.await.unwrap_or_else(|_| Err(ApiError::internal()))
}

fn record(submission: Submission, view: &RequestView<'_>, admitted: &Admitted) -> Record {
    let Submission { owner, key, deadline } = submission;
    let now = now_ms();
    Record {
        id: JobId::new(),
        owner,
        key,
        endpoint: view.endpoint,
        model: view.model.to_string(),
        request_sha256: Sha256::digest(view.body).into(),
        created_at_ms: now,
        deadline_at_ms: now.saturating_add(u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX)),
        book: admitted.quote.book,
        entry: admitted.quote.entry.clone(),
        bound: admitted.bound,
        max_tokens: admitted.max_tokens,
        held: admitted.base.amount(),
        attempts: Vec::new(),
        is_cancelled: false,
        stage: Stage::Pending,
    }
}

async fn place(
    state: Arc<State>,
    job: Arc<Job>,
    body: Bytes,
    class_name: String,
) -> Result<Arc<Job>, ApiError> {
    let jobs = state.jobs.as_ref().ok_or_else(ApiError::internal)?;
    let mut inner = job.lock().await;
    // The disk first: what runs in the cluster must be known after a crash.
    let placed = match jobs.store.begin(&inner.record, body).await {
        Ok(()) => create(&state, jobs, &job.id, &class_name).await.map_err(|error| {
            state.metrics.cluster_failed();
            tracing::error!(%error, job = %job.id, "a job cannot be handed to the cluster");
        }),
        Err(error) => {
            tracing::error!(%error, job = %job.id, "a job cannot be written to the disk");
            Err(())
        }
    };
    if placed.is_err() {
        inner.admitted = None;
        jobs.table.remove(&job);
        jobs.store.remove(&job.id).await;
        return Err(not_placed());
    }
    inner.is_placed = true;
    tracing::info!(job = %job.id, "a job waits in the cluster");
    drop(inner);
    Ok(job)
}

fn not_placed() -> ApiError {
    ApiError::unavailable(
        "The job could not be handed to the cluster, so it does not run and nothing is charged. Try again later; if \
         it stays, tell the gateway's operator: its log has the reason.",
    )
    .with_retry_after(RETRY_S)
}

/// Creates the Job, and then the Secret that the Job owns: the cluster removes both together. The Job waits for its
/// Secret, should Kueue be fast.
async fn create(state: &State, jobs: &Jobs, id: &JobId, class_name: &str) -> Result<(), ClusterError> {
    let gateway = state.pen.signer.account();
    let (config, cluster) = (&jobs.config, &jobs.cluster);
    let job = manifest::job(config, &gateway, id, class_name);
    let created = async {
        let uid = patiently(|| cluster.create_job(&job)).await?.metadata.uid;
        let secret = manifest::secret(config, &gateway, id, &uid, &token::of(&state.secret, id));
        patiently(|| cluster.create_secret(&secret)).await
    };
    let created = created.await;
    if created.is_err() {
        // The Job may be there although the answer says otherwise. What stays is found by the next look at the cluster.
        if let Err(error) = cluster.delete_job(&manifest::name(id)).await {
            tracing::debug!(%error, job = %id, "a Job that was not wanted cannot be deleted yet");
        }
    }
    created
}

/// Makes a call again where that may help.
async fn patiently<T, F>(call: impl Fn() -> F) -> Result<T, ClusterError>
where
    F: Future<Output = Result<T, ClusterError>>,
{
    let mut pause = PAUSE;
    for _ in 1..TRIES_MAX {
        match call().await {
            Err(error) if error.is_passing() => {
                sleep(error.retry_after().unwrap_or(pause).min(PAUSE_MAX)).await;
                pause *= 2;
            }
            done => return done,
        }
    }
    call().await
}
