//! Asking the engine.

use std::time::Duration;

use bytes::Bytes;
use http::{
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT},
    uri::{Authority, PathAndQuery, Scheme},
    HeaderValue, Method, Request, Response, Uri,
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{connect::HttpConnector, Client},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::{timeout_at, Instant};

use crate::config::EngineConfig;

/// Time to reach the engine, which stands beside the attestor.
const CONNECT_MAX: Duration = Duration::from_secs(2);

/// Time for the engine's counters, and bytes of them.
const SCRAPE_MAX: Duration = Duration::from_secs(3);
const SCRAPE_BYTES_MAX: usize = 4 << 20;

/// The engine behind. Follows no redirect and passes no header on but the content's type.
pub(crate) struct Engine {
    client: Client<HttpConnector, Full<Bytes>>,
    authority: Authority,
    authorization: Option<HeaderValue>,
}

/// Why the engine gave no usable answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EngineError {
    #[error("the engine cannot be reached: {0}")]
    Unreachable(#[from] hyper_util::client::legacy::Error),
    #[error("the engine did not answer in time")]
    TimedOut,
    #[error("the engine's answer broke off or is too large: {0}")]
    Broken(String),
    #[error("the engine answered with status {0}")]
    Status(u16),
}

impl Engine {
    pub(crate) fn new(config: &EngineConfig) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_MAX));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(connector);
        let authorization = config.token.as_ref().and_then(|token| token.header());
        Engine { client, authority: config.authority.clone(), authorization }
    }

    /// Sends a request's body to an inference path; resolves with the head of the answer.
    pub(crate) async fn infer(
        &self,
        path: &'static str,
        body: Bytes,
        deadline: Instant,
    ) -> Result<Response<Incoming>, EngineError> {
        let mut request = self.request(Method::POST, path, body);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.send(request, deadline).await
    }

    /// The text of the engine's counters.
    pub(crate) async fn counters(&self) -> Result<String, EngineError> {
        let deadline = Instant::now() + SCRAPE_MAX;
        let response = self.send(self.request(Method::GET, "/metrics", Bytes::new()), deadline).await?;
        if !response.status().is_success() {
            return Err(EngineError::Status(response.status().as_u16()));
        }
        let text = collect(response.into_body(), SCRAPE_BYTES_MAX, deadline).await?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn request(&self, method: Method, path: &'static str, body: Bytes) -> Request<Full<Bytes>> {
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(Scheme::HTTP);
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::from_static(path));
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = Uri::from_parts(parts).expect("scheme, authority and path are all there; qed");
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(USER_AGENT, HeaderValue::from_static("stipend-attestor"));
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        request
    }

    async fn send(
        &self,
        request: Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<Response<Incoming>, EngineError> {
        let answer = timeout_at(deadline, self.client.request(request)).await;
        Ok(answer.map_err(|_| EngineError::TimedOut)??)
    }
}

/// A whole body within time and size.
pub(crate) async fn collect(
    body: Incoming,
    bytes_max: usize,
    deadline: Instant,
) -> Result<Bytes, EngineError> {
    let collected = timeout_at(deadline, Limited::new(body, bytes_max).collect()).await;
    let collected = collected.map_err(|_| EngineError::TimedOut)?;
    Ok(collected.map_err(|error| EngineError::Broken(error.to_string()))?.to_bytes())
}
