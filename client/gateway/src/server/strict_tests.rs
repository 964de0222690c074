//! What is refused, what passes, and that neither depends on how the bytes arrive.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use parking_lot::Mutex;
use proptest::prelude::*;
use tokio::io::AsyncReadExt;

use super::*;

/// What comes out of a connection on which `bytes` arrive in pieces, and what was said against it.
fn pass(bytes: &[u8], cuts: &[usize]) -> (Vec<u8>, Option<&'static str>) {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.push(bytes.len());
    cuts.sort_unstable();
    let mut builder = tokio_test_io(bytes, &cuts);
    let why = Arc::new(Mutex::new(None));
    let said = why.clone();
    let mut strict = Strict::new(&mut builder, move |why| *said.lock() = Some(why));
    let mut passed = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(strict.read_to_end(&mut passed)).unwrap();
    let why = *why.lock();
    (passed, why)
}

/// A reader that gives one piece at a time.
fn tokio_test_io(bytes: &[u8], cuts: &[usize]) -> Pieces {
    let mut from = 0;
    let pieces = cuts.iter().map(|cut| bytes[std::mem::replace(&mut from, *cut)..*cut].to_vec());
    Pieces(pieces.filter(|piece| !piece.is_empty()).collect())
}

struct Pieces(std::collections::VecDeque<Vec<u8>>);

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(mut piece) = self.0.pop_front() {
            let rest = piece.split_off(piece.len().min(out.remaining()));
            out.put_slice(&piece);
            if !rest.is_empty() {
                self.0.push_front(rest);
            }
        }
        Poll::Ready(Ok(()))
    }
}

const SOUND: [&str; 6] = [
    "GET /v1/models HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /v1/models HTTP/1.0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\n\r\n5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nX: a:b\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n\r\n\r\nGET / \r\n",
];

const UNSOUND: [&str; 22] = [
    "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length:\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length: 9999999999999999999\r\n\r\nhello",
    "POST / HTTP/1.1\r\nContent-Length : 5\r\n\r\nhello",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\r\nX: a\rContent-Length: 5\r\n\r\n",
    "GET / HTTP/1.1\r\nX: a\0b\r\n\r\n",
    "GET / HTTP/1.1\r\nno colon\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nhello\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: trailer\r\n\r\n",
];

proptest! {
    #[test]
    fn sound_requests_pass_unchanged_one_after_the_other_however_they_arrive(
        order in prop::collection::vec(0..SOUND.len(), 1..5),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let bytes: String = order.iter().map(|index| SOUND[*index]).collect();
        prop_assert_eq!(pass(bytes.as_bytes(), &cuts), (bytes.into_bytes(), None));
    }

    #[test]
    fn an_unsound_request_ends_the_connection_and_what_was_before_it_passes(
        before in prop::collection::vec(0..SOUND.len(), 0..3),
        which in 0..UNSOUND.len(),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let before: String = before.iter().map(|index| SOUND[*index]).collect();
        let bytes = format!("{before}{}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n", UNSOUND[which]);
        let (passed, why) = pass(bytes.as_bytes(), &cuts);
        prop_assert!(why.is_some(), "{:?} passed", UNSOUND[which]);
        prop_assert!(passed.starts_with(before.as_bytes()) && passed.ends_with(REFUSED));
        prop_assert!(memmem::find(&passed, b"smuggled").is_none());
    }

    #[test]
    fn no_bytes_make_it_panic_or_pass_what_never_came(
        bytes in prop::collection::vec(prop_oneof![
            any::<u8>(), Just(b'\r'), Just(b'\n'), Just(b':'), Just(b'0')], 0..400),
        cuts in prop::collection::vec(any::<usize>(), 0..12),
    ) {
        let whole = pass(&bytes, &[]);
        let (passed, why) = pass(&bytes, &cuts);
        prop_assert!(passed.len() <= bytes.len() + REFUSED.len());
        prop_assert_eq!(why.is_some(), whole.1.is_some());
    }
}

#[test]
fn a_head_that_is_too_long_is_refused_before_it_ends() {
    let long = format!("GET / HTTP/1.1\r\nX: {}", "a".repeat(HEAD_BYTES_MAX));
    assert_eq!(pass(long.as_bytes(), &[]), (REFUSED.to_vec(), Some("the head is too long")));
}
