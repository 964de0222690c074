//! Showing waste: what `stipend-detectors` finds in the requests that were served here.
//!
//! A request that ended hands over its body, as it came, and its figures through a bounded channel; a thread of its own sketches the prompt
//! and asks the rules. Where the channel is full the request is not looked at, and counted as such: nobody waits for a detector.
//!
//! | module | job |
//! |---|---|
//! | `seen` | what is handed over of a request |
//! | `prompt` | messages and tool calls out of a body |
//! | `watcher` | the thread: sketches, rules, findings |
//! | `gate` | purposes, and requests that are slowed down |
//! | `book` | findings and appeals, in memory and in a file |
//! | `since` | since when wallets are known |

mod book;
mod gate;
mod prompt;
mod seen;
mod since;
#[cfg(test)]
mod tests;
mod watcher;

use std::{
    path::Path,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
};

use http::HeaderMap;
use stipend_detectors::Sketcher;
use stipend_openai::ApiError;
use stipend_primitives::{AccountId, Moment};
use tokio::sync::mpsc;

pub(crate) use book::{AppealError, Book, Entry, APPEAL_BYTES_MAX};
pub(crate) use gate::Purpose;
pub(crate) use seen::{ended, Peer, Source, Watch, Watched};

use crate::{config::WasteConfig, metrics::WasteMetrics};
use gate::Gate;
use seen::Seen;

/// Requests that wait to be looked at, and bytes of their bodies.
const QUEUE_MAX: usize = 1_024;
const QUEUE_BYTES_MAX: usize = 64 << 20;

/// The hot path's side of it.
pub(crate) struct Waste {
    queue: mpsc::Sender<Seen>,
    queued_bytes: Arc<AtomicUsize>,
    gate: Arc<Gate>,
    pub(crate) book: Arc<Book>,
    pub(crate) metrics: WasteMetrics,
    auditor: Option<[u8; 32]>,
}

impl Waste {
    /// Opens the files below `data_dir` and starts the thread, which ends when this is dropped.
    pub(crate) fn start(
        config: &WasteConfig,
        data_dir: &Path,
        metrics: WasteMetrics,
    ) -> std::io::Result<Self> {
        let dir = data_dir.join("waste");
        std::fs::create_dir_all(&dir)?;
        let book = Arc::new(Book::open(&dir.join("findings.jsonl"))?);
        let since = since::Since::open(&dir.join("wallets"))?;
        let sketcher = Sketcher::new(config.secret.secret());
        let gate = Arc::new(Gate::new(config, sketcher.clone()));
        let queued_bytes = Arc::<AtomicUsize>::default();
        let (queue, queued) = mpsc::channel(QUEUE_MAX);
        let watcher = watcher::Watcher::new(
            config,
            sketcher,
            since,
            watcher::Outlets {
                book: book.clone(),
                gate: gate.clone(),
                metrics: metrics.clone(),
                queued_bytes: queued_bytes.clone(),
            },
        );
        std::thread::Builder::new().name("waste".into()).spawn(move || watcher.run(queued))?;
        Ok(Waste { queue, queued_bytes, gate, book, metrics, auditor: config.auditor })
    }

    /// The purpose that a request names, and whether the request may go on.
    pub(crate) fn admit(
        &self,
        owner: &AccountId,
        headers: &HeaderMap,
        now_ms: Moment,
    ) -> Result<Option<Purpose>, ApiError> {
        let purpose = self.gate.purpose(owner, headers)?;
        self.gate.pass(owner, purpose.is_some(), now_ms).inspect_err(|_| self.metrics.held_back.inc())?;
        Ok(purpose)
    }

    /// Whether a token is the auditor's.
    pub(crate) fn is_auditor(&self, token: &str) -> bool {
        self.auditor.is_some_and(|hash| hash == crate::config::token_hash(token.as_bytes()))
    }

    /// Hands a request over to be looked at, if there is room.
    fn look(&self, seen: Seen) {
        let bytes = seen.body.len();
        let before = self.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes > QUEUE_BYTES_MAX || self.queue.try_send(seen).is_err() {
            self.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            self.metrics.not_looked_at.inc();
        }
    }
}
