//! The error body that OpenAI's clients understand [OpenAI API reference, "Error codes"].

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// An HTTP status and its error body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status.
    pub status: u16,
    /// What the body says.
    pub error: ErrorObject,
    /// Seconds after which another attempt makes sense, where that is known: for the header `Retry-After`
    /// [RFC 9110, section 10.2.3].
    pub retry_after_s: Option<u32>,
}

/// The object under `"error"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorObject {
    /// For people: what happened, why, and what to do.
    pub message: Cow<'static, str>,
    /// Kind of error; clients choose their exception by the status and show this.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The request's field that is at fault.
    pub param: Option<Cow<'static, str>>,
    /// For programs: which error it is.
    pub code: Option<Cow<'static, str>>,
}

/// The body as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The only field.
    pub error: ErrorObject,
}

type Text = Cow<'static, str>;

impl ApiError {
    /// An error with all its parts.
    pub fn new(status: u16, kind: &'static str, code: &'static str, message: impl Into<Text>) -> Self {
        let error =
            ErrorObject { message: message.into(), kind: kind.into(), param: None, code: Some(code.into()) };
        ApiError { status, error, retry_after_s: None }
    }

    /// Says when another attempt makes sense.
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Names the request's field that is at fault.
    pub fn with_param(mut self, param: impl Into<Text>) -> Self {
        self.error.param = Some(param.into());
        self
    }

    /// 400: the request is not well formed.
    pub fn invalid_request(code: &'static str, message: impl Into<Text>) -> Self {
        Self::new(400, "invalid_request_error", code, message)
    }

    /// 401: the API key is missing, wrong, expired or revoked. One text for all of them: a caller
    /// without a key learns nothing.
    pub fn authentication() -> Self {
        Self::new(
            401,
            "authentication_error",
            "invalid_api_key",
            "The API key is missing or not valid. Send a valid one as `Authorization: Bearer KEY`.",
        )
    }

    /// 402: the wallet does not cover the request. OpenAI's clients do not retry it.
    pub fn insufficient_credits(message: impl Into<Text>) -> Self {
        Self::new(402, "insufficient_quota", "insufficient_credits", message)
    }

    /// 403: the key is good but may not do this.
    pub fn permission(code: &'static str, message: impl Into<Text>) -> Self {
        Self::new(403, "permission_error", code, message)
    }

    /// 404: no such model or path.
    pub fn not_found(code: &'static str, message: impl Into<Text>) -> Self {
        Self::new(404, "invalid_request_error", code, message)
    }

    /// 404: no such model here.
    pub fn model_not_found(model: &str) -> Self {
        // A caller's text comes back to it shortened: an error is no echo of a megabyte.
        let shown: String = model.chars().take(80).collect();
        Self::not_found(
            "model_not_found",
            format!("The model `{shown}` is not served here. `GET /v1/models` lists those that are."),
        )
        .with_param("model")
    }

    /// 409: the request stands against one that was there before.
    pub fn conflict(code: &'static str, message: impl Into<Text>) -> Self {
        Self::new(409, "invalid_request_error", code, message)
    }

    /// 413: the body is larger than allowed.
    pub fn too_large(bytes_max: usize) -> Self {
        Self::new(
            413,
            "invalid_request_error",
            "request_too_large",
            format!("The request is larger than {bytes_max} bytes. Send a smaller one."),
        )
    }

    /// 429: too many requests for now.
    pub fn rate_limit(message: impl Into<Text>) -> Self {
        Self::new(429, "rate_limit_error", "rate_limit_exceeded", message)
    }

    /// 500: a fault of this service. The cause belongs into its log, not into the answer.
    pub fn internal() -> Self {
        Self::new(
            500,
            "api_error",
            "internal_error",
            "The service failed. Try again; if it stays, tell its operator.",
        )
    }

    /// 502: the service behind failed or answered something that cannot be used.
    pub fn upstream(message: impl Into<Text>) -> Self {
        Self::new(502, "api_error", "upstream_error", message)
    }

    /// 503: not now.
    pub fn unavailable(message: impl Into<Text>) -> Self {
        Self::new(503, "api_error", "service_unavailable", message)
    }

    /// 504: the service behind did not answer in time.
    pub fn timeout(message: impl Into<Text>) -> Self {
        Self::new(504, "api_error", "upstream_timeout", message)
    }

    /// The body as JSON.
    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            error: &'a ErrorObject,
        }
        serde_json::to_vec(&Body { error: &self.error }).expect("strings and options always serialize; qed")
    }

    /// The error as one event of a stream that has already begun.
    pub fn to_event(&self) -> Vec<u8> {
        let mut event = b"data: ".to_vec();
        event.extend(self.to_json());
        event.extend_from_slice(b"\n\n");
        event
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.status, self.error.message)
    }
}

impl std::error::Error for ApiError {}
