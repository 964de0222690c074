//! Answers of the service.

use axum::{
    response::{IntoResponse, Response},
    Json,
};
use http::StatusCode;
use serde_json::{json, Value};

/// A refusal: a code for programs and a sentence for people.
pub(super) fn refuse(status: u16, code: &str, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response();
    if matches!(status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
        // The rest of the body is not read, so nothing else can come on this connection.
        answer.headers_mut().insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
    }
    answer
}

/// Something was taken in.
pub(super) fn taken(body: Value) -> Response {
    Json(body).into_response()
}
