//! The paths.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    body::Body,
    extract::{ConnectInfo, DefaultBodyLimit, Path, RawQuery, State},
    response::{IntoResponse, Response},
    routing::{get, post},
    Json, Router,
};
use bytes::Bytes;
use codec::DecodeAll;
use http::{header::CONTENT_TYPE, HeaderMap, StatusCode};
use serde_json::json;
use stipend_openai::{ApiError, Endpoint};
use stipend_primitives::{attestation::SignedClaim, AccountId, Sequence};

use crate::{
    config::account_hex,
    engine,
    evidence::EvidenceError,
    metrics::Snapshot,
    proxy::{admit, infer, refuse},
    store::{ClaimError, Claimed, Range},
    App,
};

/// Bytes of a claim: a full batch of 24-byte entries, with room to spare.
const CLAIM_BYTES_MAX: usize = 4 << 20;

/// All paths of an attestor.
pub(crate) fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for endpoint in Endpoint::ALL {
        let handler = move |State(app): State<Arc<App>>, headers: HeaderMap, body: Body| {
            infer(app, endpoint, headers, body)
        };
        router = router.route(endpoint.path(), post(handler));
    }
    router
        .route("/v1/models", get(models))
        .route("/v1/claims", post(claim).layer(DefaultBodyLimit::max(CLAIM_BYTES_MAX)))
        .route("/v1/attestations/{gateway}/{first_seq}/{last_seq}", get(attestation))
        .route("/v1/attestations/{gateway}/{first_seq}/{last_seq}/leaves", get(leaves))
        .route("/v1/evidence", get(evidence))
        .route("/v1/engine", get(engine::engine))
        .route("/healthz", get(health))
        .route("/readyz", get(engine::readiness))
        .route("/metrics", get(metrics))
        .fallback(|| async { refuse(&ApiError::not_found("unknown_path", "There is no such path here.")) })
        .with_state(app)
}

async fn models(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if let Err(error) = admit(&app, &headers) {
        return refuse(&error);
    }
    let models = app.models.iter().map(|model| {
        json!({ "id": model.name, "object": "model", "created": 0, "owned_by": app.provider.to_string() })
    });
    Json(json!({ "object": "list", "data": models.collect::<Vec<_>>() })).into_response()
}

async fn claim(State(app): State<Arc<App>>, body: Bytes) -> Response {
    let claimed = match SignedClaim::decode_all(&mut body.as_ref()) {
        Ok(claim) => app.store.claim_after(app.gpu.settle(), &claim).await,
        Err(_) => Err(ClaimError::Malformed("it is no SCALE-encoded SignedClaim")),
    };
    let outcome = match &claimed {
        Ok(Claimed::New { unknown_count }) => {
            app.metrics.claimed_unknown.inc_by(*unknown_count as u64);
            "new"
        }
        Ok(Claimed::Repeated) => "repeated",
        Err(ClaimError::Log(_)) => "failed",
        Err(error) => {
            tracing::warn!(%error, "a claim is refused");
            "refused"
        }
    };
    app.metrics.claims.with_label_values(&[outcome]).inc();
    match claimed {
        Ok(_) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => refuse(&claim_refusal(&error)),
    }
}

fn claim_refusal(error: &ClaimError) -> ApiError {
    let message = error.to_string();
    match error {
        ClaimError::Malformed(_) => ApiError::invalid_request("malformed_claim", message),
        ClaimError::UnknownGateway => ApiError::permission("unknown_gateway", message),
        ClaimError::OtherProvider => ApiError::permission("other_provider", message),
        ClaimError::BadSignature => ApiError::permission("bad_signature", message),
        ClaimError::Conflict(_) => ApiError::conflict("conflicting_claim", message),
        ClaimError::Log(error) => {
            tracing::error!(%error, "a claim is not taken because it cannot be made durable");
            ApiError::unavailable("The claim cannot be made durable at present. Send it again later.")
        }
    }
}

type RangePath = Path<(String, Sequence, Sequence)>;

fn find(app: &App, (gateway, first_seq, last_seq): (String, Sequence, Sequence)) -> Option<Arc<Range>> {
    let gateway = account_hex(&gateway).map(AccountId::new)?;
    app.store.range(&gateway, first_seq, last_seq)
}

fn not_claimed() -> Response {
    refuse(&ApiError::not_found(
        "not_claimed",
        "No claim for this range is known: its gateway has not sent one yet, or it is too old to be kept.",
    ))
}

async fn attestation(State(app): State<Arc<App>>, Path(path): RangePath) -> Response {
    find(&app, path).map_or_else(not_claimed, |range| Json(&range.signed).into_response())
}

async fn leaves(State(app): State<Arc<App>>, Path(path): RangePath) -> Response {
    let kind = [(CONTENT_TYPE, "application/octet-stream")];
    find(&app, path).map_or_else(not_claimed, |range| (kind, range.leaves.clone()).into_response())
}

async fn evidence(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    RawQuery(query): RawQuery,
) -> Response {
    let nonce = query.as_deref().and_then(|query| nonce(query.strip_prefix("nonce=")?));
    let count = |outcome: &str| app.metrics.evidence.with_label_values(&[outcome]).inc();
    let Some(nonce) = nonce else {
        count("refused");
        let message = "Ask as `/v1/evidence?nonce=` and 64 hex digits.";
        return refuse(&ApiError::invalid_request("bad_nonce", message));
    };
    match app.evidence.get(nonce, peer.ip()).await {
        Ok(body) => {
            count("given");
            ([(CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(error @ EvidenceError::Source) => {
            count("failed");
            refuse(&ApiError::unavailable(error.to_string()))
        }
        Err(error @ EvidenceError::TooMany) => {
            count("refused");
            refuse(&ApiError::new(429, "rate_limit_error", "too_many_nonces", error.to_string()))
        }
    }
}

/// 64 hex digits and nothing else.
fn nonce(text: &str) -> Option<[u8; 32]> {
    let mut nonce = [0; 32];
    hex::decode_to_slice(text, &mut nonce).ok()?;
    Some(nonce)
}

async fn health(State(app): State<Arc<App>>) -> Response {
    let is_engine_up = app.metrics.engine_up.get() == 1;
    match app.store.failure() {
        None => Json(json!({ "status": "ok", "engine_counters": is_engine_up })).into_response(),
        Some(failure) => {
            let body = json!({ "status": "failed", "why": failure.to_string() });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let (unclaimed, ranges, leaves) = app.store.sizes();
    let in_flight = app.limits.requests_max as usize - app.places.available_permits();
    let log_failed = app.store.failure().is_some();
    let gpu = app.gpu.totals();
    let text = app.metrics.render(Snapshot { in_flight, unclaimed, ranges, leaves, log_failed, gpu });
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
