//! The handle that callers hold.

use std::{
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc, OnceLock,
    },
    thread::JoinHandle,
};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::{lookup, recover, replay::Replay, writer::Writer, Error};

/// Limits of a log. Every field has a sensible default.
#[derive(Clone, Debug)]
pub struct Options {
    /// Position of the first record of a log that is new; later openings find their own.
    pub first_position: u64,
    /// Bytes at which a segment file is closed and the next one begun: the grain of pruning.
    pub segment_bytes_max: usize,
    /// Bytes that one record may have.
    pub record_bytes_max: usize,
    /// Bytes of records that are made durable by one sync.
    pub commit_bytes_max: usize,
    /// Appends that may wait for the writer; more wait for their turn before that.
    pub queue_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            first_position: 0,
            segment_bytes_max: 64 << 20,
            record_bytes_max: 1 << 20,
            commit_bytes_max: 4 << 20,
            queue_max: 65_536,
        }
    }
}

/// What the writer is asked to do.
pub(crate) enum Command {
    Append { record: Bytes, reply: oneshot::Sender<Result<u64, Error>> },
    Prune { before: u64, reply: oneshot::Sender<Result<u64, Error>> },
}

/// What writer and handles share.
#[derive(Default)]
pub(crate) struct Shared {
    /// Position that the next record gets, counting durable records only.
    pub(crate) next_position: AtomicU64,
    /// Why the log takes no more records.
    pub(crate) failure: OnceLock<Arc<str>>,
}

/// An open log. Clones are handles of the same log; dropping the last one waits for the writer to
/// make durable what was appended.
#[derive(Clone)]
pub struct Log {
    handle: Arc<Handle>,
}

struct Handle {
    commands: Option<mpsc::Sender<Command>>,
    writer: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    dir: PathBuf,
    record_bytes_max: usize,
}

impl Log {
    /// Opens the log in `dir`, which is made if it is not there, and starts its writer thread.
    ///
    /// The second value yields the records that are in the log, with their positions. Reads every
    /// segment, so it blocks for as long as the disk needs for that.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<(Log, Replay), Error> {
        Self::open_with(dir, options, |_, _| ())
    }

    /// Like [`Log::open`]; `on_durable` sees every record that is appended from now on, in the
    /// order of positions, once it is durable and before its [`Log::append`] resolves.
    ///
    /// It runs on the writer's thread: what it waits for, every append waits for.
    pub fn open_with(
        dir: impl AsRef<Path>,
        options: Options,
        on_durable: impl FnMut(u64, Bytes) + Send + 'static,
    ) -> Result<(Log, Replay), Error> {
        let recovered = recover::recover(dir.as_ref(), &options)?;
        let shared = Arc::new(Shared::default());
        shared.next_position.store(recovered.tail.next_position, Ordering::Release);
        let (commands, receiver) = mpsc::channel(options.queue_max.max(1));
        let record_bytes_max = options.record_bytes_max;
        let writer = Writer::new(recovered.tail, options, shared.clone(), Box::new(on_durable));
        let writer = std::thread::Builder::new()
            .name("receipt-log".into())
            .spawn(move || writer.run(receiver))
            .map_err(Error::io("start the writer's thread for", dir.as_ref()))?;
        let dir = dir.as_ref().to_owned();
        let handle = Handle { commands: Some(commands), writer: Some(writer), shared, dir, record_bytes_max };
        Ok((Log { handle: Arc::new(handle) }, recovered.replay))
    }

    /// Appends a record; resolves with its position once it is durable.
    ///
    /// A caller that stops waiting does not take the record back.
    pub async fn append(&self, record: impl Into<Bytes>) -> Result<u64, Error> {
        let record = record.into();
        let bytes_max = self.handle.record_bytes_max;
        if record.len() > bytes_max {
            return Err(Error::TooLarge { bytes: record.len(), bytes_max });
        }
        self.ask(|reply| Command::Append { record, reply }).await
    }

    /// Removes the segments that hold only records before `position`; resolves with the position of
    /// the oldest record kept. The newest segment always stays.
    pub async fn prune_before(&self, position: u64) -> Result<u64, Error> {
        self.ask(|reply| Command::Prune { before: position, reply }).await
    }

    /// The record at a position; `None` if there is none: pruned, or not durable yet.
    ///
    /// Blocks for as long as the disk needs to read a segment, and does not keep the writer waiting.
    pub fn read(&self, position: u64) -> Result<Option<Bytes>, Error> {
        match position < self.next_position() {
            true => lookup::read(&self.handle.dir, position),
            false => Ok(None),
        }
    }

    /// Position that the next record gets, counting what is durable.
    pub fn next_position(&self) -> u64 {
        self.handle.shared.next_position.load(Ordering::Acquire)
    }

    /// Why the log takes no more records; `None` while all is well.
    pub fn failure(&self) -> Option<Error> {
        self.handle.shared.failure.get().map(|why| Error::Failed { why: why.clone() })
    }

    async fn ask(
        &self,
        command: impl FnOnce(oneshot::Sender<Result<u64, Error>>) -> Command,
    ) -> Result<u64, Error> {
        let (reply, answer) = oneshot::channel();
        let stopped =
            || self.failure().unwrap_or(Error::Failed { why: Arc::from("the writer's thread is gone") });
        let commands = self.handle.commands.as_ref().ok_or_else(stopped)?;
        commands.send(command(reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // Closing the channel is what ends the writer, after all that was appended.
        self.commands = None;
        if let Some(writer) = self.writer.take() {
            if writer.thread().id() != std::thread::current().id() && writer.join().is_err() {
                tracing::error!("the receipt log's writer panicked; what it had not synced is not durable");
            }
        }
    }
}
