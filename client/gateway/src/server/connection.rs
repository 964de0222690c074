//! One connection, from its first byte to its last.

use std::{convert::Infallible, pin::pin, sync::Arc, time::Duration};

use http::{header, HeaderValue, Request, Response, Version};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use stipend_openai::{ApiError, Endpoint};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time::timeout,
};
use tracing::Instrument;

use super::{
    answer::{self, AnswerBody},
    request_id, routes, span,
    stall::Stall,
    stopped,
    strict::{Strict, HEAD_BYTES_MAX},
};
use crate::{state::State, waste::Peer};

/// How long a caller may take to send a request's head.
const HEAD_WAIT_MAX: Duration = Duration::from_secs(15);

/// How long a caller may take to agree on a TLS session.
const HANDSHAKE_WAIT_MAX: Duration = Duration::from_secs(10);

/// Headers of one request: browsers send some twenty.
const HEADERS_MAX: usize = 64;

/// Serves what arrives on a connection until either side has had enough.
pub(super) async fn serve(stream: TcpStream, state: Arc<State>, stop: watch::Receiver<bool>) {
    // Nobody else asks where a caller is.
    let peer = state.waste.as_ref().and_then(|_| stream.peer_addr().ok()).map(|peer| Peer(peer.ip()));
    // A caller that reads nothing of its answer is gone, however open its connection is.
    let stream = Stall::new(stream, state.limits.client_stall_max);
    let Some(tls) = &state.tls else { return serve_http(stream, peer, state, stop).await };
    match timeout(HANDSHAKE_WAIT_MAX, tls.accept(stream)).await {
        Ok(Ok(stream)) => serve_http(stream, peer, state, stop).await,
        Ok(Err(error)) => tracing::debug!(%error, "no TLS session came about"),
        Err(_) => tracing::debug!("no TLS session came about in time"),
    }
}

async fn serve_http<S>(stream: S, peer: Option<Peer>, state: Arc<State>, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let counting = state.clone();
    let stream = Strict::new(stream, move |why| {
        counting.metrics.malformed.inc();
        tracing::debug!(why, "a request is not framed as it must be; its connection is closed");
    });
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        // The future is large and hyper moves it about: boxed, it is moved once.
        let answer = Box::pin(answer_one(request, state.clone()));
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT_MAX)
        .max_headers(HEADERS_MAX)
        .max_buf_size(2 * HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// Answers one request.
async fn answer_one(request: Request<Incoming>, state: Arc<State>) -> Response<AnswerBody> {
    let id = request_id::of(request.headers());
    let span = span::of(request_id::text(&id));
    let mut answer = answer_in_span(request, state).instrument(span).await;
    answer.headers_mut().insert(request_id::NAME, id);
    answer
}

async fn answer_in_span(request: Request<Incoming>, state: Arc<State>) -> Response<AnswerBody> {
    let counting = state.clone();
    let endpoint = Endpoint::of_path(request.uri().path());
    let answered = match check(&request) {
        Ok(()) => routes::dispatch(request, state).await,
        Err(error) => {
            // Whoever sent it may disagree with us on where it ends.
            let mut refusal = answer::error(&error, endpoint);
            refusal.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            Ok(refusal)
        }
    };
    let answer = answered.unwrap_or_else(|error| answer::error(&error, endpoint));
    counting.metrics.answered(answer.status().as_u16());
    answer
}

/// Refuses what HTTP allows, what no caller of an API sends, and what proxies take for different things.
fn check(request: &Request<Incoming>) -> Result<(), ApiError> {
    let refused = |code, message| Err(ApiError::invalid_request(code, message));
    if request.uri().authority().is_some() {
        return refused("absolute_target", "Name the path alone, and the host in the header `Host`.");
    }
    let hosts = request.headers().get_all(header::HOST).iter().count();
    match request.version() {
        Version::HTTP_11 if hosts != 1 => refused("invalid_host", "Send the header `Host` once."),
        Version::HTTP_10 if hosts > 1 => refused("invalid_host", "Send the header `Host` once."),
        Version::HTTP_11 | Version::HTTP_10 => Ok(()),
        _ => refused("invalid_version", "Speak HTTP/1.1."),
    }
}
