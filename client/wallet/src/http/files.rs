//! Style sheet and script: small files of this program, nothing from elsewhere.

use axum::response::{IntoResponse, Response};

pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("../../assets/style.css"))
}

pub(super) async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("../../assets/app.js"))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([("content-type", kind), ("cache-control", "max-age=300")], text).into_response()
}
