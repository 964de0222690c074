//! Opening a log: checks every segment, cuts a torn tail off the last one.

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use crate::{
    log::Options,
    replay::Replay,
    segment::{self, HEADER_LEN},
    Error,
};

/// Where the writer goes on.
pub(crate) struct Tail {
    pub(crate) dir: PathBuf,
    /// Held for as long as the log is open.
    pub(crate) lock: File,
    /// First positions of all segments, the one that is written to last.
    pub(crate) segments: VecDeque<u64>,
    pub(crate) file: File,
    pub(crate) len: usize,
    pub(crate) next_position: u64,
}

pub(crate) struct Recovered {
    pub(crate) tail: Tail,
    pub(crate) replay: Replay,
}

/// The file of the segment that begins with `first_position`. Names sort as positions do.
pub(crate) fn segment_path(dir: &Path, first_position: u64) -> PathBuf {
    dir.join(format!("{first_position:020}.log"))
}

/// Makes changes of a folder's entries durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), Error> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::io("sync the folder", dir))
}

/// Makes an empty segment that is either complete or not there, whatever crashes.
pub(crate) fn create_segment(dir: &Path, first_position: u64) -> Result<File, Error> {
    let path = segment_path(dir, first_position);
    let unfinished = path.with_extension("new");
    let create = || {
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&unfinished)?;
        file.write_all(&segment::header(first_position))?;
        file.sync_all()?;
        std::fs::rename(&unfinished, &path)?;
        Ok(file)
    };
    let file = create().map_err(Error::io("make the segment", &path))?;
    sync_dir(dir)?;
    Ok(file)
}

/// Opens the folder and finds what is in it.
pub(crate) fn recover(dir: &Path, options: &Options) -> Result<Recovered, Error> {
    std::fs::create_dir_all(dir).map_err(Error::io("make the folder", dir))?;
    let lock = lock(dir)?;
    let mut segments = list_segments(dir)?;
    if segments.is_empty() {
        create_segment(dir, options.first_position)?;
        segments.push_back(options.first_position);
    }
    let mut files = VecDeque::with_capacity(segments.len());
    let mut end = None;
    let mut expected = segments[0];
    for (index, first_position) in segments.iter().enumerate() {
        let is_last = index + 1 == segments.len();
        let path = segment_path(dir, *first_position);
        if *first_position != expected {
            let why = format!("the segment before it ends before position {expected}: a segment is missing");
            return Err(Error::corrupt(path, 0, why));
        }
        let (file, len, next_position) = check_segment(&path, *first_position, is_last)?;
        // A handle of its own: the replay's reading must not move the writer's place in the file.
        let reader = File::open(&path).map_err(Error::io("open", &path))?;
        files.push_back((path, reader));
        expected = next_position;
        end = is_last.then_some((file, len));
    }
    let (mut file, len) = end.expect("there is at least one segment, and the last one sets it; qed");
    // What a killed process had written but not synced counts from now on, so it is made durable now.
    file.sync_all().map_err(Error::io("sync the newest segment of", dir))?;
    sync_dir(dir)?;
    file.seek(SeekFrom::Start(len as u64)).map_err(Error::io("seek in", dir))?;
    let replay = Replay::new(files, segments[0], expected);
    let tail = Tail { dir: dir.to_owned(), lock, segments, file, len, next_position: expected };
    Ok(Recovered { tail, replay })
}

fn lock(dir: &Path) -> Result<File, Error> {
    let path = dir.join("lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(Error::io("open the lock", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(Error::InUse { path: dir.to_owned() }),
        Err(std::fs::TryLockError::Error(error)) => Err(Error::io("lock", path)(error)),
    }
}

/// First positions of the segments, oldest first. Segments that a crash left unfinished are removed.
fn list_segments(dir: &Path) -> Result<VecDeque<u64>, Error> {
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(Error::io("list", dir))? {
        let path = entry.map_err(Error::io("list", dir))?.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("new") => std::fs::remove_file(&path).map_err(Error::io("remove", &path))?,
            Some("log") => {
                let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                let first_position = stem.parse().ok().filter(|first| segment_path(dir, *first) == path);
                segments.push(first_position.ok_or_else(|| {
                    Error::corrupt(&path, 0, "the file's name is not that of a segment of this log")
                })?);
            }
            _ => (),
        }
    }
    segments.sort_unstable();
    Ok(segments.into())
}

/// Checks a segment; returns its file, the bytes that are sound, and the position after its last
/// record.
fn check_segment(path: &Path, first_position: u64, is_last: bool) -> Result<(File, usize, u64), Error> {
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(Error::io("open", path))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    let named = segment::read_header(&bytes).map_err(|why| Error::corrupt(path, 0, why))?;
    if named != first_position {
        let why = format!("the header says position {named}, the file's name {first_position}");
        return Err(Error::corrupt(path, 0, why));
    }
    let (mut at, mut position) = (HEADER_LEN, first_position);
    while at < bytes.len() {
        match segment::read_commit(&bytes, at) {
            Ok(commit) => {
                check_commit(path, &bytes, &commit, at, position)?;
                at = commit.end();
                position = commit.next_position();
            }
            Err(why) => {
                refuse_unless_torn(path, &bytes, at, position, is_last, why)?;
                cut(path, &file, at, bytes.len(), why)?;
                break;
            }
        }
    }
    Ok((file, at, position))
}

fn check_commit(
    path: &Path,
    bytes: &[u8],
    commit: &segment::Commit,
    at: usize,
    position: u64,
) -> Result<(), Error> {
    if commit.first_position != position {
        let why = format!("a commit of position {} stands where {position} should", commit.first_position);
        return Err(Error::corrupt(path, at, why));
    }
    let mut body = commit.body.clone();
    for _ in 0..commit.count {
        segment::read_record(bytes, &mut body)
            .ok_or_else(|| Error::corrupt(path, at, "a record reaches beyond its commit"))?;
    }
    if !body.is_empty() {
        return Err(Error::corrupt(path, at, "there is more in a commit than its records"));
    }
    Ok(())
}

fn refuse_unless_torn(
    path: &Path,
    bytes: &[u8],
    at: usize,
    position: u64,
    is_last: bool,
    why: &str,
) -> Result<(), Error> {
    if !is_last {
        return Err(Error::corrupt(path, at, format!("{why}, and later segments follow")));
    }
    if let Some(found) = segment::find_commit_after(bytes, at, position) {
        return Err(Error::corrupt(path, at, format!("{why}, and a sound commit follows at byte {found}")));
    }
    Ok(())
}

fn cut(path: &Path, file: &File, at: usize, len: usize, why: &str) -> Result<(), Error> {
    tracing::warn!(
        path = %path.display(),
        at,
        bytes_cut = len - at,
        why,
        "the log ends in a write that a crash interrupted before it was acknowledged: cut off"
    );
    file.set_len(at as u64).and_then(|()| file.sync_all()).map_err(Error::io("cut the torn tail of", path))
}
