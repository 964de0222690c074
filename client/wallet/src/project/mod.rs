//! The projection: finalised blocks into tables, one transaction a block.
//!
//! The height and everything that follows from the block commit together, so that a kill anywhere leaves
//! the tables as of one block. Only finalised blocks are written: no fork leaves a trace. What is written
//! depends on the chain alone, so that tables built anew are the same.

mod accounts;
mod apply;
mod batches;
mod days;
mod ledger;
mod programs;
mod settlements;

use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures::{StreamExt, TryStreamExt};
use stipend_primitives::BlockNumber;

use crate::{
    chain::{Block, BlockRef, Source, SourceError},
    db::{self, Connection, DbError, Place},
};

pub use accounts::account_of;
pub(crate) use accounts::EVERYBODY;

/// Blocks read ahead of the one that is written.
const AHEAD: usize = 16;

/// Pause between two looks at the newest finalised block.
const LISTEN_PAUSE: Duration = Duration::from_secs(2);

/// Pause after the chain could not be asked.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Why a block could not be taken in.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The chain gave no answer.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The database refused.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A block does not fit what is known.
    #[error("block {0} does not fit the tables: {1}; build them anew with `stipend-wallet rebuild`")]
    Misfit(BlockNumber, String),
}

/// How far the projection is, for everybody who asks.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    /// Height plus one; 0 before the first block.
    written: AtomicU64,
    /// Height plus one of the newest finalised block.
    finalised: AtomicU64,
    /// Unix time in ms at which the newest finalised block was asked for.
    asked_ms: AtomicU64,
    receipts: AtomicU64,
}

impl Progress {
    /// The newest block in the tables.
    pub fn written(&self) -> Option<BlockNumber> {
        height(self.0.written.load(Ordering::Relaxed))
    }

    /// The newest finalised block that the node named.
    pub fn finalised(&self) -> Option<BlockNumber> {
        height(self.0.finalised.load(Ordering::Relaxed))
    }

    /// Finalised blocks that are not in the tables yet; `None` before the node has named any.
    pub fn behind(&self) -> Option<u64> {
        let finalised = self.0.finalised.load(Ordering::Relaxed);
        (finalised > 0).then(|| finalised.saturating_sub(self.0.written.load(Ordering::Relaxed)))
    }

    /// Milliseconds since the node last answered.
    pub fn silent_ms(&self) -> u64 {
        now_ms().saturating_sub(self.0.asked_ms.load(Ordering::Relaxed))
    }

    /// Receipts written since the start.
    pub fn receipts(&self) -> u64 {
        self.0.receipts.load(Ordering::Relaxed)
    }

    fn wrote(&self, number: BlockNumber, receipts: u64) {
        self.0.written.store(u64::from(number) + 1, Ordering::Relaxed);
        self.0.receipts.fetch_add(receipts, Ordering::Relaxed);
    }

    fn heard(&self, head: BlockNumber) {
        self.0.finalised.fetch_max(u64::from(head) + 1, Ordering::Relaxed);
        self.0.asked_ms.store(now_ms(), Ordering::Relaxed);
    }
}

fn height(stored: u64) -> Option<BlockNumber> {
    stored.checked_sub(1).and_then(|number| BlockNumber::try_from(number).ok())
}

/// Unix time in ms.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The newest block in the tables.
pub fn head(connection: &mut dyn Connection) -> Result<Option<BlockRef>, DbError> {
    let rows = connection.query("SELECT height, hash FROM blocks ORDER BY height DESC LIMIT 1", &[])?;
    rows.first().map(|row| Ok(BlockRef { number: row.small(0)?, hash: row.hash(1)?.into() })).transpose()
}

/// Writes what finalised blocks say.
pub struct Projector<S> {
    source: Arc<S>,
    connection: Option<Box<dyn Connection>>,
    place: Place,
    progress: Progress,
}

impl<S: Source> Projector<S> {
    /// Opens the tables and makes them where there are none.
    pub fn open(source: Arc<S>, place: Place) -> Result<Self, ProjectError> {
        let mut connection = place.open()?;
        db::prepare(&mut *connection, &format!("{:?}", source.genesis()))?;
        let progress = Progress::default();
        let head = head(&mut *connection)?.map(|head| head.number);
        if let Some(number) = head {
            progress.wrote(number, 0);
        }
        Ok(Projector { source, connection: Some(connection), place, progress })
    }

    /// How far it is, also while it runs.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Follows the chain until it is aborted, through every trouble with node and database.
    pub async fn run(mut self) {
        let listening = listen(self.source.clone(), self.progress());
        let following = async {
            loop {
                if let Err(error) = self.follow(None).await {
                    tracing::warn!(%error, "cannot follow the chain; trying again");
                }
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        };
        tokio::join!(listening, following);
    }

    /// Takes in all blocks up to `until`, or up to the newest finalised one; returns that height.
    pub async fn catch_up(&mut self, until: Option<BlockNumber>) -> Result<BlockNumber, ProjectError> {
        let head = match until {
            Some(until) => until,
            None => self.source.finalised().await?.number,
        };
        self.follow(Some(head)).await?;
        Ok(head)
    }

    async fn follow(&mut self, until: Option<BlockNumber>) -> Result<(), ProjectError> {
        let (connection, place) = (self.connection.take(), self.place.clone());
        let (mut connection, known) = blocking(move || {
            let mut connection = match connection {
                Some(connection) => connection,
                None => place.open()?,
            };
            // Before the question how far the tables are: whoever wrote until now has ended then.
            db::lead(&mut *connection)?;
            let known = head(&mut *connection)?;
            Ok((connection, known))
        })
        .await?;
        self.progress.heard(self.source.finalised().await?.number);
        if known.zip(until).is_some_and(|(known, until)| known.number >= until) {
            self.connection = Some(connection);
            return Ok(());
        }
        let source = self.source.clone();
        let blocks = self.source.blocks(known.map(|head| head.number));
        let read = |at: BlockRef| {
            let source = source.clone();
            async move { source.block(at).await }
        };
        let mut blocks = Box::pin(blocks.map_ok(read).try_buffered(AHEAD));
        while let Some(block) = blocks.next().await {
            let block = block?;
            let number = block.at.number;
            connection = take(&*self.source, &self.progress, connection, block).await?;
            if until.is_some_and(|until| number >= until) {
                break;
            }
        }
        self.connection = Some(connection);
        Ok(())
    }
}

/// Asks now and then for the newest finalised block, so that it is known how far the tables are behind.
async fn listen<S: Source>(source: Arc<S>, progress: Progress) {
    loop {
        if let Ok(head) = source.finalised().await {
            progress.heard(head.number);
        }
        tokio::time::sleep(LISTEN_PAUSE).await;
    }
}

/// Takes one block in. A connection that failed is dropped, and what it had begun with it.
async fn take<S: Source>(
    source: &S,
    progress: &Progress,
    mut connection: Box<dyn Connection>,
    block: Block,
) -> Result<Box<dyn Connection>, ProjectError> {
    let number = block.at.number;
    progress.heard(number);
    // Reading what is wanted and writing what follows happen on a thread that may block.
    let (mut connection, block, wanted) = blocking(move || {
        let wanted = apply::wanted(&mut *connection, &block)?;
        Ok::<_, ProjectError>((connection, block, wanted))
    })
    .await?;
    let state = source.state(block.at, wanted).await?;
    let (connection, receipts) = blocking(move || {
        let receipts =
            db::transaction(&mut *connection, |connection| apply::apply(connection, &block, &state))?;
        Ok::<_, ProjectError>((connection, receipts))
    })
    .await?;
    progress.wrote(number, receipts);
    Ok(connection)
}

async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, ProjectError> + Send + 'static,
) -> Result<R, ProjectError> {
    let gone = |_| SourceError("the thread that writes ended".into());
    tokio::task::spawn_blocking(work).await.map_err(gone)?
}
