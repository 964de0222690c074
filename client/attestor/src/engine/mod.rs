//! The engine behind: which one it is, asking it, and what its own counters say.

pub(crate) mod cross_check;
mod exposition;
mod kind;
mod page;
pub(crate) mod schedule;
mod trial;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use http::{
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, SERVER, USER_AGENT},
    uri::{Authority, PathAndQuery, Scheme},
    HeaderValue, Method, Request, Response, StatusCode, Uri,
};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::Instant;

pub use kind::EngineKind;
pub(crate) use kind::Quantity;
pub(crate) use page::{engine, readiness};

use self::{kind::Traces, schedule::Schedule};
use crate::{
    config::EngineConfig,
    outbound::{collect, AskError, Outbound},
    App,
};

/// Time for the engine's counters and for what else it says of itself, and bytes of it.
const SCRAPE_MAX: Duration = Duration::from_secs(3);
const SCRAPE_BYTES_MAX: usize = 4 << 20;

/// Time for the engine to say how it is, and for how long its word counts: strangers may ask too.
const HEALTH_MAX: Duration = Duration::from_millis(1_500);
const HEALTH_KEPT: Duration = Duration::from_secs(1);

/// Pause before an engine that did not answer is asked again which one it is.
const DETECT_PAUSE: Duration = Duration::from_secs(2);

/// The engine behind. No header is passed on but the content's type.
pub(crate) struct Engine {
    outbound: Outbound,
    authority: Authority,
    authorization: Option<HeaderValue>,
    /// Set once it is configured or found out.
    kind: OnceLock<EngineKind>,
    pub(crate) schedule: Schedule,
    /// When it was last asked how it is, and whether it is well.
    health: tokio::sync::Mutex<Option<(Instant, bool)>>,
}

impl Engine {
    pub(crate) fn new(config: &EngineConfig, outbound: Outbound) -> Self {
        let authorization = config.token.as_ref().and_then(|token| token.header());
        let kind = config.kind.map(OnceLock::from).unwrap_or_default();
        Engine {
            outbound,
            authority: config.authority.clone(),
            authorization,
            kind,
            schedule: Schedule::default(),
            health: tokio::sync::Mutex::default(),
        }
    }

    /// Sends a request's body to an inference path; resolves with the head of the answer.
    pub(crate) async fn infer(
        &self,
        path: &'static str,
        body: Bytes,
        deadline: Instant,
    ) -> Result<Response<Incoming>, AskError> {
        let mut request = self.request(Method::POST, path, body);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.outbound.send(request, deadline).await
    }

    /// Which engine it is; until that is found out, one of which nothing is known.
    pub(crate) fn kind(&self) -> EngineKind {
        self.kind.get().copied().unwrap_or(EngineKind::OpenAi)
    }

    /// Finds out which engine it is, where the configuration does not say. An error if it does not answer yet.
    pub(crate) async fn detect(&self) -> Result<(), AskError> {
        if self.kind.get().is_some() {
            return Ok(());
        }
        let (metrics, server) = self.look("/metrics").await?;
        let (models, info) = (self.look("/v1/models").await?.0, self.look("/info").await?.0);
        let shows_nothing = metrics.is_none() && models.is_none() && info.is_none();
        let kind = EngineKind::of(&Traces { metrics, server, models, info });
        if kind == EngineKind::OpenAi && shows_nothing {
            // It is not ready, or something in between speaks for it.
            return Err(AskError::Status(StatusCode::SERVICE_UNAVAILABLE.as_u16()));
        }
        if self.kind.set(kind).is_ok() {
            tracing::info!(
                kind = kind.name(),
                "found out which engine it is; `engine.kind` would say so at once"
            );
        }
        Ok(())
    }

    /// The text of a page, if the engine has it, and which server it says that it is.
    async fn look(&self, path: &'static str) -> Result<(Option<String>, Option<String>), AskError> {
        let deadline = Instant::now() + SCRAPE_MAX;
        let response = self.outbound.send(self.request(Method::GET, path, Bytes::new()), deadline).await?;
        let server = response.headers().get(SERVER).and_then(|server| server.to_str().ok()).map(String::from);
        if !response.status().is_success() {
            return Ok((None, server));
        }
        let text = collect(response.into_body(), SCRAPE_BYTES_MAX, deadline).await?;
        Ok((Some(exposition::unquoted(String::from_utf8_lossy(&text).into_owned())), server))
    }

    /// Whether it answers and does not say that it cannot serve. Asked at most once in [`HEALTH_KEPT`].
    pub(crate) async fn is_well(&self) -> bool {
        let mut health = self.health.lock().await;
        if let Some((_, is_well)) = health.filter(|(at, _)| at.elapsed() < HEALTH_KEPT) {
            return is_well;
        }
        let deadline = Instant::now() + HEALTH_MAX;
        let answer = self.outbound.send(self.request(Method::GET, "/health", Bytes::new()), deadline).await;
        let is_well = answer.is_ok_and(|response| !response.status().is_server_error());
        *health = Some((Instant::now(), is_well));
        is_well
    }

    /// Requests that wait in the engine, where it shows that.
    pub(crate) async fn waiting(&self) -> Option<u64> {
        let gauge = self.kind().waiting()?;
        exposition::sum(&self.counters().await.ok()?, gauge)
    }

    /// The text of the engine's counters.
    pub(crate) async fn counters(&self) -> Result<String, AskError> {
        let deadline = Instant::now() + SCRAPE_MAX;
        let request = self.request(Method::GET, "/metrics", Bytes::new());
        let text = self.outbound.fetch(request, SCRAPE_BYTES_MAX, deadline).await?;
        Ok(exposition::unquoted(String::from_utf8_lossy(&text).into_owned()))
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
}

/// Asks until the engine has said which one it is.
pub(crate) async fn detect(app: Arc<App>) {
    while app.engine.detect().await.is_err() {
        tokio::time::sleep(DETECT_PAUSE).await;
    }
}
