//! Whose key a request carries.

use std::sync::Arc;

use http::{header, HeaderMap};
use stipend_openai::ApiError;
use stipend_primitives::key;

use crate::{clock::now_ms, keys::Key, state::State};

/// Where Anthropic's clients put the key.
const X_API_KEY: &str = "x-api-key";

/// The key that a request carries, as `Authorization: Bearer` or as `x-api-key`. One answer for whatever is
/// wrong with it: a guesser learns nothing.
pub(super) fn authenticate(state: &State, headers: &HeaderMap) -> Result<Arc<Key>, ApiError> {
    let secret = match (one(headers, header::AUTHORIZATION.as_str())?, one(headers, X_API_KEY)?) {
        (Some(authorization), None) => bearer(authorization)?,
        (None, Some(secret)) => secret,
        // Two of them could be two keys.
        _ => return Err(ApiError::authentication()),
    };
    let key = state.keys.get(&key::hash(secret.trim())).ok_or_else(ApiError::authentication)?;
    if key.is_expired(now_ms()) {
        return Err(ApiError::authentication());
    }
    Ok(key)
}

/// The text of a header that may stand there once.
fn one<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, ApiError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| ApiError::authentication()),
        _ => Err(ApiError::authentication()),
    }
}

fn bearer(authorization: &str) -> Result<&str, ApiError> {
    match authorization.split_once(' ') {
        Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => Ok(secret),
        _ => Err(ApiError::authentication()),
    }
}
