//! Whose key a request carries.

use std::sync::Arc;

use http::{header, HeaderMap};
use stipend_openai::ApiError;
use stipend_primitives::key;

use crate::{clock::now_ms, keys::Key, state::State};

/// The key that a request carries. One answer for whatever is wrong with it: a guesser learns nothing.
pub(super) fn authenticate(state: &State, headers: &HeaderMap) -> Result<Arc<Key>, ApiError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(ApiError::authentication());
    };
    let text = value.to_str().map_err(|_| ApiError::authentication())?;
    let (scheme, secret) = text.split_once(' ').ok_or_else(ApiError::authentication)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(ApiError::authentication());
    }
    let key = state.keys.get(&key::hash(secret.trim())).ok_or_else(ApiError::authentication)?;
    if key.is_expired(now_ms()) {
        return Err(ApiError::authentication());
    }
    Ok(key)
}
