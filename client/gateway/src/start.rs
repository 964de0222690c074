//! From a configuration and what an earlier run left on the disk to a running gateway.

use std::{path::Path, sync::Arc, time::Duration};

use stipend_primitives::{cost::PriceBook, Sequence};
use stipend_receipt_log::{Log, Options, Replay};
use tokio::{sync::mpsc, task::JoinSet, time::sleep};

use crate::{
    chain::{Chain, ChainError, Records},
    client::HttpClient,
    clock::now_ms,
    config::Config,
    follow::{FollowError, Follower},
    jobs::{self, Jobs},
    kept::Kept,
    metrics::Metrics,
    pipeline::{
        batcher::{Batcher, Recorded},
        claims::Claims,
        compose::{OpenBatch, Pen},
        submit::Submitter,
        work::Work,
    },
    receipt::Receipt,
    restore::{restore, Journalled, Known},
    server::Tls,
    state::{Parts, State},
    telemetry::Otlp,
    upstream::Upstreams,
    wallets::Wallets,
    waste::Waste,
};

/// Bytes of one file of receipts. A look-up reads one file, so they are small: some 40,000 receipts.
const SEGMENT_BYTES_MAX: usize = 8 << 20;

/// How long between two looks at a chain that is not ready.
const PATIENCE_STEP: Duration = Duration::from_secs(1);

/// Why a gateway does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A log cannot be opened.
    #[error(transparent)]
    Log(#[from] stipend_receipt_log::Error),
    /// The logs contradict themselves or each other.
    #[error("{0}")]
    Contradiction(String),
    /// The logs do not belong to what the chain says of this gateway.
    #[error(
        "the chain has receipts of this gateway up to {next_seq}, but the logs in data_dir end at {log_end}: \
         the folder is an old copy, or another gateway uses the same key. Stop the other one; if there is \
         none, move the folder away and start with an empty one"
    )]
    BehindChain {
        /// The chain's next number.
        next_seq: Sequence,
        /// The logs' next number.
        log_end: Sequence,
    },
    /// Finalised blocks do not fit the batches of this gateway.
    #[error("{0}")]
    OtherGateway(String),
    /// Something that the system must provide is missing.
    #[error("{0}")]
    System(String),
}

/// A gateway without its HTTP side: everything that turns requests into finalised batches.
pub(crate) struct Engine {
    pub(crate) state: Arc<State>,
    /// Aborted when the engine is dropped.
    pub(crate) tasks: JoinSet<()>,
}

/// Opens the logs, restores the state, starts the tasks.
pub(crate) async fn start<C: Chain>(config: &Config, chain: Arc<C>) -> Result<Engine, StartError> {
    let (journal, entries) = Log::open(config.data_dir.join("batches"), Options::default())?;
    let journalled = Journalled::read(entries)?;
    let (next_seq, books) = ready_chain(&*chain, journalled.final_before).await;
    let (recorded, recordings) = mpsc::unbounded_channel();
    let kept = Arc::new(Kept::new(config.receipts.clone(), journalled.relined.clone()));
    let (receipts, replay) = open_receipts(&config.data_dir, next_seq, recorded.clone(), kept.clone())?;
    let pen = Pen { signer: config.signer.clone(), genesis: chain.genesis() };
    let known = Known { next_seq, books: &books, pen: &pen, kept: &kept };
    let restored = restore(replay, &journalled, &known)?;
    let sources =
        Sources { receipts: receipts.clone(), kept: kept.clone(), records: chain.clone(), pen: pen.clone() };
    let jobs = config.jobs.as_ref().map(|jobs| Jobs::open(jobs, &config.data_dir)).transpose();
    let jobs = jobs.map_err(|error| StartError::System(format!("the jobs cannot be opened: {error}")))?;
    let (jobs, job_records) = jobs.unzip();
    let state = make_state(config, sources, jobs, &restored)?;
    let (state, wants) = (Arc::new(state.0), state.1);
    if let (Some(jobs), Some(records)) = (&state.jobs, job_records) {
        jobs.restore(&state, records);
    }
    state.keys.restore(restored.used_today);

    let work = Arc::new(Work::default());
    let mut claims = Claims::new(state.upstreams.clone(), work.clone());
    for resumed in restored.resumed {
        claims.post(&resumed.batch);
        work.add(resumed.batch, resumed.entry);
    }
    // What is finalised already is in the balances that the follower begins with.
    work.finalise(next_seq).map_err(|error| StartError::OtherGateway(error.to_string()))?;
    // Ahead of everything that is recorded from now on.
    for receipt in restored.open {
        drop(recorded.send(receipt));
    }
    drop(recorded);

    let follower = follow(chain.clone(), state.clone(), work.clone()).await?;
    let mut tasks = JoinSet::new();
    if let Some(jobs) = &state.jobs {
        jobs.restore_caps(&state);
        tasks.spawn(jobs::watch::run(state.clone()));
    }
    let receipts_max = config.batch.receipts_max;
    let batcher = Batcher {
        open: OpenBatch::new(restored.open_first, receipts_max),
        receipts_max,
        interval: config.batch.interval,
        pen: pen.clone(),
        receipts,
        kept: kept.clone(),
        journal: journal.clone(),
        last_entry: journalled.last_entry,
        work: work.clone(),
        claims,
        status: state.status.clone(),
    };
    let (prices, wallets, status) = (state.prices.clone(), state.wallets.clone(), state.status.clone());
    let submitter = Submitter { chain, work, journal, pen, prices, wallets, kept, status };
    state.upstreams.watch(&state.name);
    tasks.spawn(follower.run(wants));
    tasks.spawn(batcher.run(recordings));
    tasks.spawn(submitter.run());
    Ok(Engine { state, tasks })
}

/// Waits for a chain that has finalised at least what this gateway has seen finalised.
async fn ready_chain<C: Chain>(chain: &C, final_before: Sequence) -> (Sequence, Vec<PriceBook>) {
    loop {
        let asked: Result<_, ChainError> = async {
            let head = chain.head().await?;
            tokio::try_join!(chain.next_seq(head.hash), chain.books(head.hash))
        }
        .await;
        match asked {
            Ok((next_seq, books)) if next_seq >= final_before => return (next_seq, books),
            Ok((next_seq, _)) => tracing::warn!(
                next_seq,
                final_before,
                "the node is behind what this gateway has seen finalised; waiting for it"
            ),
            Err(error) => tracing::warn!(%error, "waiting for the node"),
        }
        sleep(PATIENCE_STEP).await;
    }
}

fn open_receipts(
    data_dir: &Path,
    next_seq: Sequence,
    recorded: mpsc::UnboundedSender<Recorded>,
    kept: Arc<Kept>,
) -> Result<(Log, Replay), StartError> {
    let options =
        Options { first_position: next_seq, segment_bytes_max: SEGMENT_BYTES_MAX, ..Options::default() };
    let opened = Log::open_with(data_dir.join("receipts"), options, move |seq, bytes| {
        // Before the caller has its answer: whoever knows a receipt's id can look it up.
        if let Some(receipt) = Receipt::from_bytes(&bytes) {
            kept.add(seq, &receipt, now_ms());
        }
        // The batcher is gone only when the gateway ends or is halted; the log keeps the receipt.
        drop(recorded.send((seq, bytes)));
    });
    Ok(opened?)
}

/// What requests leave behind, and who signs for it.
struct Sources {
    receipts: Log,
    kept: Arc<Kept>,
    records: Arc<dyn Records>,
    pen: Pen,
}

type Wants = mpsc::UnboundedReceiver<Arc<crate::wallet::Account>>;

fn make_state(
    config: &Config,
    sources: Sources,
    jobs: Option<Jobs>,
    restored: &crate::restore::Restored,
) -> Result<(State, Wants), StartError> {
    let wallets = Arc::new(Wallets::default());
    for ((owner, class), cost) in &restored.unfinalised {
        wallets.take(owner, *class, *cost);
    }
    let client = HttpClient::new()
        .map_err(|error| StartError::System(format!("cannot read the system's TLS certificates: {error}")))?;
    let upstreams = Upstreams::new(&config.upstreams, client).map_err(|error| {
        StartError::System(format!("a certificate of a `ca_file` cannot be used: {error}"))
    })?;
    let otlp = config.operate.otlp.as_ref().map(|otlp| Otlp::start(otlp, &config.signer.address()));
    let otlp = otlp
        .transpose()
        .map_err(|error| StartError::System(format!("cannot export to the collector in [otlp]: {error}")))?;
    let metrics = Metrics::new(otlp.as_ref())
        .map_err(|error| StartError::System(format!("cannot make the metrics: {error}")))?;
    metrics.know(&upstreams.set());
    let tls = config.operate.tls.as_ref().map(Tls::new).transpose();
    let tls = tls.map_err(|error| StartError::System(error.to_string()))?;
    let start = |waste| {
        let counters = metrics.of_waste().map_err(std::io::Error::other)?;
        Waste::start(waste, &config.data_dir, counters)
    };
    let waste = config.waste.as_ref().map(start).transpose();
    let waste = waste.map_err(|error| StartError::System(format!("cannot look for waste: {error}")))?;
    let (wanted, wants) = mpsc::unbounded_channel();
    let parts = Parts {
        limits: config.limits.clone(),
        tls,
        reservations: config.reservations.clone(),
        expiry_margin_ms: u64::try_from(config.expiry_margin().as_millis()).unwrap_or(u64::MAX),
        wallets,
        upstreams: Arc::new(upstreams),
        metrics,
        otlp,
        receipts: sources.receipts,
        kept: sources.kept,
        records: sources.records,
        wanted,
        pen: sources.pen,
        jobs,
        waste,
    };
    Ok((State::new(parts), wants))
}

async fn follow<C: Chain>(
    chain: Arc<C>,
    state: Arc<State>,
    work: Arc<Work>,
) -> Result<Follower<C>, StartError> {
    loop {
        let started = async {
            let at = chain.head().await?;
            Follower::start(chain.clone(), state.clone(), work.clone(), at).await
        };
        match started.await {
            Ok(follower) => return Ok(follower),
            Err(FollowError::OtherGateway(error)) => return Err(StartError::OtherGateway(error.to_string())),
            Err(FollowError::Chain(error)) => {
                tracing::warn!(%error, "cannot read the ledger yet");
                sleep(PATIENCE_STEP).await;
            }
        }
    }
}
