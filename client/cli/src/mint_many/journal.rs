//! The progress file: what was sent and what became of it, one JSON object per line.
//!
//! Every line is on the disk before the step that it announces is taken. A line that a crash cut off
//! announces a step that was not taken, so it counts for nothing.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sp_core::H256;
use stipend_sdk::{grant_list::Row, primitives::BlockNumber, Prepared};

use crate::failure::Failure;

/// What the file is about, its first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// The list of grants, its issuer and its chain.
    pub(super) fingerprint: H256,
    /// How many rows each chunk has; fixed by the first run.
    pub(super) chunks: Vec<usize>,
}

/// What happened to a chunk, every other line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Entry {
    /// The transaction is about to be sent.
    Sent { chunk: usize, transaction: Box<Prepared> },
    /// It is finalised.
    Done { chunk: usize, block_number: BlockNumber },
    /// It will never happen.
    Void { chunk: usize },
}

/// Where a chunk stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Sent(Box<Prepared>),
    Done(BlockNumber),
}

/// The progress file, open and locked against a second run.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    head: Head,
    states: Vec<State>,
}

impl Journal {
    /// Opens the file of an earlier run, or begins one.
    pub(super) fn open(path: &Path, head: Head) -> Result<Self> {
        let mut file =
            OpenOptions::new().read(true).append(true).create(true).open(path).map_err(|error| {
                Failure::bad_input(format!("cannot open the progress file {}: {error}", path.display()))
            })?;
        if file.try_lock().is_err() {
            let message =
                format!("another run uses the progress file {}; wait until it is over", path.display());
            return Err(Failure::bad_input(message).into());
        }
        let lines = whole_lines(&mut file).with_context(|| format!("cannot read {}", path.display()))?;
        let begun = |lines: &[String]| serde_json::from_str(&lines[0]).is_ok_and(|known: Head| known != head);
        let lines = if lines.len() == 1 && begun(&lines) {
            // Nothing of that list was ever sent: it was refused, and mended since.
            file.set_len(0).with_context(|| format!("cannot write {}", path.display()))?;
            Vec::new()
        } else {
            lines
        };
        let Some((first, entries)) = lines.split_first() else {
            let states = vec![State::Open; head.chunks.len()];
            let mut journal = Journal { file, path: path.to_owned(), head, states };
            let line = serde_json::to_string(&journal.head)?;
            journal.write(&line)?;
            return Ok(journal);
        };
        let not_ours = |cause: &str| {
            Failure::bad_input(format!(
                "{} {cause}; name another file with --progress, or remove it only if you are sure that what it records never happened",
                path.display()
            ))
        };
        let known: Head = serde_json::from_str(first).map_err(|_| not_ours("is not a progress file"))?;
        if known.fingerprint != head.fingerprint {
            return Err(not_ours(
                "records the progress of another list (the file, the key or the chain changed since)",
            )
            .into());
        }
        let mut states = vec![State::Open; known.chunks.len()];
        for line in entries {
            let entry: Entry = serde_json::from_str(line).map_err(|_| not_ours("is damaged"))?;
            apply(&mut states, entry).ok_or_else(|| not_ours("is damaged"))?;
        }
        Ok(Journal { file, path: path.to_owned(), head: known, states })
    }

    /// Records a step; it is on the disk when this returns.
    pub(super) fn record(&mut self, entry: Entry) -> Result<()> {
        let line = serde_json::to_string(&entry)?;
        self.write(&line)?;
        apply(&mut self.states, entry).context("a chunk that is not in the file")
    }

    fn write(&mut self, line: &str) -> Result<()> {
        let written = writeln!(self.file, "{line}").and_then(|()| self.file.sync_data());
        written.with_context(|| {
            format!("cannot write {}; make room on the disk and run the command again", self.path.display())
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn states(&self) -> &[State] {
        &self.states
    }

    /// The rows of a chunk.
    pub(super) fn rows_of<'a>(&self, chunk: usize, rows: &'a [Row]) -> &'a [Row] {
        let first: usize = self.head.chunks[..chunk].iter().sum();
        &rows[first..first + self.head.chunks[chunk]]
    }

    /// The rows that are not minted yet.
    pub(super) fn open_rows<'a>(&self, rows: &'a [Row]) -> Vec<&'a Row> {
        let open = (0..self.states.len()).filter(|chunk| !matches!(self.states[*chunk], State::Done(_)));
        open.flat_map(|chunk| self.rows_of(chunk, rows)).collect()
    }

    /// The blocks that hold what was minted, in order.
    pub(super) fn blocks(&self) -> Vec<BlockNumber> {
        let mut blocks: Vec<_> = self
            .states
            .iter()
            .filter_map(|state| match state {
                State::Done(block) => Some(*block),
                _ => None,
            })
            .collect();
        blocks.sort_unstable();
        blocks.dedup();
        blocks
    }
}

/// The lines of the file; a last line without its end is cut off.
fn whole_lines(file: &mut File) -> std::io::Result<Vec<String>> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(&*file);
    let (mut lines, mut whole_len) = (Vec::new(), 0);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 && line.ends_with('\n') {
        whole_len += line.len() as u64;
        lines.push(line.trim_end().to_owned());
        line.clear();
    }
    file.set_len(whole_len)?;
    Ok(lines)
}

fn apply(states: &mut [State], entry: Entry) -> Option<()> {
    let (chunk, state) = match entry {
        Entry::Sent { chunk, transaction } => (chunk, State::Sent(transaction)),
        Entry::Done { chunk, block_number } => (chunk, State::Done(block_number)),
        Entry::Void { chunk } => (chunk, State::Open),
    };
    *states.get_mut(chunk)? = state;
    Some(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use stipend_sdk::primitives::{mint::Grant, AccountId};

    fn head() -> Head {
        Head { fingerprint: H256([1; 32]), chunks: vec![2, 2, 1] }
    }

    fn sent(chunk: usize) -> Entry {
        let transaction = Box::new(Prepared {
            hash: H256([2; 32]),
            account: AccountId::new([3; 32]),
            nonce: 4,
            birth: 5,
            death: 69,
            bytes: vec![1, 2, 3].into(),
        });
        Entry::Sent { chunk, transaction }
    }

    fn rows() -> Vec<Row> {
        let row = |line| Row { line, owner: AccountId::new([9; 32]), grant: Grant::Basket { basket: 1 } };
        (2..7).map(row).collect()
    }

    #[test]
    fn the_next_run_knows_where_every_chunk_stands() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress");
        let mut journal = Journal::open(&path, head()).unwrap();
        for entry in
            [sent(0), Entry::Done { chunk: 0, block_number: 7 }, sent(1), Entry::Void { chunk: 1 }, sent(2)]
        {
            journal.record(entry).unwrap();
        }
        drop(journal);
        let journal = Journal::open(&path, head()).unwrap();
        assert!(matches!(journal.states(), [State::Done(7), State::Open, State::Sent(_)]));
        let open: Vec<u64> = journal.open_rows(&rows()).iter().map(|row| row.line).collect();
        assert_eq!(open, [4, 5, 6]);
        assert_eq!(journal.blocks(), [7]);
    }

    #[test]
    fn a_line_that_a_crash_cut_off_counts_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress");
        let mut journal = Journal::open(&path, head()).unwrap();
        journal.record(sent(0)).unwrap();
        drop(journal);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 9]).unwrap();
        let mut journal = Journal::open(&path, head()).unwrap();
        assert_eq!(journal.states()[0], State::Open);
        journal.record(Entry::Done { chunk: 1, block_number: 3 }).unwrap();
        drop(journal);
        assert_eq!(Journal::open(&path, head()).unwrap().states()[1], State::Done(3));
    }

    #[test]
    fn the_chunks_of_the_first_run_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress");
        let mut journal = Journal::open(&path, head()).unwrap();
        journal.record(sent(0)).unwrap();
        drop(journal);
        let journal = Journal::open(&path, Head { chunks: vec![5], ..head() }).unwrap();
        assert_eq!(journal.states().len(), 3);
    }

    #[test]
    fn the_progress_of_another_list_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress");
        let mut journal = Journal::open(&path, head()).unwrap();
        journal.record(sent(0)).unwrap();
        drop(journal);
        let other = Head { fingerprint: H256([2; 32]), ..head() };
        assert!(Journal::open(&path, other).unwrap_err().to_string().contains("another list"));
        std::fs::write(&path, "owner,program\n").unwrap();
        assert!(Journal::open(&path, head()).unwrap_err().to_string().contains("not a progress file"));
    }

    #[test]
    fn a_list_that_was_refused_before_anything_was_sent_can_be_mended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress");
        drop(Journal::open(&path, head()).unwrap());
        let mended = Head { fingerprint: H256([2; 32]), chunks: vec![5] };
        let mut journal = Journal::open(&path, mended.clone()).unwrap();
        assert_eq!(journal.states().len(), 1);
        journal.record(sent(0)).unwrap();
        drop(journal);
        assert!(matches!(Journal::open(&path, mended).unwrap().states(), [State::Sent(_)]));
    }

    #[test]
    fn two_runs_never_share_a_progress_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("progress");
        let _first = Journal::open(&path, head()).unwrap();
        assert!(Journal::open(&path, head()).unwrap_err().to_string().contains("another run"));
    }
}
