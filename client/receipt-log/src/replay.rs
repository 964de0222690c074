//! Reading back what a log holds.

use std::{collections::VecDeque, fs::File, io::Read, ops::Range, path::PathBuf};

use bytes::Bytes;

use crate::{
    segment::{self, HEADER_LEN},
    Error,
};

/// The records that were in the log when it was opened, oldest first, with their positions.
///
/// Reads one segment at a time and may be read while the log is written to or pruned. After an
/// error there is nothing more.
pub struct Replay {
    files: VecDeque<(PathBuf, File)>,
    current: Option<Current>,
    position: u64,
    end_position: u64,
}

struct Current {
    path: PathBuf,
    bytes: Bytes,
    /// What is left of the commit that is being read.
    body: Range<usize>,
    /// Where the next commit begins.
    next: usize,
}

impl Replay {
    pub(crate) fn new(files: VecDeque<(PathBuf, File)>, first_position: u64, end_position: u64) -> Self {
        Replay { files, current: None, position: first_position, end_position }
    }

    /// Position of the next record that this yields.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Position after the last record that this yields.
    pub fn end_position(&self) -> u64 {
        self.end_position
    }

    fn read(&mut self) -> Result<Bytes, Error> {
        loop {
            let Some(current) = &mut self.current else {
                self.open_next()?;
                continue;
            };
            if !current.body.is_empty() {
                let record = segment::read_record(&current.bytes, &mut current.body).ok_or_else(|| {
                    Error::corrupt(&current.path, current.body.start, "the file changed while it was read")
                })?;
                return Ok(current.bytes.slice(record));
            }
            if current.next >= current.bytes.len() {
                self.current = None;
                continue;
            }
            let commit = segment::read_commit(&current.bytes, current.next)
                .map_err(|why| Error::corrupt(&current.path, current.next, why))?;
            current.next = commit.end();
            current.body = commit.body;
        }
    }

    fn open_next(&mut self) -> Result<(), Error> {
        let (path, mut file) =
            self.files.pop_front().expect("records are left, so a segment that holds them is; qed");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(Error::io("read", &path))?;
        self.current = Some(Current { path, bytes: bytes.into(), body: 0..0, next: HEADER_LEN });
        Ok(())
    }
}

impl Iterator for Replay {
    type Item = Result<(u64, Bytes), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        // The last segment may have grown since the log was opened: what is new is not replayed.
        if self.position >= self.end_position {
            self.current = None;
            return None;
        }
        let position = self.position;
        let record = self.read();
        self.position = if record.is_ok() { position + 1 } else { self.end_position };
        Some(record.map(|record| (position, record)))
    }
}
