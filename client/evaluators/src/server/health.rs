//! Health and metrics.

use std::sync::{atomic::Ordering, Arc};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
    Json,
};
use http::{header, StatusCode};
use serde_json::json;

use super::App;
use crate::{
    sender::blocking,
    store::{Answer, Figures},
};

async fn figures(app: &Arc<App>) -> Answer<Figures> {
    blocking(&app.store, |store| store.figures()).await
}

/// 503 if only a person helps.
pub(super) async fn healthz(State(app): State<Arc<App>>) -> Response {
    match figures(&app).await {
        Ok(_) => Json(json!({ "status": "ok" })).into_response(),
        Err(error) => {
            tracing::error!(%error, "the journal cannot be used");
            failed("the journal cannot be used; the log says why")
        }
    }
}

/// 503 while outcomes cannot be recorded. What comes in is taken nevertheless.
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Response {
    let Ok(figures) = figures(&app).await else {
        return failed("the journal cannot be used; the log says why");
    };
    if !app.has_ledger {
        return failed("no ledger is configured: outcomes wait in the journal");
    }
    if !app.is_ledger_up.load(Ordering::Relaxed) {
        return failed("the ledger cannot be asked: outcomes wait in the journal");
    }
    Json(json!({ "status": "ready", "waiting": figures.waiting })).into_response()
}

fn failed(why: &str) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "failed", "why": why }))).into_response()
}

/// Prometheus.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let figures = figures(&app).await.ok();
    let text = app.metrics.render(figures, app.is_ledger_up.load(Ordering::Relaxed) && app.has_ledger);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
