//! The program that runs in a Job: it asks the gateway what to do, sends the request to a provider's attestor, and reports what
//! that answers.
//!
//! It keeps nothing. Whatever goes wrong, it ends with an error and the cluster starts another one, which begins anew.

use std::{io, path::Path, time::Duration};

use bytes::Bytes;
use http::{header, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use rustls::pki_types::{pem::PemObject, CertificateDer};
use tokio::time::{sleep, timeout};

use super::order::{Order, Target};
use crate::{
    client::HttpClient,
    exchange::describe,
    server::{X_PROVIDER, X_REQUEST, X_STATUS},
};

/// How long one call of the gateway may take; a report's is as long as an answer is large.
const CALL_WAIT_MAX: Duration = Duration::from_secs(60);

/// How often the gateway is asked what to do before the runner gives up: it may be starting anew.
const BEGIN_TRIES_MAX: u32 = 20;

/// How often an answer is reported: it was paid for with a GPU's time.
const REPORT_TRIES_MAX: u32 = 200;

/// Pause after a call that failed, the first time; doubled each time.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Bytes of an order: a request's body, twice escaped at most.
const ORDER_BYTES_MAX: usize = 512 << 20;

/// Why a runner ended without a report.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// What the Secret should hold is not there.
    #[error("{path} cannot be used: {error}. Is the job's Secret mounted there?")]
    Secret {
        /// The file.
        path: String,
        /// What is wrong with it.
        error: io::Error,
    },
    /// The gateway did not say what to do, or did not take the answer.
    #[error("the gateway {0}")]
    Gateway(String),
    /// Nobody served the request.
    #[error("no provider answered: {0}")]
    Providers(String),
}

/// What the runner knows of its job.
struct Runner {
    client: HttpClient,
    /// The job's own path at the gateway.
    url: String,
    token: String,
}

/// What a provider answered.
struct Answered {
    provider: String,
    status: StatusCode,
    body: Bytes,
}

/// Runs the job whose Secret is mounted at `dir`. Ends well where the gateway has its answer, or wants none any more.
pub async fn run(dir: &Path) -> Result<(), JobError> {
    let runner = Runner::read(dir)?;
    let Some(order) = runner.begin().await? else { return Ok(()) };
    let answered = ask(&order).await?;
    runner.report(&order, answered).await
}

impl Runner {
    fn read(dir: &Path) -> Result<Self, JobError> {
        let fault =
            |name: &str, error| JobError::Secret { path: dir.join(name).display().to_string(), error };
        let text = |name: &str| std::fs::read_to_string(dir.join(name));
        let (url, token) = (
            text("url").map_err(|error| fault("url", error))?,
            text("token").map_err(|error| fault("token", error))?,
        );
        let client = match text("ca.pem") {
            Err(error) if error.kind() == io::ErrorKind::NotFound => HttpClient::new(),
            Err(error) => Err(error),
            Ok(pem) => {
                let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
                found.map_err(io::Error::other).and_then(|found| HttpClient::trusting(&found))
            }
        };
        let client = client.map_err(|error| fault("ca.pem", error))?;
        Ok(Runner { client, url: url.trim().to_owned(), token: token.trim().to_owned() })
    }

    /// What to do; `None` if the job is over.
    async fn begin(&self) -> Result<Option<Order>, JobError> {
        let request = || self.request("/begin").body(Full::default());
        let (status, body) = self.patiently(BEGIN_TRIES_MAX, ORDER_BYTES_MAX, request).await?;
        match status {
            StatusCode::OK => serde_json::from_slice(&body).map(Some).map_err(|error| {
                JobError::Gateway(format!("says something that is not understood: {error}"))
            }),
            StatusCode::GONE => Ok(None),
            _ => Err(JobError::Gateway(said(status, &body))),
        }
    }

    async fn report(&self, order: &Order, answered: Answered) -> Result<(), JobError> {
        let request = || {
            self.request("/answer")
                .header(X_REQUEST, &order.request)
                .header(X_PROVIDER, &answered.provider)
                .header(X_STATUS, answered.status.as_u16())
                .body(Full::new(answered.body.clone()))
        };
        let (status, body) = self.patiently(REPORT_TRIES_MAX, 1 << 20, request).await?;
        match status {
            StatusCode::OK | StatusCode::GONE => Ok(()),
            _ => Err(JobError::Gateway(said(status, &body))),
        }
    }

    fn request(&self, path: &str) -> http::request::Builder {
        Request::builder()
            .method(Method::POST)
            .uri(format!("{}{path}", self.url))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
    }

    /// Calls the gateway until it answers something that lasts.
    async fn patiently(
        &self,
        tries_max: u32,
        bytes_max: usize,
        request: impl Fn() -> http::Result<Request<Full<Bytes>>>,
    ) -> Result<(StatusCode, Bytes), JobError> {
        let mut pause = PAUSE;
        let mut trouble = String::new();
        for _ in 0..tries_max {
            let request =
                request().map_err(|error| JobError::Gateway(format!("cannot be asked: {error}")))?;
            match send(&self.client, request, CALL_WAIT_MAX, bytes_max).await {
                Ok((status, body)) if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                    trouble = said(status, &body);
                }
                Ok(answer) => return Ok(answer),
                Err(error) => trouble = format!("cannot be reached: {error}"),
            }
            tracing::warn!(trouble, "the gateway is asked again");
            sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        Err(JobError::Gateway(trouble))
    }
}

/// Asks one provider after the other until one answers.
async fn ask(order: &Order) -> Result<Answered, JobError> {
    let mut trouble = "there was none to ask".to_owned();
    for target in &order.targets {
        match ask_one(order, target).await {
            Ok((status, body)) if is_lasting(status) => {
                return Ok(Answered { provider: target.provider.clone(), status, body });
            }
            Ok((status, _)) => trouble = format!("{} answered {status}", target.provider),
            Err(error) => trouble = format!("{}: {error}", target.provider),
        }
        tracing::warn!(trouble, "a provider did not serve the request");
    }
    Err(JobError::Providers(trouble))
}

/// Whether another provider would answer the same: an answer, or a fault of the request.
fn is_lasting(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::OK
            | StatusCode::BAD_REQUEST
            | StatusCode::PAYLOAD_TOO_LARGE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
            | StatusCode::UNPROCESSABLE_ENTITY
    )
}

async fn ask_one(order: &Order, target: &Target) -> Result<(StatusCode, Bytes), String> {
    let client = match &target.ca {
        None => HttpClient::new(),
        Some(authorities) => {
            let found: Result<Vec<_>, _> =
                authorities.iter().map(|digits| hex::decode(digits).map(CertificateDer::from)).collect();
            HttpClient::trusting(&found.map_err(|error| error.to_string())?)
        }
    };
    let client = client.map_err(|error| error.to_string())?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(&target.url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, &target.token)
        .header("x-stipend-gateway", &order.gateway)
        .header(X_REQUEST, &order.request)
        .header("x-stipend-signature", &target.signature)
        .body(Full::new(Bytes::from(order.body.clone())))
        .map_err(|error| error.to_string())?;
    send(&client, request, Duration::from_millis(target.answer_ms_max), order.answer_bytes_max).await
}

async fn send(
    client: &HttpClient,
    request: Request<Full<Bytes>>,
    wait_max: Duration,
    bytes_max: usize,
) -> Result<(StatusCode, Bytes), String> {
    let exchanged = async {
        let answer = client.send(request).await.map_err(|error| describe(&error))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, bytes_max).collect().await.map_err(|error| describe(&*error))?;
        Ok((head.status, body.to_bytes()))
    };
    timeout(wait_max, exchanged).await.unwrap_or_else(|_| Err("there was no answer in time".to_owned()))
}

fn said(status: StatusCode, body: &[u8]) -> String {
    let shown: String = String::from_utf8_lossy(body).chars().take(500).collect();
    format!("answered {status}: {shown}")
}
