//! The last thing a log line passes: what looks like a secret is taken out of it.
//!
//! Nothing logs a key or a token on purpose. This is for the day when a library, or a message that quotes
//! what a caller sent, does.

use std::io::{self, Write};

use memchr::memmem::Finder;
use stipend_primitives::key::KEY_PREFIX;

/// What stands in a secret's place.
const REDACTED: &[u8] = b"[redacted]";

/// What stands before a secret, and stays.
const MARKS: [&str; 3] = [KEY_PREFIX, "Bearer ", "bearer "];

/// Writes lines without secrets.
pub(super) struct Redacted<W: Write> {
    inner: W,
    line: Vec<u8>,
}

impl<W: Write> Redacted<W> {
    pub(super) fn new(inner: W) -> Self {
        Redacted { inner, line: Vec::new() }
    }
}

impl<W: Write> Write for Redacted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A line is formatted as a whole and written at once, but nothing promises that.
        self.line.extend_from_slice(bytes);
        if self.line.ends_with(b"\n") {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        self.inner.write_all(&redacted(line))?;
        self.inner.flush()
    }
}

impl<W: Write> Drop for Redacted<W> {
    fn drop(&mut self) {
        if !self.line.is_empty() {
            // There is nowhere to say that the log cannot be written.
            drop(self.flush());
        }
    }
}

/// The line with every word behind a mark taken out.
fn redacted(mut line: Vec<u8>) -> Vec<u8> {
    for mark in MARKS {
        let finder = Finder::new(mark);
        let mut from = 0;
        while let Some(at) = finder.find(&line[from..]) {
            let start = from + at + mark.len();
            let len = line[start..].iter().take_while(|byte| is_of_secret(**byte)).count();
            line.splice(start..start + len, REDACTED.iter().copied());
            from = start + REDACTED.len();
        }
    }
    line
}

/// Characters of keys, and of tokens as RFC 6750 has them.
fn is_of_secret(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        let mut writer = Redacted::new(&mut out);
        for piece in text.as_bytes().chunks(7) {
            writer.write_all(piece).unwrap();
        }
        drop(writer);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn secrets_are_taken_out_and_nothing_else() {
        let line = "{\"why\":\"sk-stipend-00ffAB is not known\",\"header\":\"Bearer abc.def-1==\"} Bearer x, bearer y\n";
        let clean =
            "{\"why\":\"sk-stipend-[redacted] is not known\",\"header\":\"Bearer [redacted]\"} Bearer [redacted], \
             bearer [redacted]\n";
        assert_eq!(written(line), clean);
        assert_eq!(written("a batch of 5 receipts\n"), "a batch of 5 receipts\n");
    }
}
