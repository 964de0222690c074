//! What gateways are told of the engine.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
    Json,
};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use crate::{
    proxy::{admit, refuse},
    App,
};

/// `GET /v1/engine`: which engine it is, whether it heeds `priority`, and how many requests wait in it.
pub(crate) async fn engine(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if let Err(error) = admit(&app, &headers) {
        return refuse(&error);
    }
    let waiting = app.engine.waiting().await;
    let view = json!({
        "kind": app.engine.kind().name(),
        "priorities": app.engine.schedule.get(),
        "waiting": waiting,
    });
    Json(view).into_response()
}

/// `GET /readyz`: whether requests would be served now.
pub(crate) async fn readiness(State(app): State<Arc<App>>) -> Response {
    let why = match app.store.failure() {
        Some(_) => Some("nothing can be metered: the log takes no records"),
        None if !app.engine.is_well().await => {
            Some("the engine does not answer, or says that it cannot serve")
        }
        None => None,
    };
    match why {
        None => Json(json!({ "status": "ready" })).into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "not ready", "why": why })))
            .into_response(),
    }
}
