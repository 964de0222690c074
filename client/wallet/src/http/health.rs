//! `/healthz`, `/readyz` and `/metrics`.

use std::{
    fmt::Write,
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::Duration,
};

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    Json,
};
use serde_json::json;

use super::App;
use crate::chain::Source;

/// Without an answer of the node for this long the service is not ready.
const SILENCE_MS: u64 = 60_000;

/// Bounds of the histogram, in microseconds.
const BOUNDS_US: [u64; 8] = [1_000, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 2_500_000];

/// Requests answered, by kind of status, and how long they took.
#[derive(Default)]
pub(crate) struct Requests {
    by_kind: [AtomicU64; 6],
    within: [AtomicU64; BOUNDS_US.len()],
    count: AtomicU64,
    sum_us: AtomicU64,
}

impl Requests {
    pub(super) fn count(&self, status: StatusCode, took: Duration) {
        let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(kind) = self.by_kind.get(usize::from(status.as_u16() / 100)) {
            kind.fetch_add(1, Ordering::Relaxed);
        }
        for (bound, within) in BOUNDS_US.iter().zip(&self.within) {
            if took_us <= *bound {
                within.fetch_add(1, Ordering::Relaxed);
            }
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(took_us, Ordering::Relaxed);
    }
}

pub(super) async fn healthz() -> &'static str {
    "ok"
}

/// Ready: the tables are near the newest finalised block, and the node answers.
pub(super) async fn readyz<S: Source>(State(app): State<Arc<App<S>>>) -> Response {
    let (behind, silent_ms) = (app.progress.behind(), app.progress.silent_ms());
    let ready = behind.is_some_and(|behind| behind <= app.behind_max) && silent_ms < SILENCE_MS;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "ready": ready,
        "block": app.progress.written(),
        "finalised": app.progress.finalised(),
        "behind_blocks": behind,
        "silent_ms": silent_ms,
    });
    (status, Json(body)).into_response()
}

pub(super) async fn metrics<S: Source>(State(app): State<Arc<App<S>>>) -> Response {
    let mut text = String::new();
    let gauges = [
        ("block", "Newest block in the tables.", app.progress.written().map(u64::from)),
        ("finalised_block", "Newest finalised block of the node.", app.progress.finalised().map(u64::from)),
        ("behind_blocks", "Finalised blocks that are not in the tables.", app.progress.behind()),
        ("silent_milliseconds", "Time since the node answered.", Some(app.progress.silent_ms())),
    ];
    // Writing into a string cannot fail.
    for (name, help, value) in gauges {
        let Some(value) = value else { continue };
        let _ = writeln!(
            text,
            "# HELP stipend_wallet_{name} {help}\n# TYPE stipend_wallet_{name} gauge\nstipend_wallet_{name} {value}"
        );
    }
    let _ = writeln!(
        text,
        "# HELP stipend_wallet_receipts_total Receipts written since the start.\n\
         # TYPE stipend_wallet_receipts_total counter\nstipend_wallet_receipts_total {}",
        app.progress.receipts()
    );
    let _ = writeln!(
        text,
        "# HELP stipend_wallet_requests_total Requests answered.\n# TYPE stipend_wallet_requests_total counter"
    );
    for (kind, count) in app.requests.by_kind.iter().enumerate().skip(2) {
        let count = count.load(Ordering::Relaxed);
        let _ = writeln!(text, "stipend_wallet_requests_total{{status=\"{kind}xx\"}} {count}");
    }
    let name = "stipend_wallet_request_seconds";
    let _ = writeln!(text, "# HELP {name} Time to the answer's first byte.\n# TYPE {name} histogram");
    for (bound, within) in BOUNDS_US.iter().zip(&app.requests.within) {
        let within = within.load(Ordering::Relaxed);
        let _ = writeln!(text, "{name}_bucket{{le=\"{}\"}} {within}", *bound as f64 / 1e6);
    }
    let count = app.requests.count.load(Ordering::Relaxed);
    let sum = app.requests.sum_us.load(Ordering::Relaxed) as f64 / 1e6;
    let _ = writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {count}\n{name}_sum {sum}\n{name}_count {count}");
    ([("content-type", "text/plain; version=0.0.4")], text).into_response()
}
