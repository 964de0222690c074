//! Asking the model: OpenAI's chat completions, at the gateway, with a key of the program's own wallet.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{header, HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{connect::HttpConnector, Client},
    rt::TokioExecutor,
};
use rustls::pki_types::{pem::PemObject, CertificateDer};
use serde_json::{json, Value};

use super::verdict::BadVerdict;
use crate::{config::JudgeConfig, secret::Secret};

/// Bytes of an answer: a verdict and what stands around it.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// Tokens that the judge may answer with.
const ANSWER_TOKENS_MAX: u32 = 400;

/// How long an answer may take, waiting in the gateway's queue included.
const ANSWER_MAX: Duration = Duration::from_secs(180);

/// Why nothing was judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The gateway cannot be used like this.
    #[error("the gateway cannot be asked: {0}")]
    Setup(String),
    /// It did not answer.
    #[error("the gateway does not answer: {0}; nothing was judged, so ask again")]
    Unreachable(String),
    /// It refused.
    #[error("the gateway refused ({status}): {message}")]
    Refused {
        /// The answer's status.
        status: u16,
        /// What it says, cut.
        message: String,
    },
    /// The model answered, and no verdict.
    #[error("{why}; nothing was judged, and {} was charged", .costs.iter().map(Cost::to_string).collect::<Vec<_>>().join(", "))]
    NoVerdict {
        /// What is wrong with the answer.
        why: BadVerdict,
        /// What was paid for it nevertheless.
        costs: Vec<Cost>,
    },
}

/// What an answer cost, by the gateway's own headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// `x-stipend-cost`: micro-credits; absent from what is no gateway.
    pub micro_credits: Option<u128>,
    /// `x-stipend-class`: number of the class that paid.
    pub class: Option<u16>,
    /// `x-stipend-request-id`: the receipt's id.
    pub receipt: Option<String>,
}

impl fmt::Display for Cost {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.micro_credits {
            Some(cost) => write!(formatter, "{cost} micro-credits")?,
            None => write!(formatter, "an unknown amount")?,
        }
        if let Some(class) = self.class {
            write!(formatter, " of class {class}")?;
        }
        self.receipt.as_ref().map_or(Ok(()), |receipt| write!(formatter, ", receipt {receipt}"))
    }
}

/// What the model answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its words.
    pub answer: String,
    /// What they cost.
    pub cost: Cost,
}

/// Something that can be asked.
pub trait Ask {
    /// Asks with what it is told beforehand and the material.
    fn ask(&self, system: &str, material: &str) -> impl Future<Output = Result<Asked, AskError>> + Send;
}

/// The model behind a gateway.
pub struct GatewayAsk {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: String,
    key: Secret,
    model: String,
}

impl GatewayAsk {
    /// Prepares to ask; connects to nothing.
    pub fn new(config: &JudgeConfig) -> Result<Self, AskError> {
        let setup = |error: &dyn fmt::Display| AskError::Setup(error.to_string());
        let provider = rustls::crypto::ring::default_provider();
        let builder = HttpsConnectorBuilder::new();
        let builder = match &config.ca_pem {
            None => builder.with_provider_and_native_roots(provider).map_err(|error| setup(&error))?,
            Some(pem) => {
                let mut roots = rustls::RootCertStore::empty();
                for authority in CertificateDer::pem_slice_iter(pem) {
                    let authority = authority.map_err(|error| setup(&error))?;
                    roots.add(authority).map_err(|error| setup(&error))?;
                }
                let tls = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
                    .with_safe_default_protocol_versions()
                    .map_err(|error| setup(&error))?;
                builder.with_tls_config(tls.with_root_certificates(roots).with_no_client_auth())
            }
        };
        let client =
            Client::builder(TokioExecutor::new()).build(builder.https_or_http().enable_http1().build());
        let (url, key, model) = (config.url.clone(), config.key.clone(), config.model.clone());
        Ok(GatewayAsk { client, url, key, model })
    }

    fn request(&self, system: &str, material: &str) -> Result<Request<Full<Bytes>>, AskError> {
        let body = json!({
            "model": self.model,
            "messages": [{ "role": "system", "content": system }, { "role": "user", "content": material }],
            "max_tokens": ANSWER_TOKENS_MAX,
            "temperature": 0,
        });
        let mut bearer = header::HeaderValue::from_str(&format!("Bearer {}", self.key.expose()))
            .map_err(|_| AskError::Setup("the key has bytes that no header can carry".into()))?;
        bearer.set_sensitive(true);
        Request::post(format!("{}/chat/completions", self.url))
            .header(header::AUTHORIZATION, bearer)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| AskError::Setup(error.to_string()))
    }
}

impl Ask for GatewayAsk {
    async fn ask(&self, system: &str, material: &str) -> Result<Asked, AskError> {
        let request = self.request(system, material)?;
        let unreachable = |error: &dyn fmt::Display| AskError::Unreachable(error.to_string());
        let asked = async {
            let answer = self.client.request(request).await.map_err(|error| unreachable(&error))?;
            let (head, body) = answer.into_parts();
            let body =
                Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| unreachable(&error))?;
            Ok((head.status, head.headers, body.to_bytes()))
        };
        let late = |_| AskError::Unreachable(format!("no answer within {} s", ANSWER_MAX.as_secs()));
        let (status, headers, body) = tokio::time::timeout(ANSWER_MAX, asked).await.map_err(late)??;
        let document: Value = serde_json::from_slice(&body).unwrap_or_default();
        if status != StatusCode::OK {
            let message = document["error"]["message"].as_str().unwrap_or("without a reason");
            let message = message.chars().take(500).collect();
            return Err(AskError::Refused { status: status.as_u16(), message });
        }
        // An answer without words is one that holds no verdict; it was paid for all the same.
        let answer = document["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned();
        Ok(Asked { answer, cost: cost(&headers) })
    }
}

fn cost(headers: &HeaderMap) -> Cost {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    Cost {
        micro_credits: text("x-stipend-cost").and_then(|cost| cost.parse().ok()),
        class: text("x-stipend-class").and_then(|class| class.parse().ok()),
        receipt: text("x-stipend-request-id").map(str::to_owned),
    }
}
