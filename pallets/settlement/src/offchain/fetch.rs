//! Many HTTP requests at once, none of which can hold up another.
//!
//! The node's HTTP interface blocks, and knows no limit for a body. So everything here is asked for
//! in short slices of time: whoever is ready is served, whoever is not is asked again, and every
//! request has a deadline for its headers, one for its body and a cap on its size. Redirects are not
//! followed: a provider answers at the endpoint that the chain knows, or it does not answer.

use alloc::{vec, vec::Vec};

use sp_core::offchain::{Duration, HttpError, HttpRequestId, HttpRequestStatus, Timestamp};
use sp_io::offchain;

/// How long one look at the open requests takes when none is ready.
const SLICE_MS: u64 = 20;

/// The same while bodies come in: the node buffers a few chunks of each and then stops reading.
const BODY_SLICE_MS: u64 = 2;

/// Bytes read from a body at once.
const CHUNK_LEN: usize = 16 * 1024;

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To connect and answer with headers.
    pub headers_ms: u64,
    /// To send the whole body, from the start on.
    pub whole_ms: u64,
}

/// Why there is no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing listens there, or the connection broke.
    Unreachable,
    /// A deadline passed.
    TimedOut,
    /// The answer's status is not 200.
    Status(u16),
    /// The body is longer than it can be.
    TooLong,
}

/// A request that came to its end.
pub struct Done<P> {
    /// What the caller asked for.
    pub purpose: P,
    /// What came of it.
    pub result: Result<Vec<u8>, Fault>,
    /// How long it took.
    pub elapsed_ms: u64,
}

enum Stage {
    Headers,
    Body(Vec<u8>),
}

struct Running<P> {
    id: HttpRequestId,
    purpose: P,
    started: Timestamp,
    len_max: usize,
    stage: Stage,
}

/// The requests under way.
pub struct Fetches<P> {
    limits: Limits,
    running: Vec<Running<P>>,
    done: Vec<Done<P>>,
    chunk: Vec<u8>,
}

impl<P> Fetches<P> {
    /// No requests yet.
    pub fn new(limits: Limits) -> Self {
        Fetches { limits, running: Vec::new(), done: Vec::new(), chunk: vec![0; CHUNK_LEN] }
    }

    /// Starts a GET request whose body may have `len_max` bytes.
    pub fn start(&mut self, url: &str, len_max: usize, purpose: P) {
        let started = offchain::timestamp();
        let deadline = Some(started.add(Duration::from_millis(self.limits.headers_ms)));
        // An empty chunk says that the request is complete: it goes out now.
        let id = offchain::http_request_start("GET", url, &[])
            .ok()
            .filter(|id| offchain::http_request_write_body(*id, &[], deadline).is_ok());
        match id {
            Some(id) => self.running.push(Running { id, purpose, started, len_max, stage: Stage::Headers }),
            None => self.done.push(Done { purpose, result: Err(Fault::Unreachable), elapsed_ms: 0 }),
        }
    }

    /// Waits for the next request that comes to its end, whichever that is; `None` if none is left.
    pub fn next_done(&mut self) -> Option<Done<P>> {
        loop {
            if let Some(done) = self.done.pop() {
                return Some(done);
            }
            if self.running.is_empty() {
                return None;
            }
            let bodies_come = self.running.iter().any(|running| matches!(running.stage, Stage::Body(_)));
            let slice_ms = if bodies_come { BODY_SLICE_MS } else { SLICE_MS };
            let slice_end = offchain::timestamp().add(Duration::from_millis(slice_ms));
            let waited = self.look_at_headers(slice_end);
            self.read_bodies();
            self.stop_overdue();
            if self.done.is_empty() && !waited {
                offchain::sleep_until(slice_end);
            }
        }
    }

    fn finish(&mut self, at: usize, result: Result<Vec<u8>, Fault>) {
        let running = self.running.swap_remove(at);
        let elapsed_ms = offchain::timestamp().diff(&running.started).millis();
        self.done.push(Done { purpose: running.purpose, result, elapsed_ms });
    }

    /// Moves the requests that were answered on to their bodies. Waits until `slice_end` if not all
    /// were; says whether there was any to wait for.
    fn look_at_headers(&mut self, slice_end: Timestamp) -> bool {
        let waiting: Vec<usize> =
            (0..self.running.len()).filter(|at| matches!(self.running[*at].stage, Stage::Headers)).collect();
        if waiting.is_empty() {
            return false;
        }
        let ids: Vec<HttpRequestId> = waiting.iter().map(|at| self.running[*at].id).collect();
        let statuses = offchain::http_response_wait(&ids, Some(slice_end));
        // From the back, because finishing one moves the last into its place.
        for (at, status) in waiting.into_iter().zip(statuses).rev() {
            match status {
                HttpRequestStatus::DeadlineReached => (),
                HttpRequestStatus::Finished(200) => self.running[at].stage = Stage::Body(Vec::new()),
                HttpRequestStatus::Finished(status) => self.finish(at, Err(Fault::Status(status))),
                HttpRequestStatus::IoError | HttpRequestStatus::Invalid => {
                    self.finish(at, Err(Fault::Unreachable))
                }
            }
        }
        true
    }

    /// Reads what has come of each body, without waiting for more.
    fn read_bodies(&mut self) {
        for at in (0..self.running.len()).rev() {
            let running = &mut self.running[at];
            let Stage::Body(body) = &mut running.stage else { continue };
            let result = read_available(running.id, body, running.len_max, &mut self.chunk);
            if let Some(result) = result {
                let body = core::mem::take(body);
                self.finish(at, result.map(|()| body));
            }
        }
    }

    fn stop_overdue(&mut self) {
        let now = offchain::timestamp();
        for at in (0..self.running.len()).rev() {
            let running = &self.running[at];
            let time_ms = match running.stage {
                Stage::Headers => self.limits.headers_ms,
                Stage::Body(_) => self.limits.whole_ms,
            };
            if now >= running.started.add(Duration::from_millis(time_ms)) {
                self.finish(at, Err(Fault::TimedOut));
            }
        }
    }
}

/// Appends to `body` what has come; `Some` once that was the end, for better or worse.
fn read_available(
    id: HttpRequestId,
    body: &mut Vec<u8>,
    len_max: usize,
    chunk: &mut [u8],
) -> Option<Result<(), Fault>> {
    loop {
        // A deadline in the past reads what is there and does not wait.
        match offchain::http_response_read_body(id, chunk, Some(offchain::timestamp())) {
            Ok(0) => return Some(Ok(())),
            Ok(len) if body.len() + len as usize > len_max => return Some(Err(Fault::TooLong)),
            Ok(len) => body.extend_from_slice(&chunk[..len as usize]),
            Err(HttpError::DeadlineReached) => return None,
            Err(HttpError::IoError | HttpError::Invalid) => return Some(Err(Fault::Unreachable)),
        }
    }
}
