//! What a streamed event says.

use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde::{de::IgnoredAny, Deserialize};

use crate::{
    sse::Event,
    usage::{Counts, RawUsage, UsageError},
};

/// One event of a streamed answer, as far as metering looks at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// `[DONE]`: the stream is complete.
    Done,
    /// The chunk with usage and without choices that `include_usage` puts before `[DONE]`. It is
    /// hidden from a caller that did not ask for it.
    UsageOnly(Counts),
    /// Anything else; with the usage so far where the engine gives it on every chunk.
    Other(Option<Counts>),
    /// The engine failed in the middle of the stream.
    Error,
}

impl Chunk {
    /// Reads an event. `None` if it carries no data, such as a comment that keeps a connection open.
    pub fn read(event: &Event) -> Option<Result<Chunk, UsageError>> {
        event.data().map(|data| Self::of_data(&data))
    }

    /// Reads an event's data.
    pub fn of_data(data: &[u8]) -> Result<Chunk, UsageError> {
        static USAGE: LazyLock<Finder> = LazyLock::new(|| Finder::new(b"\"usage\""));
        static ERROR: LazyLock<Finder> = LazyLock::new(|| Finder::new(b"\"error\""));
        #[derive(Deserialize)]
        struct Raw {
            #[serde(default)]
            choices: Option<Vec<IgnoredAny>>,
            #[serde(default)]
            usage: Option<RawUsage>,
            #[serde(default)]
            error: Option<IgnoredAny>,
        }
        let data = data.trim_ascii();
        if data == b"[DONE]" {
            return Ok(Chunk::Done);
        }
        // Of a thousand chunks one has usage: the others need no parser.
        if USAGE.find(data).is_none() && ERROR.find(data).is_none() {
            return Ok(Chunk::Other(None));
        }
        let raw: Raw =
            serde_json::from_slice(data).map_err(|error| UsageError::Unreadable(error.to_string()))?;
        if raw.error.is_some() {
            return Ok(Chunk::Error);
        }
        let has_choices = raw.choices.is_some_and(|choices| !choices.is_empty());
        Ok(match raw.usage.map(Counts::from) {
            Some(counts) if !has_choices => Chunk::UsageOnly(counts),
            counts => Chunk::Other(counts),
        })
    }

    /// The usage that the chunk gives, if it gives any.
    pub fn counts(&self) -> Option<Counts> {
        match self {
            Chunk::UsageOnly(counts) => Some(*counts),
            Chunk::Other(counts) => *counts,
            Chunk::Done | Chunk::Error => None,
        }
    }
}
