//! The bytes of a segment file.
//!
//! ```text
//! segment = magic [8] · first position u64 · checksum [8] · commit · commit …
//! commit  = marker [4] · body length u32 · first position u64 · records count u32 · checksum [8] · body
//! body    = (length u32 · record) …
//! ```
//! Integers are little-endian. A checksum is BLAKE2b-64 over everything of its header before it and,
//! for a commit, the body. A commit is what one sync made durable: since the next one is written only
//! after that sync, no more than the last commit of a log can ever be torn, whatever order a disk
//! writes its sectors in.

use std::ops::Range;

use blake2::{digest::consts::U8, Blake2b, Digest};
use bytes::Bytes;

pub(crate) const MAGIC: [u8; 8] = *b"STPLOG\0\x01";
pub(crate) const HEADER_LEN: usize = 24;
pub(crate) const MARKER: [u8; 4] = [0xC5, b'c', b'm', b't'];
pub(crate) const COMMIT_HEADER_LEN: usize = 28;
const COMMIT_CHECKED_LEN: usize = 20;

/// Bytes that a record of `len` bytes takes in a commit's body.
pub(crate) fn framed_len(len: usize) -> usize {
    4 + len
}

fn checksum(parts: &[&[u8]]) -> [u8; 8] {
    let mut hasher = Blake2b::<U8>::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The header of a segment.
pub(crate) fn header(first_position: u64) -> [u8; HEADER_LEN] {
    let mut bytes = [0; HEADER_LEN];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..16].copy_from_slice(&first_position.to_le_bytes());
    let sum = checksum(&[&bytes[..16]]);
    bytes[16..].copy_from_slice(&sum);
    bytes
}

/// Reads a segment's header: its first position, or what is wrong.
pub(crate) fn read_header(bytes: &[u8]) -> Result<u64, &'static str> {
    let bytes = bytes.get(..HEADER_LEN).ok_or("the file is shorter than a segment's header")?;
    if bytes[..8] != MAGIC {
        return Err("the file does not begin as a segment of this version does");
    }
    if bytes[16..] != checksum(&[&bytes[..16]]) {
        return Err("the header's checksum is wrong");
    }
    Ok(u64_at(bytes, 8))
}

/// Appends a commit of `records` to `out`.
pub(crate) fn write_commit<'a>(
    first_position: u64,
    records: impl Iterator<Item = &'a Bytes>,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    out.resize(start + COMMIT_HEADER_LEN, 0);
    let mut count = 0u32;
    for record in records {
        out.extend_from_slice(&(record.len() as u32).to_le_bytes());
        out.extend_from_slice(record);
        count += 1;
    }
    let (header, body) = out[start..].split_at_mut(COMMIT_HEADER_LEN);
    header[..4].copy_from_slice(&MARKER);
    header[4..8].copy_from_slice(&(body.len() as u32).to_le_bytes());
    header[8..16].copy_from_slice(&first_position.to_le_bytes());
    header[16..COMMIT_CHECKED_LEN].copy_from_slice(&count.to_le_bytes());
    let sum = checksum(&[&header[..COMMIT_CHECKED_LEN], body]);
    header[COMMIT_CHECKED_LEN..].copy_from_slice(&sum);
}

/// A commit found in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) first_position: u64,
    pub(crate) count: u32,
    pub(crate) body: Range<usize>,
}

impl Commit {
    /// First byte after the commit.
    pub(crate) fn end(&self) -> usize {
        self.body.end
    }

    /// First position after the commit.
    pub(crate) fn next_position(&self) -> u64 {
        self.first_position.saturating_add(u64::from(self.count))
    }
}

/// Reads the commit at `at`; an error says what is wrong with the bytes there.
pub(crate) fn read_commit(bytes: &[u8], at: usize) -> Result<Commit, &'static str> {
    let commit = peek_commit(bytes, at)?;
    let header = &bytes[at..at + COMMIT_HEADER_LEN];
    if header[COMMIT_CHECKED_LEN..] != checksum(&[&header[..COMMIT_CHECKED_LEN], &bytes[commit.body.clone()]])
    {
        return Err("the commit's checksum is wrong");
    }
    Ok(commit)
}

/// The same without looking at the checksum.
pub(crate) fn peek_commit(bytes: &[u8], at: usize) -> Result<Commit, &'static str> {
    let rest = bytes.get(at..).unwrap_or_default();
    let header = rest.get(..COMMIT_HEADER_LEN).ok_or("the file ends inside a commit's header")?;
    if header[..4] != MARKER {
        return Err("no commit begins here");
    }
    let body_len = u32_at(header, 4) as usize;
    rest[COMMIT_HEADER_LEN..].get(..body_len).ok_or("the file ends inside a commit")?;
    let start = at + COMMIT_HEADER_LEN;
    Ok(Commit { first_position: u64_at(header, 8), count: u32_at(header, 16), body: start..start + body_len })
}

/// The record at the head of what is left of a commit's body; `None` if it does not fit.
pub(crate) fn read_record(bytes: &[u8], body: &mut Range<usize>) -> Option<Range<usize>> {
    let rest = bytes.get(body.clone())?;
    let len = u32_at(rest.get(..4)?, 0) as usize;
    rest[4..].get(..len)?;
    let start = body.start + 4;
    body.start = start + len;
    Some(start..start + len)
}

/// The first sound commit after `at` that could follow `position`.
pub(crate) fn find_commit_after(bytes: &[u8], at: usize, position: u64) -> Option<usize> {
    let from = at.saturating_add(1);
    let rest = bytes.get(from..)?;
    rest.windows(MARKER.len())
        .enumerate()
        .filter(|(_, window)| *window == MARKER)
        .map(|(offset, _)| from + offset)
        .find(|found| read_commit(bytes, *found).is_ok_and(|commit| commit.first_position >= position))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(value)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(value)
}
