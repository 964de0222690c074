//! The files of jobs: for each its record, its request, and its answer once that is there.
//!
//! A record is replaced as a whole: written beside, made durable, renamed. What a record speaks of is on the disk before the
//! record is, so a crash leaves at most files that no record speaks of; they are removed at the next start.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::record::{JobId, Record};

const RECORD: &str = "json";
const REQUEST: &str = "request";
const ANSWER: &str = "answer";

/// A folder of jobs. Nobody but this gateway's user may read it: it holds what people ask.
#[derive(Clone)]
pub(crate) struct Store {
    dir: PathBuf,
}

impl Store {
    pub(crate) fn open(dir: PathBuf) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        Ok(Store { dir })
    }

    /// All jobs. Removes what no record speaks of.
    pub(crate) fn load(&self) -> io::Result<Vec<Record>> {
        let paths: Vec<PathBuf> =
            fs::read_dir(&self.dir)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
        let mut records = Vec::new();
        for path in paths.iter().filter(|path| has_extension(path, RECORD)) {
            let record: Record = serde_json::from_slice(&fs::read(path)?).map_err(|error| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{}: {error}", path.display()))
            })?;
            records.push(record);
        }
        let known: HashSet<String> = records.iter().map(|record| record.id.to_string()).collect();
        for path in &paths {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if has_extension(path, "tmp") || !known.contains(stem) {
                fs::remove_file(path)?;
            }
        }
        Ok(records)
    }

    /// Puts a new job down, its request with it.
    pub(crate) async fn begin(&self, record: &Record, request: Bytes) -> io::Result<()> {
        self.write(self.path(&record.id, REQUEST), request).await?;
        self.put(record).await
    }

    /// Replaces a job's record.
    pub(crate) async fn put(&self, record: &Record) -> io::Result<()> {
        let bytes = serde_json::to_vec(record).map_err(io::Error::other)?;
        self.write(self.path(&record.id, RECORD), bytes.into()).await
    }

    pub(crate) async fn put_answer(&self, id: &JobId, answer: Bytes) -> io::Result<()> {
        self.write(self.path(id, ANSWER), answer).await
    }

    pub(crate) async fn request(&self, id: &JobId) -> io::Result<Bytes> {
        tokio::fs::read(self.path(id, REQUEST)).await.map(Bytes::from)
    }

    pub(crate) async fn answer(&self, id: &JobId) -> io::Result<Bytes> {
        tokio::fs::read(self.path(id, ANSWER)).await.map(Bytes::from)
    }

    /// Forgets what was asked: the job is over.
    pub(crate) async fn drop_request(&self, id: &JobId) {
        self.remove_file(self.path(id, REQUEST)).await;
    }

    /// Forgets what was answered: nobody will ask for it.
    pub(crate) async fn drop_answer(&self, id: &JobId) {
        self.remove_file(self.path(id, ANSWER)).await;
    }

    /// Forgets a job. Its record goes first: without it the rest is left over.
    pub(crate) async fn remove(&self, id: &JobId) {
        for kind in [RECORD, REQUEST, ANSWER] {
            self.remove_file(self.path(id, kind)).await;
        }
    }

    fn path(&self, id: &JobId, kind: &str) -> PathBuf {
        self.dir.join(format!("{id}.{kind}"))
    }

    async fn remove_file(&self, path: PathBuf) {
        match tokio::fs::remove_file(&path).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, path = %path.display(), "a file of a job cannot be removed");
            }
            _ => {}
        }
    }

    async fn write(&self, path: PathBuf, bytes: Bytes) -> io::Result<()> {
        let dir = self.dir.clone();
        let written = tokio::task::spawn_blocking(move || write_durably(&dir, &path, &bytes)).await;
        written.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

/// When this returns, a crash leaves the new bytes; before, the old ones or the new ones.
fn write_durably(dir: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".tmp");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(dir)?.sync_all()
}
