//! `GET /v1/models`.

use http::{Response, StatusCode};
use serde::Serialize;
use stipend_openai::ApiError;

use super::answer::{of_kind, AnswerBody};
use crate::{keys::Key, state::State};

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Model<'a>>,
}

#[derive(Serialize)]
struct Model<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

/// The models that the key may use: priced, served and allowed.
pub(super) fn answer(key: &Key, state: &State) -> Result<Response<AnswerBody>, ApiError> {
    let prices = state.prices.load();
    let usable =
        prices.models().filter(|(name, model)| state.upstreams.of(name).is_some() && key.may_use(*model));
    let mut names: Vec<&str> = usable.map(|(name, _)| name).collect();
    names.sort_unstable();
    let model = |id| Model { id, object: "model", created: 0, owned_by: "stipend" };
    let list = List { object: "list", data: names.into_iter().map(model).collect() };
    let body = serde_json::to_vec(&list).map_err(|_| ApiError::internal())?;
    Ok(of_kind(StatusCode::OK, "application/json", body))
}
