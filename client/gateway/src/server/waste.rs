//! Findings of waste, for whoever they are about and for the auditor: `GET /v1/waste`, `POST /v1/waste/{id}/appeal`, `GET /v1/waste/all`.

use std::sync::Arc;

use http::{header, HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use stipend_openai::ApiError;

use super::{answer::AnswerBody, completions, jobs::unstored};
use crate::{
    clock::now_ms,
    keys::Key,
    state::State,
    waste::{AppealError, Entry, Waste, APPEAL_BYTES_MAX},
};

/// Where findings are shown.
pub(super) const PATH: &str = "/v1/waste/";

#[derive(Serialize)]
struct List {
    object: &'static str,
    data: Vec<Entry>,
}

#[derive(Deserialize)]
struct Asked {
    text: String,
}

/// What was found of the key's wallet, oldest first.
pub(super) fn own(key: &Key, state: &State) -> Result<Response<AnswerBody>, ApiError> {
    list(offered(state)?.book.of_wallet(key.owner()))
}

/// Everything that was found, with what was said to it. For whoever shows the auditor's token.
pub(super) fn all(headers: &HeaderMap, state: &State) -> Result<Response<AnswerBody>, ApiError> {
    let shown =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let waste = state.waste.as_ref().filter(|waste| shown.is_some_and(|token| waste.is_auditor(token)));
    let waste = waste.ok_or_else(|| {
        ApiError::new(
            401,
            "authentication_error",
            "invalid_auditor_token",
            "This is for auditors, who show the token in `auditor_token_file` as `Authorization: Bearer TOKEN`.",
        )
    })?;
    list(waste.book.all())
}

/// Keeps what the wallet's owner says to a finding.
pub(super) async fn appeal(
    request: Request<Incoming>,
    state: Arc<State>,
    key: Arc<Key>,
    id: &str,
) -> Result<Response<AnswerBody>, ApiError> {
    offered(&state)?;
    completions::count(&key)?;
    let body = completions::read_within(&state, request, 2 * APPEAL_BYTES_MAX).await?;
    let unreadable = |message: String| ApiError::invalid_request("invalid_appeal", message);
    let asked: Asked = serde_json::from_slice(&body)
        .map_err(|error| unreadable(format!("Send {{\"text\": \"…\"}}: {error}.")))?;
    let text = asked.text.trim().to_owned();
    if text.is_empty() || text.len() > APPEAL_BYTES_MAX {
        return Err(unreadable(format!("`text` must have 1 to {APPEAL_BYTES_MAX} bytes.")));
    }
    let appealed = offered(&state)?.book.appeal(key.owner(), id, text, now_ms());
    let entry = appealed.map_err(|error| match error {
        AppealError::Unknown => ApiError::not_found(
            "finding_not_found",
            "There is no finding with that id about this wallet. `GET /v1/waste` lists those that there are.",
        ),
        AppealError::Twice => ApiError::new(
            409,
            "invalid_request_error",
            "appealed_already",
            "There is an appeal against this finding, and auditors can read it. It cannot be changed.",
        ),
        AppealError::NotWritten => {
            ApiError::unavailable("The appeal could not be written down, so it is not kept. Try again later.")
        }
    })?;
    let body = serde_json::to_vec(&entry).map_err(|_| ApiError::internal())?;
    Ok(unstored(StatusCode::CREATED, body))
}

fn list(data: Vec<Entry>) -> Result<Response<AnswerBody>, ApiError> {
    let body = serde_json::to_vec(&List { object: "list", data }).map_err(|_| ApiError::internal())?;
    Ok(unstored(StatusCode::OK, body))
}

fn offered(state: &State) -> Result<&Waste, ApiError> {
    state.waste.as_ref().ok_or_else(|| {
        ApiError::not_found(
            "waste_not_shown",
            "This gateway does not look for waste: it has no section `[waste]`.",
        )
    })
}
