//! The service: webhooks and receipts come in, merges are judged when they were held for long enough, and the ledger is
//! told.

mod answer;
mod health;
mod metrics;
mod webhook;

use std::{
    future::{Future, IntoFuture},
    io,
    net::SocketAddr,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};

use axum::{
    routing::{get, post},
    Router,
};
use parking_lot::Mutex;
use tokio::{net::TcpListener, sync::Semaphore, task::JoinHandle};

use crate::{
    clock::now_ms,
    config::Config,
    ledger::Ledger,
    sender::{self, Step, Turn},
    store::{Judged, Store, StoreError},
};
use metrics::Metrics;

/// Time between two looks for merges that were held for long enough.
const JUDGE_EVERY: Duration = Duration::from_secs(1);

/// Time that requests get to end when the service stops.
const STOP_MAX: Duration = Duration::from_secs(20);

/// What all tasks share.
struct App {
    config: Config,
    store: Arc<Mutex<Store>>,
    metrics: Metrics,
    places: Semaphore,
    is_ledger_up: AtomicBool,
    has_ledger: bool,
}

/// Why the service does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be listened on, or the folder not be used.
    #[error("cannot serve: {0}")]
    Io(#[from] io::Error),
    /// Another program sends from this journal.
    #[error("another program sends from this folder already; run one `serve` per `data_dir`")]
    Busy,
}

/// Serves until `stop` resolves; `listening` is told the address. Without a ledger, outcomes wait in the journal.
pub async fn serve<L: Ledger + 'static>(
    config: Config,
    ledger: Option<L>,
    stop: impl Future<Output = ()> + Send + 'static,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), StartError> {
    let store = Arc::new(Mutex::new(Store::open(&config.data_dir, config.genesis)?));
    let _turn = Turn::take(&config.data_dir)?.ok_or(StartError::Busy)?;
    let listener = TcpListener::bind(config.listen).await?;
    let app = Arc::new(App {
        places: Semaphore::new(config.limits.requests_max),
        store,
        metrics: Metrics::new(),
        is_ledger_up: AtomicBool::new(true),
        has_ledger: ledger.is_some(),
        config,
    });
    if ledger.is_none() {
        tracing::warn!("no ledger is configured: outcomes wait in the journal");
    }
    let mut tasks = vec![tokio::spawn(judge_due(app.clone()))];
    tasks.extend(ledger.map(|ledger| tokio::spawn(send(app.clone(), ledger))));
    listening(listener.local_addr()?);
    let (ending, ended) = tokio::sync::oneshot::channel();
    let stop = async move {
        stop.await;
        // Whoever waits for it is gone only when the service is.
        let _ = ending.send(());
    };
    let server = axum::serve(listener, router(app)).with_graceful_shutdown(stop).into_future();
    let late = async {
        let _ = ended.await;
        tokio::time::sleep(STOP_MAX).await;
    };
    let done = tokio::select! {
        done = server => done,
        () = late => {
            tracing::warn!("requests are cut off: they took too long to end; their senders try again");
            Ok(())
        }
    };
    // What they do is in transactions, and what they were about to do is in the journal.
    tasks.iter().for_each(JoinHandle::abort);
    Ok(done?)
}

fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/webhooks/{forge}", post(webhook::take))
        .route("/v1/receipts", post(webhook::hand_in))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(health::metrics))
        .fallback(|| async { answer::refuse(404, "unknown_path", "There is no such path here.") })
        .with_state(app)
}

async fn judge_due(app: Arc<App>) {
    loop {
        let (rule, receipts_max) = (app.config.merge.clone(), app.config.limits.receipts_max);
        let judged =
            sender::blocking(&app.store, move |store| store.judge_due(&rule, receipts_max, now_ms())).await;
        match judged {
            Ok(Some(judged)) => {
                match &judged {
                    Judged::Awarded(awarded) => match &awarded.nothing {
                        None => tracing::info!(subject = awarded.subject, report = %awarded.report, "earned"),
                        Some(why) => tracing::info!(subject = awarded.subject, why, "earned nothing"),
                    },
                    Judged::Reverted(what) => tracing::info!(what, "reverted before it earned anything"),
                }
                app.metrics.judged(&judged);
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "no merge can be judged"),
        }
        tokio::time::sleep(JUDGE_EVERY).await;
    }
}

async fn send<L: Ledger>(app: Arc<App>, ledger: L) {
    let retry = Duration::from_millis(app.config.limits.retry_ms);
    let (store, of_steps) = (app.store.clone(), app.clone());
    sender::run(store, ledger, retry, move |step| {
        of_steps.metrics.step(step);
        // Nothing to send says nothing about the ledger.
        if *step != Step::Idle {
            of_steps.is_ledger_up.store(!matches!(step, Step::Unavailable(_)), Ordering::Relaxed);
        }
    })
    .await;
}
