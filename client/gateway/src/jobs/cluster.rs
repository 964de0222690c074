//! The few calls of the Kubernetes API that batch work needs [Kubernetes API reference, `batch/v1` Job, `v1` Secret,
//! `meta/v1` Status].

use std::{path::PathBuf, time::Duration};

use bytes::Bytes;
use http::{header, HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::{client::HttpClient, config::JobsConfig, exchange::describe};

/// How long one call may take.
const CALL_WAIT_MAX: Duration = Duration::from_secs(10);

/// Bytes of one answer: a page of a list, at some 8 kB a Job.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// Jobs in one page of a list.
const PAGE: usize = 250;

/// Pages of one list: more Jobs than a gateway ever has.
const PAGES_MAX: usize = 1_000;

/// Seconds for which an API server can keep this gateway away.
const RETRY_AFTER_S_MAX: u64 = 60;

/// A Kubernetes API server, as one service account sees it.
pub(crate) struct Cluster {
    client: HttpClient,
    /// `https://host:port`.
    server: String,
    namespace: String,
    token_file: PathBuf,
}

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClusterError {
    #[error("the token in {path} cannot be used: {why}")]
    Token { path: String, why: String },
    #[error("the Kubernetes API server cannot be reached: {0}")]
    Unreachable(String),
    #[error("the Kubernetes API server answers {status} {reason}: {message}")]
    Refused { status: u16, reason: String, message: String, retry_after: Option<Duration> },
    #[error("the Kubernetes API server's answer is not understood: {0}")]
    Unclear(String),
}

impl ClusterError {
    /// Whether the same call may succeed in a moment.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            ClusterError::Unreachable(_) => true,
            ClusterError::Refused { status, .. } => *status == 429 || *status >= 500,
            ClusterError::Token { .. } | ClusterError::Unclear(_) => false,
        }
    }

    /// How long the API server asks to be left alone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            ClusterError::Refused { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    fn is(&self, status: StatusCode) -> bool {
        matches!(self, ClusterError::Refused { status: found, .. } if *found == status.as_u16())
    }
}

/// A Job as far as it matters here.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct ClusterJob {
    pub(crate) metadata: Metadata,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    pub(crate) uid: String,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
struct Spec {
    #[serde(default)]
    suspend: bool,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
struct Status {
    #[serde(default)]
    active: u32,
    #[serde(default)]
    terminating: u32,
    #[serde(default)]
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    message: String,
}

/// How far the cluster is with a Job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Kueue has not admitted it, or took it back.
    Suspended,
    /// It may run.
    Admitted,
    /// Its pod ended well.
    Complete,
    /// It will not run again; why.
    Failed(String),
}

impl ClusterJob {
    pub(crate) fn phase(&self) -> Phase {
        let holds = |kind: &str| {
            self.status.conditions.iter().find(|found| found.kind == kind && found.status == "True")
        };
        if let Some(failed) = holds("Failed").or_else(|| holds("FailureTarget")) {
            return Phase::Failed(format!("{}: {}", failed.reason, failed.message));
        }
        if holds("Complete").is_some() {
            return Phase::Complete;
        }
        // A pod that is being ended may still report.
        let pods = self.status.active + self.status.terminating;
        match self.spec.suspend && pods == 0 {
            true => Phase::Suspended,
            false => Phase::Admitted,
        }
    }
}

#[derive(Deserialize)]
struct Page {
    metadata: PageMetadata,
    items: Vec<ClusterJob>,
}

#[derive(Deserialize)]
struct PageMetadata {
    #[serde(default, rename = "continue")]
    next: String,
}

/// The API server's own account of a failure.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Failure {
    reason: String,
    message: String,
}

impl Cluster {
    pub(crate) fn new(config: &JobsConfig) -> std::io::Result<Self> {
        let client = match &config.ca {
            Some(authorities) => HttpClient::trusting(authorities)?,
            None => HttpClient::new()?,
        };
        Ok(Cluster {
            client,
            server: format!("{}://{}", config.scheme, config.authority),
            namespace: config.namespace.clone(),
            token_file: config.token_file.clone(),
        })
    }

    /// Creates a Job; where one of that name is there, it is that one: names are never given twice.
    pub(crate) async fn create_job(&self, manifest: &Value) -> Result<ClusterJob, ClusterError> {
        match self.call(Method::POST, &self.jobs(""), manifest.to_string()).await {
            Err(error) if error.is(StatusCode::CONFLICT) => {
                let name = manifest["metadata"]["name"].as_str().unwrap_or_default();
                read(&self.call(Method::GET, &self.jobs(&format!("/{name}")), String::new()).await?)
            }
            created => read(&created?),
        }
    }

    /// Creates a Secret, unless it is there.
    pub(crate) async fn create_secret(&self, manifest: &Value) -> Result<(), ClusterError> {
        let path = format!("/api/v1/namespaces/{}/secrets", self.namespace);
        match self.call(Method::POST, &path, manifest.to_string()).await {
            Err(error) if error.is(StatusCode::CONFLICT) => Ok(()),
            created => created.map(drop),
        }
    }

    /// Deletes a Job, its pods and its Secret, if it is there.
    pub(crate) async fn delete_job(&self, name: &str) -> Result<(), ClusterError> {
        let path = self.jobs(&format!("/{name}?propagationPolicy=Background"));
        match self.call(Method::DELETE, &path, String::new()).await {
            Err(error) if error.is(StatusCode::NOT_FOUND) => Ok(()),
            deleted => deleted.map(drop),
        }
    }

    /// All Jobs with a label, as of one moment of the cluster; an error where not all could be had.
    pub(crate) async fn list_jobs(&self, label: &str) -> Result<Vec<ClusterJob>, ClusterError> {
        let first = format!("?labelSelector={}&limit={PAGE}", encoded(label));
        let (mut jobs, mut next) = (Vec::new(), String::new());
        for _ in 0..PAGES_MAX {
            let page = self.call(Method::GET, &self.jobs(&format!("{first}{next}")), String::new()).await?;
            let page: Page = read(&page)?;
            jobs.extend(page.items);
            if page.metadata.next.is_empty() {
                return Ok(jobs);
            }
            next = format!("&continue={}", encoded(&page.metadata.next));
        }
        Err(ClusterError::Unclear(format!("a list has no end after {PAGES_MAX} pages")))
    }

    fn jobs(&self, rest: &str) -> String {
        format!("/apis/batch/v1/namespaces/{}/jobs{rest}", self.namespace)
    }

    async fn call(&self, method: Method, path: &str, body: String) -> Result<Bytes, ClusterError> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server))
            .header(header::AUTHORIZATION, self.token().await?)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| ClusterError::Unclear(error.to_string()))?;
        let called = async {
            let answer = self
                .client
                .send(request)
                .await
                .map_err(|error| ClusterError::Unreachable(describe(&error)))?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| ClusterError::Unreachable(describe(&*error)))?.to_bytes();
            match head.status.is_success() {
                true => Ok(body),
                false => Err(refused(head.status, &head.headers, &body)),
            }
        };
        let in_time = timeout(CALL_WAIT_MAX, called).await;
        in_time.unwrap_or_else(|_| Err(ClusterError::Unreachable("it did not answer in time".into())))
    }

    /// The token as the file has it now.
    async fn token(&self) -> Result<HeaderValue, ClusterError> {
        let fault = |why: String| ClusterError::Token { path: self.token_file.display().to_string(), why };
        let text = tokio::fs::read_to_string(&self.token_file).await;
        let text = Zeroizing::new(text.map_err(|error| fault(error.to_string()))?);
        if text.trim().is_empty() {
            return Err(fault("it is empty".into()));
        }
        let bearer = Zeroizing::new(format!("Bearer {}", text.trim()));
        let mut value =
            HeaderValue::from_str(&bearer).map_err(|_| fault("it is more than one line of text".into()))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ClusterError {
    let said: Failure = serde_json::from_slice(body).unwrap_or_default();
    let seconds = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let retry_after = seconds.map(|seconds: u64| Duration::from_secs(seconds.min(RETRY_AFTER_S_MAX)));
    let Failure { reason, message } = said;
    ClusterError::Refused { status: status.as_u16(), reason, message, retry_after }
}

fn read<T: for<'a> Deserialize<'a>>(body: &[u8]) -> Result<T, ClusterError> {
    serde_json::from_slice(body).map_err(|error| ClusterError::Unclear(error.to_string()))
}

/// A value of a query [RFC 3986, section 2.3].
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => out.push(char::from(byte)),
            false => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
