//! Answers that are refusals.

use std::borrow::Cow;

use axum::{
    http::{HeaderValue, StatusCode, Uri},
    response::{IntoResponse, Redirect, Response},
    Json,
};
use serde_json::json;
use stipend_sdk::SubmitError;

use crate::{
    acts::Wrong,
    chain::SourceError,
    db::DbError,
    pages::{self, layout},
};

/// Why a request gets no answer. What is for others is not told apart from what does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotSignedIn,
    NotFound,
    Invalid(Cow<'static, str>),
    OtherSite,
    Busy,
    NoChain,
    Broken,
}

impl Refusal {
    /// A request that makes no sense, in a sentence that says what to do.
    pub(crate) fn invalid(words: impl Into<Cow<'static, str>>) -> Self {
        Refusal::Invalid(words.into())
    }

    fn status(&self) -> StatusCode {
        match self {
            Refusal::NotSignedIn => StatusCode::UNAUTHORIZED,
            Refusal::NotFound => StatusCode::NOT_FOUND,
            Refusal::Invalid(_) => StatusCode::BAD_REQUEST,
            Refusal::OtherSite => StatusCode::FORBIDDEN,
            Refusal::Busy | Refusal::NoChain => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(&self) -> &str {
        match self {
            Refusal::NotSignedIn => {
                "You are not signed in, or your session is over. Sign in with your wallet's key."
            }
            Refusal::NotFound => {
                "There is nothing here for you: it does not exist, or it is somebody else's."
            }
            Refusal::Invalid(what) => what,
            Refusal::OtherSite => "This request came from another site. Open the page itself and try again.",
            Refusal::Busy => {
                "Too many pages update themselves at the moment. Reload the page to see new figures."
            }
            Refusal::NoChain => "The node does not answer at the moment. Try again in a few seconds.",
            Refusal::Broken => {
                "The service could not read its tables. Its operator finds the reason in its log."
            }
        }
    }

    /// As JSON.
    pub(crate) fn json(&self) -> Response {
        (self.status(), Json(json!({ "error": self.words() }))).into_response()
    }

    /// As a page.
    pub(crate) fn page(&self) -> Response {
        if *self == Refusal::NotSignedIn {
            return Redirect::to("/sign-in").into_response();
        }
        (self.status(), pages::html(layout::refusal(self.words()))).into_response()
    }

    /// As the path's kind wants it.
    pub(crate) fn at(&self, path: &str) -> Response {
        if path.starts_with("/api/") || path.ends_with("/live") {
            self.json()
        } else {
            self.page()
        }
    }
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        tracing::error!(%error, "cannot read the tables");
        Refusal::Broken
    }
}

impl From<SourceError> for Refusal {
    fn from(error: SourceError) -> Self {
        tracing::warn!(%error, "the chain gave no answer");
        Refusal::NoChain
    }
}

impl From<SubmitError> for Refusal {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Rpc(error) => {
                tracing::warn!(%error, "the chain gave no answer");
                Refusal::NoChain
            }
            other => Refusal::invalid(other.to_string()),
        }
    }
}

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Self {
        Refusal::invalid(wrong.0)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        // The guard turns it into what the path's kind wants.
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Whatever has no route.
pub(super) async fn not_found(uri: Uri) -> Response {
    Refusal::NotFound.at(uri.path())
}

/// A file to keep.
pub(crate) fn download(kind: &'static str, name: &str, body: impl Into<axum::body::Body>) -> Response {
    let mut response = Response::new(body.into());
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert("content-disposition", value);
    }
    response
}
