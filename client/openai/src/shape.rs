//! Errors in the form that each endpoint's clients understand.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::{ApiError, Endpoint};

impl ApiError {
    /// The body of an answer of this endpoint, as JSON.
    pub fn to_body(&self, endpoint: Option<Endpoint>) -> Vec<u8> {
        match endpoint {
            Some(Endpoint::Messages) => anthropic(self.status, &self.error.message),
            _ => self.to_json(),
        }
    }

    /// The error as one event of a stream of this endpoint that has already begun.
    pub fn to_event_of(&self, endpoint: Endpoint) -> Vec<u8> {
        let data = match endpoint {
            Endpoint::Chat | Endpoint::Completions | Endpoint::Embeddings | Endpoint::Images => {
                return self.to_event()
            }
            Endpoint::Messages => anthropic(self.status, &self.error.message),
            Endpoint::Responses => {
                let (code, message, param) = (&self.error.code, &self.error.message, &self.error.param);
                json!({ "type": "error", "code": code, "message": message, "param": param })
                    .to_string()
                    .into_bytes()
            }
        };
        [b"event: error\ndata: ", &data[..], b"\n\n"].concat()
    }
}

/// An engine's refusal as the endpoint's clients understand it. Engines do not all have Anthropic's form.
pub fn reshaped_error(endpoint: Endpoint, status: u16, body: Bytes) -> Bytes {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, rename = "type")]
        kind: Option<String>,
        error: Error,
    }
    #[derive(Deserialize)]
    struct Error {
        message: String,
    }
    if endpoint != Endpoint::Messages {
        return body;
    }
    match serde_json::from_slice::<Body>(&body) {
        Ok(read) if read.kind.as_deref() != Some("error") => anthropic(status, &read.error.message).into(),
        Ok(_) => body,
        Err(_) => anthropic(status, "The provider refused the request and did not say why.").into(),
    }
}

/// The body of an error [Anthropic API reference, "Errors"].
fn anthropic(status: u16, message: &str) -> Vec<u8> {
    let kind = match status {
        400 | 405 | 408 | 409 | 422 => "invalid_request_error",
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        503 => "overloaded_error",
        504 => "timeout_error",
        _ => "api_error",
    };
    json!({ "type": "error", "error": { "type": kind, "message": message } }).to_string().into_bytes()
}
