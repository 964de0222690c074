//! Connections and routes.

pub(crate) mod answer;
mod authenticate;
mod completions;
mod models;
mod quote;
mod receipts;
mod wallet;

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use http::{Method, Request, Response, StatusCode};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use stipend_openai::{ApiError, Endpoint};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{watch, Semaphore},
    time::{sleep, timeout},
};

use crate::{clock::now_ms, state::State};
use answer::AnswerBody;
use authenticate::authenticate;

/// How long a caller may take to send a request's head.
const HEAD_WAIT_MAX: Duration = Duration::from_secs(15);

/// Where a wallet's keys get the receipts of its requests, by id.
const RECEIPTS: &str = "/v1/aci/receipts/";

/// Pause after the system could give no connection: it is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is true, then lets requests in flight come to their end.
pub(crate) async fn serve(listener: TcpListener, state: Arc<State>, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(Semaphore::new(state.limits.connections_max));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = stopped(&mut stop) => break,
        };
        match accepted {
            Ok((stream, place)) => {
                let (state, stop) = (state.clone(), stop.clone());
                tokio::spawn(async move {
                    serve_connection(stream, state, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    state.status.drain();
    let all = u32::try_from(state.limits.connections_max).unwrap_or(u32::MAX);
    if timeout(state.limits.drain_max, places.acquire_many(all)).await.is_err() {
        tracing::warn!("some requests did not end in time; what they use meanwhile is not charged");
    }
    // Exchanges outlive their connections.
    let began = std::time::Instant::now();
    while state.in_flight() > 0 && began.elapsed() < state.limits.drain_max {
        sleep(ACCEPT_PAUSE).await;
    }
}

/// Resolves when the order to stop has come, or whoever gives it is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, _): (TcpStream, SocketAddr) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, place))
}

async fn serve_connection(stream: TcpStream, state: Arc<State>, mut stop: watch::Receiver<bool>) {
    let service = service_fn(move |request| {
        // The future is large and hyper moves it about: boxed, it is moved once.
        let answer = Box::pin(route(request, state.clone()));
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WAIT_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
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
async fn route(request: Request<Incoming>, state: Arc<State>) -> Response<AnswerBody> {
    let metrics_of = state.clone();
    let endpoint = Endpoint::of_path(request.uri().path());
    let answer = match dispatch(request, state).await {
        Ok(answer) => answer,
        Err(error) => answer::error(&error, endpoint),
    };
    metrics_of.metrics.answered(answer.status().as_u16());
    answer
}

async fn dispatch(request: Request<Incoming>, state: Arc<State>) -> Result<Response<AnswerBody>, ApiError> {
    let (allowed, path) = match request.uri().path() {
        path if Endpoint::of_path(path).is_some() => (Method::POST, path),
        path @ "/v1/quote" => (Method::POST, path),
        path @ ("/v1/models" | "/v1/wallet" | "/healthz" | "/readyz" | "/metrics") => (Method::GET, path),
        path if path.starts_with(RECEIPTS) => (Method::GET, path),
        _ => return Err(ApiError::not_found("unknown_path", "There is nothing at this path.")),
    };
    let is_head = request.method() == Method::HEAD && allowed == Method::GET;
    if request.method() != allowed && !is_head {
        let message = format!("This path takes {allowed} only.");
        return Err(ApiError::new(405, "invalid_request_error", "method_not_allowed", message));
    }
    match path {
        "/v1/models" => {
            let key = authenticate(&state, request.headers())?;
            models::answer(&key, &state)
        }
        "/v1/wallet" => {
            let key = authenticate(&state, request.headers())?;
            wallet::answer(&key, &state)
        }
        "/v1/quote" => {
            let key = authenticate(&state, request.headers())?;
            quote::answer(request, state, key).await
        }
        "/metrics" => {
            let page = state.metrics.page(&state, state.refusal(now_ms()).is_none());
            Ok(answer::of_kind(StatusCode::OK, "text/plain; version=0.0.4", page))
        }
        "/readyz" => Ok(readiness(&state)),
        "/healthz" => Ok(state_of_health(needs_restart(&state))),
        path => {
            let key = authenticate(&state, request.headers())?;
            if let Some(endpoint) = Endpoint::of_path(path) {
                return completions::answer(request, state, key, endpoint).await;
            }
            let id = path.strip_prefix(RECEIPTS).unwrap_or_default().to_owned();
            receipts::answer(&key, &id, &state).await
        }
    }
}

/// Whether requests are admitted, and who would not be asked.
fn readiness(state: &State) -> Response<AnswerBody> {
    if let Some(refusal) = state.refusal(now_ms()) {
        return state_of_health(Some(refusal.why));
    }
    let mut text = String::new();
    for upstream in &state.upstreams.all {
        if let Some(note) = upstream.note() {
            text.push_str(&format!("{note}: {}\n", upstream.address));
        }
    }
    if state.upstreams.all.iter().all(|upstream| upstream.is_out()) {
        return plain(StatusCode::SERVICE_UNAVAILABLE, text);
    }
    plain(StatusCode::OK, format!("ok\n{text}"))
}

/// What only starting the gateway anew can mend.
fn needs_restart(state: &State) -> Option<String> {
    let halted = state.status.halted().map(|why| why.to_string());
    halted.or_else(|| state.receipts.failure().map(|error| error.to_string()))
}

fn state_of_health(trouble: Option<String>) -> Response<AnswerBody> {
    match trouble {
        None => plain(StatusCode::OK, "ok\n".into()),
        Some(why) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
    }
}

fn plain(status: StatusCode, text: String) -> Response<AnswerBody> {
    answer::of_kind(status, "text/plain; charset=utf-8", text)
}
