//! Looking after an upstream without a request of anybody: whether its attestor is ready, and what it says of its engine.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{header, HeaderName, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use serde::Deserialize;
use tokio::time::{sleep, timeout};

use super::{Honours, Upstream};
use crate::clock::now_ms;

/// An attestor beside its engine answers within milliseconds.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(2);

/// Bytes of what an attestor says of its engine.
const ENGINE_BYTES_MAX: usize = 16 << 10;

/// How far the time between two looks grows while the attestor is not ready.
const PAUSE_MAX: Duration = Duration::from_secs(30);

const X_GATEWAY: HeaderName = HeaderName::from_static("x-stipend-gateway");

/// What an attestor says of its engine at `GET /v1/engine`.
#[derive(Deserialize)]
struct EngineView {
    /// Requests that wait in the engine, where it shows that.
    waiting: Option<u64>,
    priorities: Said,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Said {
    Honoured,
    Ignored,
    Unknown,
}

/// Looks after an upstream for as long as it is let. `name` is this gateway's account, as attestors are told it.
pub(super) async fn watch(upstream: Arc<Upstream>, name: HeaderValue) {
    let mut pause = upstream.health_every;
    let (mut was_ready, mut said_nothing) = (true, false);
    loop {
        match look(&upstream).await {
            Ok(()) => {
                if !std::mem::replace(&mut was_ready, true) {
                    upstream.breaker.half_open(now_ms());
                }
                pause = upstream.health_every;
                let knows = read_engine(&upstream, &name).await;
                if !knows && upstream.probes_priorities && !std::mem::replace(&mut said_nothing, true) {
                    tracing::warn!(
                        provider = %upstream.address,
                        "the provider's attestor does not know whether its engine schedules by priority, so none are \
                         sent; `priorities = true` sends them, `try_priorities = true` at the attestor finds out"
                    );
                }
            }
            Err(why) => {
                was_ready = false;
                upstream.failed(&why);
                pause = (pause * 2).min(PAUSE_MAX.max(upstream.health_every));
            }
        }
        sleep(pause).await;
    }
}

/// Whether the attestor takes requests. One without that page is asked for nothing else, and lives.
async fn look(upstream: &Upstream) -> Result<(), String> {
    let status = ask(upstream, &upstream.readiness, None).await?.0;
    match status.is_server_error() {
        true => Err(format!("it says that it is not ready ({status})")),
        false => Ok(()),
    }
}

/// Takes in what the attestor says of its engine; whether it knows how that schedules.
async fn read_engine(upstream: &Upstream, name: &HeaderValue) -> bool {
    let Ok((StatusCode::OK, body)) = ask(upstream, &upstream.engine, Some(name)).await else { return false };
    let Ok(view) = serde_json::from_slice::<EngineView>(&body) else { return false };
    if let Some(waiting) = view.waiting {
        upstream.queue.engine_waits(waiting);
    }
    if upstream.probes_priorities {
        upstream.set_honours(match view.priorities {
            Said::Honoured => Honours::Yes,
            Said::Ignored => Honours::No,
            Said::Unknown => Honours::Unknown,
        });
    }
    !matches!(view.priorities, Said::Unknown)
}

async fn ask(
    upstream: &Upstream,
    uri: &Uri,
    name: Option<&HeaderValue>,
) -> Result<(StatusCode, Bytes), String> {
    let mut request = Request::new(Full::new(Bytes::new()));
    *request.uri_mut() = uri.clone();
    if let Some(name) = name {
        request.headers_mut().insert(header::AUTHORIZATION, upstream.token.clone());
        request.headers_mut().insert(X_GATEWAY, name.clone());
    }
    let began = Instant::now();
    let answer = timeout(ANSWER_WAIT_MAX, upstream.client.send(request)).await;
    let response = answer
        .map_err(|_| "it did not say in time whether it is ready".to_owned())?
        .map_err(|error| crate::exchange::describe(&error))?;
    let status = response.status();
    let body = Limited::new(response.into_body(), ENGINE_BYTES_MAX).collect();
    let body = timeout(ANSWER_WAIT_MAX.saturating_sub(began.elapsed()), body).await;
    let body = body.map_err(|_| "it did not say in time whether it is ready".to_owned())?;
    Ok((status, body.map_err(|error| error.to_string())?.to_bytes()))
}
