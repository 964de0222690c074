//! The framing of what callers send, read strictly before anything else reads it.
//!
//! A proxy in front and this server must agree on where a request ends: whoever makes them disagree slips a
//! second request past the proxy. RFC 9112 lets a server guess in many places; here each of them ends the
//! connection with 400 instead. Heads are withheld until they are complete and sound, bodies pass as they come.

use std::{
    io,
    pin::Pin,
    task::{ready, Context, Poll},
};

use bytes::{Buf, BytesMut};
use memchr::{memchr_iter, memmem};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes of a request's line and headers: four times what browsers and SDKs send with large cookies.
pub(super) const HEAD_BYTES_MAX: usize = 32 << 10;

/// Bytes of a chunk's length in hex: beyond that no body is within its limit.
const CHUNK_DIGITS_MAX: usize = 8;

/// Bytes that an idle connection keeps room for, and bytes read at a time of a large body.
const READ_BYTES: usize = 4 << 10;
const READ_BYTES_MAX: u64 = 64 << 10;

/// What hyper is given in place of a head that is refused: it answers 400 and closes, after the answers
/// that are still due.
const REFUSED: &[u8] = b"\0";

/// A connection whose requests are framed in one way only.
pub(super) struct Strict<S> {
    inner: S,
    bytes: BytesMut,
    /// Bytes at the front that may be read.
    passed: usize,
    expects: Expects,
    on_refusal: Box<dyn Fn(&'static str) + Send + Sync>,
}

/// What the bytes behind `passed` must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expects {
    /// A head, of which so many bytes were looked at.
    Head(usize),
    Body(u64),
    ChunkSize,
    /// Data with the line's end behind it.
    Chunk(u64),
    /// The empty line after the last chunk.
    End,
    Nothing,
}

/// How a head says that its body is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
}

impl<S> Strict<S> {
    /// `on_refusal` is told what was wrong, once.
    pub(super) fn new(inner: S, on_refusal: impl Fn(&'static str) + Send + Sync + 'static) -> Self {
        let on_refusal = Box::new(on_refusal);
        Strict { inner, bytes: BytesMut::new(), passed: 0, expects: Expects::Head(0), on_refusal }
    }

    /// Looks at what has arrived, as far as it goes.
    fn scan(&mut self) {
        while self.expects != Expects::Nothing {
            match self.step() {
                Ok(true) => {}
                Ok(false) => return,
                Err(why) => self.refuse(why),
            }
        }
    }

    fn refuse(&mut self, why: &'static str) {
        (self.on_refusal)(why);
        self.bytes.truncate(self.passed);
        self.bytes.extend_from_slice(REFUSED);
        self.passed = self.bytes.len();
        self.expects = Expects::Nothing;
    }

    /// One step; whether there may be another with the bytes that are there.
    fn step(&mut self) -> Result<bool, &'static str> {
        let rest = &self.bytes[self.passed..];
        if rest.is_empty() {
            return Ok(false);
        }
        match self.expects {
            Expects::Head(seen) => {
                let Some(len) = head_len(rest, seen)? else {
                    self.expects = Expects::Head(rest.len());
                    return Ok(false);
                };
                self.expects = match framing(&rest[..len])? {
                    Framing::Length(0) => Expects::Head(0),
                    Framing::Length(len) => Expects::Body(len),
                    Framing::Chunked => Expects::ChunkSize,
                };
                self.passed += len;
            }
            Expects::Body(left) => {
                let here = left.min(rest.len() as u64);
                self.passed += here as usize;
                self.expects = if here == left { Expects::Head(0) } else { Expects::Body(left - here) };
            }
            Expects::ChunkSize => {
                let Some((len, size)) = chunk_size(rest)? else { return Ok(false) };
                self.passed += len;
                self.expects = if size == 0 { Expects::End } else { Expects::Chunk(size + 2) };
            }
            Expects::Chunk(left) => {
                let here = left.min(rest.len() as u64);
                check_line_end(&rest[..here as usize], left)?;
                self.passed += here as usize;
                self.expects = if here == left { Expects::ChunkSize } else { Expects::Chunk(left - here) };
            }
            Expects::End => match rest {
                [b'\r', b'\n', ..] => {
                    self.passed += 2;
                    self.expects = Expects::Head(0);
                }
                [b'\r'] => return Ok(false),
                _ => return Err("a chunked body ends with more than an empty line"),
            },
            Expects::Nothing => return Ok(false),
        }
        Ok(true)
    }
}

/// Length of the head at the front, of which `seen` bytes were looked at before; `None` if it is not complete.
fn head_len(bytes: &[u8], seen: usize) -> Result<Option<usize>, &'static str> {
    let from = seen.saturating_sub(3);
    let end = memmem::find(&bytes[from..], b"\r\n\r\n").map(|at| from + at + 4);
    let head = &bytes[..end.unwrap_or(bytes.len())];
    for at in memchr_iter(b'\n', &head[seen.min(head.len())..]).map(|at| seen + at) {
        if at == 0 || head[at - 1] != b'\r' {
            return Err("a line ends without a carriage return");
        }
    }
    if head.len() > HEAD_BYTES_MAX {
        return Err("the head is too long");
    }
    Ok(end)
}

/// Reads what a complete head says of its body.
fn framing(head: &[u8]) -> Result<Framing, &'static str> {
    let (mut length, mut is_chunked, mut is_http_10) = (None, false, false);
    // The last two lines are empty: the head's end.
    for (index, line) in head[..head.len() - 4].split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.iter().any(|byte| matches!(byte, b'\r' | b'\0')) {
            return Err("a control character stands in the head");
        }
        if index == 0 {
            is_http_10 = line.ends_with(b" HTTP/1.0");
            continue;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return Err("a header has no colon");
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.is_empty() || name.iter().any(u8::is_ascii_whitespace) {
            return Err("a header is folded, or blanks stand in its name");
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            if length.replace(number(value).ok_or("the content length is no number")?).is_some() {
                return Err("there are two content lengths");
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if is_chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err("the transfer encoding is not chunked alone");
            }
            is_chunked = true;
        }
    }
    match (length, is_chunked) {
        (Some(_), true) => Err("content length and transfer encoding contradict each other"),
        (None, true) if is_http_10 => Err("HTTP/1.0 has no transfer encoding"),
        (None, true) => Ok(Framing::Chunked),
        (length, false) => Ok(Framing::Length(length.unwrap_or(0))),
    }
}

/// A content length: digits alone, no sign, no list.
fn number(text: &[u8]) -> Option<u64> {
    let is_plain = (1..=18).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    is_plain.then(|| text.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// The line with a chunk's size: its length and the size; `None` if it is not complete.
fn chunk_size(bytes: &[u8]) -> Result<Option<(usize, u64)>, &'static str> {
    const WHY: &str = "a chunk's size is no plain hex number";
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    if digits > CHUNK_DIGITS_MAX {
        return Err(WHY);
    }
    match &bytes[digits..] {
        [] | [b'\r'] if digits > 0 => Ok(None),
        [b'\r', b'\n', ..] if digits > 0 => {
            let text = std::str::from_utf8(&bytes[..digits]).map_err(|_| WHY)?;
            Ok(Some((digits + 2, u64::from_str_radix(text, 16).map_err(|_| WHY)?)))
        }
        _ => Err(WHY),
    }
}

/// Whether a chunk of which `left` bytes are missing, its line's end included, ends as it must.
fn check_line_end(bytes: &[u8], left: u64) -> Result<(), &'static str> {
    // How far from the chunk's end the last byte here is.
    let behind = left - bytes.len() as u64;
    let is_sound = match (behind, bytes) {
        (0, [.., b'\r', b'\n']) | (1, [.., b'\r']) => true,
        (0, [b'\n']) => left == 1,
        (0 | 1, _) => false,
        _ => true,
    };
    is_sound.then_some(()).ok_or("a chunk is longer than its size")
}

impl<S: AsyncRead + Unpin> AsyncRead for Strict<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while this.passed == 0 {
            if this.expects == Expects::Nothing {
                return Poll::Ready(Ok(()));
            }
            this.bytes.reserve(match this.expects {
                Expects::Body(left) | Expects::Chunk(left) => left.min(READ_BYTES_MAX) as usize,
                _ => READ_BYTES,
            });
            let read = tokio_util::io::poll_read_buf(Pin::new(&mut this.inner), context, &mut this.bytes);
            if ready!(read)? == 0 {
                return Poll::Ready(Ok(()));
            }
            this.scan();
        }
        let len = this.passed.min(out.remaining());
        out.put_slice(&this.bytes[..len]);
        this.bytes.advance(len);
        this.passed -= len;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Strict<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
#[path = "strict_tests.rs"]
mod tests;
