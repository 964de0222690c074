//! Style sheet and scripts: small files of this program, nothing from elsewhere.

use axum::response::{IntoResponse, Response};

pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("../../assets/style.css"))
}

pub(super) async fn app() -> Response {
    script(include_str!("../../assets/app.js"))
}

pub(super) async fn key() -> Response {
    script(include_str!("../../assets/key.js"))
}

pub(super) async fn acts() -> Response {
    script(include_str!("../../assets/acts.js"))
}

pub(super) async fn list() -> Response {
    script(include_str!("../../assets/list.js"))
}

pub(super) async fn names() -> Response {
    script(include_str!("../../assets/names.js"))
}

fn script(text: &'static str) -> Response {
    file("text/javascript; charset=utf-8", text)
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([("content-type", kind), ("cache-control", "max-age=300")], text).into_response()
}
