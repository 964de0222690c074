//! The pages: rendered here, readable without script.

pub mod audit;
pub mod entrance;
pub mod granting;
pub mod grants;
pub mod keys;
pub mod layout;
pub mod limits;
pub mod people;
pub mod plot;
pub mod programs;
pub mod receipts;
pub mod wallet;
pub mod words;

use axum::response::{Html, IntoResponse, Response};
use maud::Markup;

/// A page as an answer.
pub fn html(page: Markup) -> Response {
    Html(page.into_string()).into_response()
}
