//! One connection of a caller.

use std::{net::SocketAddr, time::Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    client::conn::http1::{handshake, SendRequest},
    Request, StatusCode,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::target::{Expected, Form};

/// What ends a stream that is whole.
const DONE: &[u8] = b"data: [DONE]";

/// Bytes that may follow [`DONE`]: the ends of its lines.
const AFTER_DONE_MAX: usize = 4;

/// A connection, one request at a time.
pub(crate) struct Connection {
    address: SocketAddr,
    sender: SendRequest<Full<Bytes>>,
}

/// When a good answer came.
pub(crate) struct Shot {
    /// Its first byte of the body.
    pub(crate) first: Instant,
    /// Its last byte.
    pub(crate) end: Instant,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        Ok(Connection { address, sender: connect(address).await? })
    }

    /// Sends a request and reads all of the answer.
    pub(crate) async fn read(&mut self, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes)> {
        let response = self.sender.send_request(request).await.context("it broke off")?;
        let status = response.status();
        Ok((status, response.into_body().collect().await.context("its answer broke off")?.to_bytes()))
    }

    /// Sends a request; fails unless the answer is what it must be.
    pub(crate) async fn shoot(
        &mut self,
        request: Request<Full<Bytes>>,
        expected: Expected,
    ) -> Result<Shot, String> {
        if self.sender.ready().await.is_err() {
            // The other side ended the connection between two requests, as it may.
            self.sender = connect(self.address).await.map_err(|error| format!("{error:#}"))?;
        }
        let response = self.sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = response.status();
        if status != StatusCode::OK {
            return Err(format!("it answered {status}"));
        }
        let (mut body, mut first, mut bytes) = (response.into_body(), None, 0);
        let mut tail = Tail::default();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| error.to_string())?;
            let Some(data) = frame.data_ref() else { continue };
            first.get_or_insert_with(Instant::now);
            bytes += data.len();
            if expected.form == Form::Stream {
                tail.push(data);
            }
        }
        let end = Instant::now();
        if bytes < expected.bytes_min {
            return Err(format!("its answer has {bytes} bytes, {} are expected", expected.bytes_min));
        }
        if expected.form == Form::Stream && !tail.is_done() {
            return Err("its stream ended early".into());
        }
        Ok(Shot { first: first.unwrap_or(end), end })
    }
}

async fn connect(address: SocketAddr) -> Result<SendRequest<Full<Bytes>>> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // What breaks it is seen by who sends.
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

/// The last bytes of a stream.
#[derive(Default)]
struct Tail(Vec<u8>);

impl Tail {
    fn push(&mut self, data: &[u8]) {
        const LENGTH: usize = DONE.len() + AFTER_DONE_MAX;
        self.0.extend_from_slice(&data[data.len().saturating_sub(LENGTH)..]);
        let surplus = self.0.len().saturating_sub(LENGTH);
        self.0.drain(..surplus);
    }

    fn is_done(&self) -> bool {
        self.0.trim_ascii_end().ends_with(DONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_whole_when_it_ends_with_its_mark_however_it_was_cut() {
        let stream = b"data: {}\n\ndata: [DONE]\n\n";
        for at in 0..stream.len() {
            let mut tail = Tail::default();
            tail.push(&stream[..at]);
            assert!(!tail.is_done() || at >= stream.len() - 2, "cut at {at}");
            tail.push(&stream[at..]);
            assert!(tail.is_done(), "cut at {at}");
        }
    }
}
