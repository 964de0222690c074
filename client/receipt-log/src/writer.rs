//! The one thread that writes.

use std::{
    io::Write,
    sync::{atomic::Ordering, Arc},
};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use crate::{
    log::{Command, Options, Shared},
    recover::{create_segment, segment_path, sync_dir, Tail},
    segment::{self, COMMIT_HEADER_LEN, HEADER_LEN},
    Error,
};

type Reply = oneshot::Sender<Result<u64, Error>>;
type OnDurable = Box<dyn FnMut(u64, Bytes) + Send>;

pub(crate) struct Writer {
    tail: Tail,
    options: Options,
    shared: Arc<Shared>,
    on_durable: OnDurable,
    buffer: Vec<u8>,
}

/// Appends that share one sync.
#[derive(Default)]
struct Group {
    records: Vec<Bytes>,
    replies: Vec<Reply>,
    body_len: usize,
}

impl Group {
    fn push(&mut self, record: Bytes, reply: Reply) {
        self.body_len += segment::framed_len(record.len());
        self.records.push(record);
        self.replies.push(reply);
    }
}

impl Writer {
    pub(crate) fn new(tail: Tail, options: Options, shared: Arc<Shared>, on_durable: OnDurable) -> Self {
        Writer { tail, options, shared, on_durable, buffer: Vec::new() }
    }

    /// Serves commands until every handle is gone.
    pub(crate) fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut group = Group::default();
        while let Some(command) = commands.blocking_recv() {
            let mut prune = self.take(command, &mut group);
            while prune.is_none() && group.body_len < self.options.commit_bytes_max {
                match commands.try_recv() {
                    Ok(command) => prune = self.take(command, &mut group),
                    Err(_) => break,
                }
            }
            self.commit(&mut group);
            if let Some((before, reply)) = prune {
                // A caller that went away does not need the answer.
                let _ = reply.send(self.prune(before));
            }
        }
    }

    /// Puts an append into the group; hands a prune back, to be done after the group.
    fn take(&self, command: Command, group: &mut Group) -> Option<(u64, Reply)> {
        match command {
            Command::Append { record, reply } => {
                group.push(record, reply);
                None
            }
            Command::Prune { before, reply } => Some((before, reply)),
        }
    }

    fn commit(&mut self, group: &mut Group) {
        if group.records.is_empty() {
            return;
        }
        let written = match self.shared.failure.get() {
            Some(why) => Err(Error::Failed { why: why.clone() }),
            None => self.write(&group.records),
        };
        group.body_len = 0;
        let records = group.records.drain(..);
        let replies = group.replies.drain(..);
        match written {
            Ok(first_position) => {
                for (position, (record, reply)) in (first_position..).zip(records.zip(replies)) {
                    (self.on_durable)(position, record);
                    let _ = reply.send(Ok(position));
                }
            }
            Err(error) => {
                let why: Arc<str> = error.to_string().into();
                if self.shared.failure.set(why.clone()).is_ok() {
                    tracing::error!(%why, "the log takes no more records: mend the disk and restart");
                }
                drop(records);
                let why = self.shared.failure.get().cloned().unwrap_or(why);
                for reply in replies {
                    let _ = reply.send(Err(Error::Failed { why: why.clone() }));
                }
            }
        }
    }

    /// Makes records durable; returns the position of the first.
    fn write(&mut self, records: &[Bytes]) -> Result<u64, Error> {
        let first_position = self.tail.next_position;
        self.buffer.clear();
        segment::write_commit(first_position, records.iter(), &mut self.buffer);
        if self.tail.len > HEADER_LEN && self.tail.len + self.buffer.len() > self.options.segment_bytes_max {
            self.begin_segment(first_position)?;
        }
        let path = || segment_path(&self.tail.dir, *self.tail.segments.back().unwrap_or(&0));
        let file = &mut self.tail.file;
        file.write_all(&self.buffer)
            .and_then(|()| file.sync_data())
            .map_err(|source| Error::io("write to", path())(source))?;
        self.tail.len += self.buffer.len();
        self.tail.next_position += records.len() as u64;
        self.shared.next_position.store(self.tail.next_position, Ordering::Release);
        // One large commit must not keep its memory for ever.
        self.buffer.shrink_to(COMMIT_HEADER_LEN + (64 << 10));
        Ok(first_position)
    }

    fn begin_segment(&mut self, first_position: u64) -> Result<(), Error> {
        self.tail.file = create_segment(&self.tail.dir, first_position)?;
        self.tail.len = HEADER_LEN;
        self.tail.segments.push_back(first_position);
        Ok(())
    }

    /// Oldest first, so that a crash in between leaves no hole.
    fn prune(&mut self, before: u64) -> Result<u64, Error> {
        let mut removed = false;
        while self.tail.segments.get(1).is_some_and(|next| *next <= before) {
            let path = segment_path(&self.tail.dir, self.tail.segments[0]);
            std::fs::remove_file(&path).map_err(Error::io("remove the pruned segment", &path))?;
            self.tail.segments.pop_front();
            removed = true;
        }
        if removed {
            sync_dir(&self.tail.dir)?;
        }
        Ok(self.tail.segments[0])
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Said, not left to the end of the file's life, so that the log can be opened again at once.
        let _ = self.tail.lock.unlock();
    }
}
