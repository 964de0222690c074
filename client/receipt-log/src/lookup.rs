//! Reading one record back while the log is in use.

use std::{fs, io::ErrorKind, path::Path};

use bytes::Bytes;

use crate::{
    recover::segment_path,
    segment::{self, HEADER_LEN},
    Error,
};

/// The record at `position`, which must be durable; `None` if it was pruned.
///
/// Reads the whole segment and jumps from commit to commit; only the one that holds the record is checked,
/// because every other was when the log was opened, or was written since.
pub(crate) fn read(dir: &Path, position: u64) -> Result<Option<Bytes>, Error> {
    let Some(first_position) = segment_with(dir, position)? else { return Ok(None) };
    let path = segment_path(dir, first_position);
    let bytes = match fs::read(&path) {
        Ok(bytes) => Bytes::from(bytes),
        // Pruned since the folder was listed.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read", &path)(error)),
    };
    let mut at = HEADER_LEN;
    loop {
        let commit = segment::peek_commit(&bytes, at).map_err(|why| Error::corrupt(&path, at, why))?;
        if position < commit.next_position() {
            break;
        }
        at = commit.end();
    }
    let commit = segment::read_commit(&bytes, at).map_err(|why| Error::corrupt(&path, at, why))?;
    let mut body = commit.body;
    let mut record = None;
    for _ in commit.first_position..=position {
        record = segment::read_record(&bytes, &mut body);
    }
    let record = record.ok_or_else(|| Error::corrupt(&path, at, "a record reaches beyond its commit"))?;
    Ok(Some(bytes.slice(record)))
}

/// First position of the segment that holds `position`; `None` if all segments are newer.
fn segment_with(dir: &Path, position: u64) -> Result<Option<u64>, Error> {
    let mut newest = None;
    for entry in fs::read_dir(dir).map_err(Error::io("list", dir))? {
        let path = entry.map_err(Error::io("list", dir))?.path();
        let is_segment = path.extension().is_some_and(|extension| extension == "log");
        let first = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        newest = newest.max(first.filter(|first| is_segment && *first <= position));
    }
    Ok(newest)
}
