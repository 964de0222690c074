//! Server-sent events out of arbitrary pieces of a stream [WHATWG HTML, "Server-sent events"].

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use memchr::memchr2;

/// Bytes of one event at most, unless the splitter is told otherwise: the largest real ones carry
/// log probabilities of a few dozen tokens in some ten kilobytes.
pub const EVENT_BYTES_MAX: usize = 1 << 20;

/// An event grew beyond the splitter's bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a server-sent event is larger than {bytes_max} bytes")]
pub struct EventTooLarge {
    /// The bound.
    pub bytes_max: usize,
}

/// One event as it came, its closing blank line included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The bytes, to pass on unchanged.
    pub raw: Bytes,
}

impl Event {
    /// What the event's `data` lines say, joined by newlines; `None` if it has none (a comment, an
    /// empty line).
    pub fn data(&self) -> Option<Cow<'_, [u8]>> {
        let mut data: Option<Cow<[u8]>> = None;
        let mut rest: &[u8] = &self.raw;
        while !rest.is_empty() {
            let (line, after) = take_line(rest);
            rest = after;
            let Some(value) = field_value(line) else { continue };
            data = Some(match data {
                None => Cow::Borrowed(value),
                Some(before) => {
                    let mut joined = before.into_owned();
                    joined.push(b'\n');
                    joined.extend_from_slice(value);
                    Cow::Owned(joined)
                }
            });
        }
        data
    }

    /// The event with other data, of one line; every other field stays.
    pub fn with_data(&self, data: &[u8]) -> Bytes {
        let mut event = BytesMut::with_capacity(self.raw.len() + data.len());
        let mut rest: &[u8] = &self.raw;
        while !rest.is_empty() {
            let (line, after) = take_line(rest);
            rest = after;
            if !line.is_empty() && field_value(line).is_none() {
                event.extend_from_slice(line);
                event.extend_from_slice(b"\n");
            }
        }
        event.extend_from_slice(b"data: ");
        event.extend_from_slice(data);
        event.extend_from_slice(b"\n\n");
        event.freeze()
    }
}

/// The first line without its end, and what follows it.
fn take_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match memchr2(b'\n', b'\r', bytes) {
        None => (bytes, &[]),
        Some(at) => {
            let end = if bytes[at..].starts_with(b"\r\n") { at + 2 } else { at + 1 };
            (&bytes[..at], &bytes[end..])
        }
    }
}

/// The value of a `data` line; one space after the colon belongs to the syntax.
fn field_value(line: &[u8]) -> Option<&[u8]> {
    let after_name = line.strip_prefix(b"data")?;
    if after_name.is_empty() {
        return Some(after_name);
    }
    let value = after_name.strip_prefix(b":")?;
    Some(value.strip_prefix(b" ").unwrap_or(value))
}

/// Splits a stream into events, whatever pieces it arrives in.
///
/// The events one after the other, and then [`EventSplitter::finish`], are the stream's bytes. An
/// event that lies in one piece is a slice of it, not a copy.
pub struct EventSplitter {
    bytes_max: usize,
    /// The event that is not complete yet.
    partial: BytesMut,
    /// Whether nothing came since the last line end.
    line_is_empty: bool,
    /// Whether the byte before was a carriage return: a line feed then ends no further line.
    after_cr: bool,
}

impl Default for EventSplitter {
    fn default() -> Self {
        Self::new(EVENT_BYTES_MAX)
    }
}

impl EventSplitter {
    /// A splitter for events of up to `bytes_max` bytes.
    pub fn new(bytes_max: usize) -> Self {
        EventSplitter { bytes_max, partial: BytesMut::new(), line_is_empty: true, after_cr: false }
    }

    /// Takes the next piece; appends the events that it completes to `events`.
    pub fn push(&mut self, mut piece: Bytes, events: &mut Vec<Event>) -> Result<(), EventTooLarge> {
        while let Some(end) = self.event_end(&piece) {
            let tail = piece.split_to(end);
            self.check_size(tail.len())?;
            let raw = if self.partial.is_empty() {
                tail
            } else {
                self.partial.extend_from_slice(&tail);
                self.partial.split().freeze()
            };
            events.push(Event { raw });
        }
        self.check_size(piece.len())?;
        self.partial.extend_from_slice(&piece);
        Ok(())
    }

    /// What came after the last complete event.
    pub fn finish(self) -> Bytes {
        self.partial.freeze()
    }

    fn check_size(&self, more: usize) -> Result<(), EventTooLarge> {
        if self.partial.len() + more > self.bytes_max {
            return Err(EventTooLarge { bytes_max: self.bytes_max });
        }
        Ok(())
    }

    /// Walks the line ends of `piece` up to the first that ends an empty line; returns where the
    /// event ends, or `None` after the last byte.
    fn event_end(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < piece.len() {
            let Some(next) = memchr2(b'\n', b'\r', &piece[at..]) else {
                self.line_is_empty = false;
                self.after_cr = false;
                return None;
            };
            if next > 0 {
                self.line_is_empty = false;
                self.after_cr = false;
            }
            let end = piece[at + next];
            at += next + 1;
            if end == b'\n' && self.after_cr {
                // The second half of a line end that was counted already.
                self.after_cr = false;
                continue;
            }
            self.after_cr = end == b'\r';
            if self.line_is_empty {
                if self.after_cr && piece.get(at) == Some(&b'\n') {
                    self.after_cr = false;
                    at += 1;
                }
                return Some(at);
            }
            self.line_is_empty = true;
        }
        None
    }
}
