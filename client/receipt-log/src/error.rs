//! What can go wrong.

use std::{io, path::PathBuf, sync::Arc};

/// Why the log could not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// The system's reason.
        source: Arc<io::Error>,
    },
    /// Another process has the log open.
    #[error("{} is in use by another process: one log has one writer; stop the other one first", path.display())]
    InUse {
        /// The log's folder.
        path: PathBuf,
    },
    /// The log is damaged where only acknowledged records can be.
    #[error(
        "{} is damaged at byte {offset}: {why}. Acknowledged records are affected, so the log does \
         not open; restore the folder from a copy, or move it away to begin anew without them",
        path.display()
    )]
    Corrupt {
        /// The damaged file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong.
        why: String,
    },
    /// A record is larger than the log takes.
    #[error("the record has {bytes} bytes, the log takes at most {bytes_max}: split it or raise the limit")]
    TooLarge {
        /// Bytes of the record.
        bytes: usize,
        /// Bytes that a record may have.
        bytes_max: usize,
    },
    /// An earlier write failed.
    #[error("the log takes no more records since a write failed ({why}): mend the disk and restart")]
    Failed {
        /// The failure.
        why: Arc<str>,
    },
}

impl Error {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { action, path, source: Arc::new(source) }
    }

    pub(crate) fn corrupt(path: impl Into<PathBuf>, offset: usize, why: impl Into<String>) -> Error {
        Error::Corrupt { path: path.into(), offset: offset as u64, why: why.into() }
    }
}
