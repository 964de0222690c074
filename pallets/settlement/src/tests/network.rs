//! A network of attestors for the off-chain worker, with a clock of its own.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use parking_lot::Mutex;
use sp_core::{
    offchain::{Externalities, HttpError, HttpRequestId, HttpRequestStatus, OpaqueNetworkState, Timestamp},
    OpaquePeerId,
};

/// A moment that never comes.
pub const NEVER: u64 = u64::MAX / 4;

/// What a URL answers with.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// Milliseconds from the request to the headers.
    pub headers_after_ms: u64,
    /// Milliseconds from one kilobyte of the body to the next, and to its end.
    pub kilobyte_after_ms: u64,
}

impl Answer {
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Answer { status: 200, body: body.into(), headers_after_ms: 3, kilobyte_after_ms: 0 }
    }

    pub fn status(status: u16) -> Self {
        Answer { status, ..Answer::ok("") }
    }
}

struct Request {
    url: String,
    sent: bool,
    started: u64,
    /// `None`: nothing listens.
    answer: Option<Answer>,
    read: usize,
}

#[derive(Default)]
struct State {
    now: u64,
    hosts: BTreeMap<String, ()>,
    answers: BTreeMap<String, VecDeque<Answer>>,
    requests: Vec<Request>,
}

/// Shared by the test and the worker.
#[derive(Clone, Default)]
pub struct Network(Arc<Mutex<State>>);

impl Network {
    /// Lets something listen at `endpoint`, which answers 404 until it is told otherwise.
    pub fn listen(&self, endpoint: &str) {
        self.0.lock().hosts.insert(endpoint.to_owned(), ());
    }

    /// Lets nothing listen at `endpoint` any more.
    pub fn silence(&self, endpoint: &str) {
        self.0.lock().hosts.remove(endpoint);
    }

    /// Lets `url` answer with `answer`, always.
    pub fn answer(&self, url: &str, answer: Answer) {
        self.0.lock().answers.insert(url.to_owned(), VecDeque::from([answer]));
    }

    /// The URLs asked for since the last call.
    pub fn asked(&self) -> Vec<String> {
        let mut state = self.0.lock();
        let asked = state.requests.iter().filter(|request| request.sent).map(|request| request.url.clone());
        let asked = asked.collect();
        state.requests.clear();
        asked
    }

    /// Milliseconds on the network's clock.
    pub fn now(&self) -> u64 {
        self.0.lock().now
    }

    pub fn pass(&self, ms: u64) {
        self.0.lock().now += ms;
    }
}

impl State {
    fn request(&mut self, id: HttpRequestId) -> Option<&mut Request> {
        self.requests.get_mut(usize::from(u16::from(id)))
    }
}

impl Externalities for Network {
    fn is_validator(&self) -> bool {
        true
    }

    fn network_state(&self) -> Result<OpaqueNetworkState, ()> {
        Err(())
    }

    fn timestamp(&mut self) -> Timestamp {
        Timestamp::from_unix_millis(self.now())
    }

    fn sleep_until(&mut self, deadline: Timestamp) {
        let mut state = self.0.lock();
        state.now = state.now.max(deadline.unix_millis());
    }

    fn random_seed(&mut self) -> [u8; 32] {
        [0; 32]
    }

    fn http_request_start(&mut self, method: &str, uri: &str, _meta: &[u8]) -> Result<HttpRequestId, ()> {
        assert_eq!(method, "GET");
        let mut state = self.0.lock();
        let listens = state.hosts.keys().any(|host| uri.starts_with(host.as_str()));
        let answer = listens.then(|| {
            let answers = state.answers.get(uri);
            answers.and_then(|answers| answers.front().cloned()).unwrap_or_else(|| Answer::status(404))
        });
        let started = state.now;
        state.requests.push(Request { url: uri.to_owned(), sent: false, started, answer, read: 0 });
        Ok(HttpRequestId::from((state.requests.len() - 1) as u16))
    }

    fn http_request_add_header(&mut self, _id: HttpRequestId, _name: &str, _value: &str) -> Result<(), ()> {
        Ok(())
    }

    fn http_request_write_body(
        &mut self,
        id: HttpRequestId,
        chunk: &[u8],
        deadline: Option<Timestamp>,
    ) -> Result<(), HttpError> {
        assert!(deadline.is_some(), "a request without a deadline can hang");
        assert!(chunk.is_empty());
        self.0.lock().request(id).ok_or(HttpError::Invalid)?.sent = true;
        Ok(())
    }

    fn http_response_wait(
        &mut self,
        ids: &[HttpRequestId],
        deadline: Option<Timestamp>,
    ) -> Vec<HttpRequestStatus> {
        let mut state = self.0.lock();
        let deadline = deadline.expect("waiting without a deadline can hang").unix_millis();
        let ready_at = |request: &Request| {
            assert!(request.sent, "the request was never finished");
            request.answer.as_ref().map_or(0, |answer| request.started + answer.headers_after_ms)
        };
        let all_ready_at = ids.iter().map(|id| state.request(*id).map_or(0, |request| ready_at(request)));
        let all_ready_at = all_ready_at.max().unwrap_or(0);
        state.now = state.now.max(all_ready_at.min(deadline));
        let now = state.now;
        ids.iter()
            .map(|id| match state.request(*id) {
                None => HttpRequestStatus::Invalid,
                Some(request) if ready_at(request) > now => HttpRequestStatus::DeadlineReached,
                Some(Request { answer: None, .. }) => HttpRequestStatus::IoError,
                Some(Request { answer: Some(answer), .. }) => HttpRequestStatus::Finished(answer.status),
            })
            .collect()
    }

    fn http_response_headers(&mut self, _id: HttpRequestId) -> Vec<(Vec<u8>, Vec<u8>)> {
        Vec::new()
    }

    fn http_response_read_body(
        &mut self,
        id: HttpRequestId,
        buffer: &mut [u8],
        deadline: Option<Timestamp>,
    ) -> Result<usize, HttpError> {
        let mut state = self.0.lock();
        let now = state.now;
        let deadline = deadline.expect("reading without a deadline can hang").unix_millis();
        let request = state.request(id).ok_or(HttpError::Invalid)?;
        let answer = request.answer.as_ref().ok_or(HttpError::IoError)?;
        let ready_at = request.started
            + answer.headers_after_ms
            + (request.read as u64 / 1024 + 1) * answer.kilobyte_after_ms;
        if ready_at > now.max(deadline) {
            state.now = now.max(deadline);
            return Err(HttpError::DeadlineReached);
        }
        let len = buffer.len().min(1024).min(answer.body.len() - request.read);
        buffer[..len].copy_from_slice(&answer.body[request.read..request.read + len]);
        request.read += len;
        state.now = now.max(ready_at);
        Ok(len)
    }

    fn set_authorized_nodes(&mut self, _nodes: Vec<OpaquePeerId>, _authorized_only: bool) {}
}
