//! Findings and appeals: in memory, and one JSON object per line in a file.

use std::{
    collections::VecDeque,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use stipend_detectors::{Audience, Finding};
use stipend_primitives::{AccountId, Moment};

/// Findings that are kept; the oldest goes first. With the longest appeal one takes some 6 kB.
const FINDINGS_MAX: usize = 4_096;

/// Findings of one wallet that are kept: a flood of one does not wash out the others'.
const FINDINGS_PER_WALLET_MAX: usize = 64;

/// Bytes of an appeal.
pub(crate) const APPEAL_BYTES_MAX: usize = 2_000;

/// Bytes at which the file is written anew with what is kept.
const FILE_BYTES_MAX: u64 = 32 << 20;

/// A finding as it is kept and shown. Moments are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// Names it: random, so that nobody finds another one's.
    pub(crate) id: String,
    pub(crate) found_at_ms: Moment,
    pub(crate) rule: String,
    /// `person` or `security`.
    pub(crate) audience: String,
    /// Account of the wallet's owner, as hex digits.
    pub(crate) wallet: String,
    /// Hash of the API key, as hex digits.
    pub(crate) key: String,
    pub(crate) from_ms: Moment,
    pub(crate) to_ms: Moment,
    /// Ids of some of the requests.
    pub(crate) requests: Vec<String>,
    pub(crate) count: u32,
    pub(crate) tokens: u64,
    pub(crate) score_permille: u16,
    pub(crate) explanation: String,
    pub(crate) appeal: Option<Appeal>,
}

/// What the owner says to a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Appeal {
    pub(crate) text: String,
    pub(crate) at_ms: Moment,
}

/// Why an appeal is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AppealError {
    /// There is no such finding of the wallet.
    Unknown,
    /// There is an appeal already.
    Twice,
    /// It could not be written down.
    NotWritten,
}

pub(crate) struct Book(Mutex<Kept>);

struct Kept {
    entries: VecDeque<Entry>,
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Book {
    /// Reads what an earlier run has kept.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        let mut entries = VecDeque::new();
        // A later line of the same finding has its appeal; one that a crash cut off is none.
        for entry in text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok()) {
            match entries.iter_mut().rev().find(|known: &&mut Entry| known.id == entry.id) {
                Some(known) => *known = entry,
                None => push(&mut entries, entry),
            }
        }
        let (file, bytes) = write_all(path, &entries)?;
        Ok(Book(Mutex::new(Kept { entries, path: path.to_owned(), file, bytes })))
    }

    /// Keeps a finding. It is in memory even if it could not be written.
    pub(super) fn add(&self, finding: Finding, now_ms: Moment) -> io::Result<()> {
        let entry = Entry::of(finding, now_ms);
        let mut kept = self.0.lock();
        push(&mut kept.entries, entry.clone());
        kept.write(&entry)
    }

    /// What the owner of a wallet is told: nothing that is for security.
    pub(crate) fn of_wallet(&self, owner: &AccountId) -> Vec<Entry> {
        let wallet = digits(owner);
        let kept = self.0.lock();
        kept.entries.iter().filter(|entry| entry.is_told_to(&wallet)).cloned().collect()
    }

    /// Everything.
    pub(crate) fn all(&self) -> Vec<Entry> {
        self.0.lock().entries.iter().cloned().collect()
    }

    /// Keeps what the owner of a wallet says to a finding: once, so that nobody changes what was said.
    pub(crate) fn appeal(
        &self,
        owner: &AccountId,
        id: &str,
        text: String,
        now_ms: Moment,
    ) -> Result<Entry, AppealError> {
        let wallet = digits(owner);
        let mut kept = self.0.lock();
        let found = kept.entries.iter().position(|entry| entry.id == id && entry.is_told_to(&wallet));
        let at = found.ok_or(AppealError::Unknown)?;
        if kept.entries[at].appeal.is_some() {
            return Err(AppealError::Twice);
        }
        let mut entry = kept.entries[at].clone();
        entry.appeal = Some(Appeal { text, at_ms: now_ms });
        kept.write(&entry).map_err(|error| {
            tracing::error!(%error, "an appeal could not be written down");
            AppealError::NotWritten
        })?;
        kept.entries[at] = entry.clone();
        Ok(entry)
    }
}

impl Kept {
    fn write(&mut self, entry: &Entry) -> io::Result<()> {
        let line = line(entry)?;
        if self.bytes + line.len() as u64 > FILE_BYTES_MAX {
            (self.file, self.bytes) = write_all(&self.path, &self.entries)?;
        }
        self.file.write_all(&line)?;
        self.file.sync_data()?;
        self.bytes += line.len() as u64;
        Ok(())
    }
}

impl Entry {
    fn of(finding: Finding, now_ms: Moment) -> Self {
        Entry {
            id: hex::encode(rand::random::<[u8; 8]>()),
            found_at_ms: now_ms,
            rule: finding.rule.name().into(),
            audience: match finding.audience {
                Audience::Person => PERSON.into(),
                Audience::Security => "security".into(),
            },
            wallet: hex::encode(finding.wallet),
            key: hex::encode(finding.key),
            from_ms: finding.from_ms,
            to_ms: finding.to_ms,
            requests: finding.requests.iter().map(hex::encode).collect(),
            count: finding.count,
            tokens: finding.tokens,
            score_permille: finding.score_permille,
            explanation: finding.explanation,
            appeal: None,
        }
    }

    fn is_told_to(&self, wallet: &str) -> bool {
        self.wallet == wallet && self.audience == PERSON
    }
}

const PERSON: &str = "person";

fn digits(owner: &AccountId) -> String {
    let owner: &[u8; 32] = owner.as_ref();
    hex::encode(owner)
}

fn push(entries: &mut VecDeque<Entry>, entry: Entry) {
    let of_wallet = entries.iter().filter(|known| known.wallet == entry.wallet).count();
    if of_wallet >= FINDINGS_PER_WALLET_MAX {
        let oldest = entries.iter().position(|known| known.wallet == entry.wallet);
        if let Some(at) = oldest {
            entries.remove(at);
        }
    } else if entries.len() >= FINDINGS_MAX {
        entries.pop_front();
    }
    entries.push_back(entry);
}

fn line(entry: &Entry) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(entry).map_err(io::Error::other)?;
    line.push(b'\n');
    Ok(line)
}

/// Writes a file with these entries in place of the one that is there, whole or not at all.
fn write_all(path: &Path, entries: &VecDeque<Entry>) -> io::Result<(File, u64)> {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend(line(entry)?);
    }
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(&bytes)?;
    file.sync_data()?;
    fs::rename(&beside, path)?;
    Ok((OpenOptions::new().append(true).open(path)?, bytes.len() as u64))
}

#[cfg(test)]
mod tests;
