//! Asking services that stand beside the attestor: the engine, and the source of evidence. Plain HTTP,
//! no redirect is followed, and every answer has a deadline and a size.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{connect::HttpConnector, Client},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::{timeout_at, Instant};

/// Time to reach a service beside the attestor.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// Time that an unused connection is kept: less than the 5 s after which uvicorn (vLLM, Triton) and llama.cpp close it, so
/// that no request meets a connection that is just being closed.
const IDLE_MAX: Duration = Duration::from_secs(3);

/// Connections to services.
#[derive(Clone)]
pub(crate) struct Outbound(Client<HttpConnector, Full<Bytes>>);

/// Why there is no usable answer. The texts continue "the engine gave no usable answer: …".
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error("it cannot be reached: {0}")]
    Unreachable(#[from] hyper_util::client::legacy::Error),
    #[error("it did not answer in time")]
    TimedOut,
    #[error("its answer broke off or is too large: {0}")]
    Broken(String),
    #[error("it answered with status {0}")]
    Status(u16),
}

impl Outbound {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_MAX));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_MAX)
            .build(connector);
        Outbound(client)
    }

    /// The head of the answer.
    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, AskError> {
        let answer = timeout_at(deadline, self.0.request(request)).await;
        Ok(answer.map_err(|_| AskError::TimedOut)??)
    }

    /// The body of an answer with status 200.
    pub(crate) async fn fetch(
        &self,
        request: Request<Full<Bytes>>,
        bytes_max: usize,
        deadline: Instant,
    ) -> Result<Bytes, AskError> {
        let response = self.send(request, deadline).await?;
        if response.status() != http::StatusCode::OK {
            return Err(AskError::Status(response.status().as_u16()));
        }
        collect(response.into_body(), bytes_max, deadline).await
    }
}

/// A whole body within time and size.
pub(crate) async fn collect(body: Incoming, bytes_max: usize, deadline: Instant) -> Result<Bytes, AskError> {
    let collected = timeout_at(deadline, Limited::new(body, bytes_max).collect()).await;
    let collected = collected.map_err(|_| AskError::TimedOut)?;
    Ok(collected.map_err(|error| AskError::Broken(error.to_string()))?.to_bytes())
}
