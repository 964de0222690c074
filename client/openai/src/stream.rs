//! What a streamed event says, in the stream of each endpoint.

use std::{borrow::Cow, sync::LazyLock};

use memchr::memmem::Finder;
use serde::{de::IgnoredAny, Deserialize};
use serde_json::value::RawValue;
use stipend_primitives::cost::Usage;

use crate::{
    sse::Event,
    usage::{RawUsage, UsageError, UsageReader},
    Endpoint,
};

/// One event of a streamed answer, as far as passing it on depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk {
    /// The event that says that the stream is complete: `[DONE]`, `response.completed` or
    /// `response.incomplete`, `message_stop`, `image_generation.completed`.
    End,
    /// The chunk with usage and without choices that `include_usage` puts before `[DONE]`. It is
    /// hidden from a caller that did not ask for it.
    UsageOnly,
    /// Anything else.
    Other,
    /// The engine failed in the middle of the stream.
    Error,
}

/// Reads the events of one stream, and remembers what they say of what was used.
#[derive(Clone, Debug)]
pub struct StreamReader {
    reader: UsageReader,
    /// The newest usage.
    usage: Option<RawUsage>,
    is_complete: bool,
    has_failed: bool,
}

impl UsageReader {
    /// A reader for the answer's stream.
    pub fn stream(&self) -> StreamReader {
        StreamReader { reader: *self, usage: None, is_complete: false, has_failed: false }
    }
}

impl StreamReader {
    /// Takes an event in. `None` if it carries no data, such as a comment that keeps a connection open.
    pub fn take(&mut self, event: &Event) -> Option<Result<Chunk, UsageError>> {
        event.data().map(|data| self.take_data(&data))
    }

    /// Takes an event's data in.
    pub fn take_data(&mut self, data: &[u8]) -> Result<Chunk, UsageError> {
        let data = data.trim_ascii();
        let chunk = match self.reader.endpoint {
            _ if data == b"[DONE]" => Chunk::End,
            Endpoint::Chat | Endpoint::Completions | Endpoint::Embeddings => self.chunk(data)?,
            Endpoint::Responses | Endpoint::Messages | Endpoint::Images => self.typed(data)?,
        };
        self.is_complete |= matches!(chunk, Chunk::End | Chunk::UsageOnly);
        self.has_failed |= chunk == Chunk::Error;
        Ok(chunk)
    }

    /// Whether the usage so far is the final one.
    pub fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Whether the engine said that it failed.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// What was used, as far as events have said.
    pub fn usage(&self) -> Result<Usage, UsageError> {
        let endpoint = self.reader.endpoint;
        match self.usage.as_ref().map(|usage| usage.counts(endpoint)) {
            // A stream is of one image.
            None | Some(Err(UsageError::Absent)) if endpoint == Endpoint::Images && self.is_complete => {
                self.reader.of_images(1).usage()
            }
            counts => counts.unwrap_or(Err(UsageError::Absent))?.usage(),
        }
    }

    /// A chunk of OpenAI's older protocols.
    fn chunk(&mut self, data: &[u8]) -> Result<Chunk, UsageError> {
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
        // Of a thousand chunks one has usage: the others need no parser.
        if USAGE.find(data).is_none() && ERROR.find(data).is_none() {
            return Ok(Chunk::Other);
        }
        let raw: Raw = read(data)?;
        if raw.error.is_some() {
            return Ok(Chunk::Error);
        }
        let has_choices = raw.choices.is_some_and(|choices| !choices.is_empty());
        let Some(usage) = raw.usage else { return Ok(Chunk::Other) };
        self.usage = Some(usage);
        Ok(if has_choices { Chunk::Other } else { Chunk::UsageOnly })
    }

    /// An event that names its type: of responses, messages or images.
    fn typed(&mut self, data: &[u8]) -> Result<Chunk, UsageError> {
        #[derive(Deserialize)]
        struct Inner {
            #[serde(default)]
            usage: Option<RawUsage>,
        }
        // What an event of another type has under these names is not looked at.
        #[derive(Deserialize)]
        struct Raw<'a> {
            #[serde(borrow, default, rename = "type")]
            kind: Option<Cow<'a, str>>,
            #[serde(borrow, default)]
            response: Option<&'a RawValue>,
            #[serde(borrow, default)]
            message: Option<&'a RawValue>,
            #[serde(borrow, default)]
            usage: Option<&'a RawValue>,
            #[serde(default)]
            error: Option<IgnoredAny>,
        }
        let inside = |raw: Option<&RawValue>| match raw {
            Some(raw) => read::<Inner>(raw.get().as_bytes()).map(|inner| inner.usage),
            None => Ok(None),
        };
        let raw: Raw = read(data)?;
        let usage = || raw.usage.map(|usage| read::<RawUsage>(usage.get().as_bytes())).transpose();
        let kind = raw.kind.as_deref().unwrap_or_default();
        if matches!(kind, "error" | "response.failed") || (kind.is_empty() && raw.error.is_some()) {
            return Ok(Chunk::Error);
        }
        match kind {
            "response.completed" | "response.incomplete" => {
                self.usage = inside(raw.response)?;
                Ok(Chunk::End)
            }
            "image_generation.completed" => {
                self.usage = usage()?;
                Ok(Chunk::End)
            }
            "message_start" => {
                self.usage = inside(raw.message)?;
                Ok(Chunk::Other)
            }
            "message_delta" => {
                if let Some(usage) = usage()? {
                    self.usage.get_or_insert_default().update(usage);
                }
                Ok(Chunk::Other)
            }
            "message_stop" => Ok(Chunk::End),
            _ => Ok(Chunk::Other),
        }
    }
}

fn read<'a, T: Deserialize<'a>>(data: &'a [u8]) -> Result<T, UsageError> {
    serde_json::from_slice(data).map_err(|error| UsageError::Unreadable(error.to_string()))
}
