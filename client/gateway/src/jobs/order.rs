//! What a job's runner is told when it begins.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stipend_openai::{ApiError, RequestView, Rewrite};
use stipend_primitives::Digest;

use super::{
    run::{over, RETRY_S},
    Inner,
};
use crate::{
    admission::evidence_asked,
    clock::now_ms,
    state::State,
    upstream::{Asked, Upstream},
};

/// Providers that one attempt may ask.
const TARGETS_MAX: usize = 3;

/// vLLM serves lower numbers sooner, and live requests have 0 or less: batch work takes what they leave.
const PRIORITY: i64 = 1_000;

/// What a runner has to do.
#[derive(Serialize, Deserialize)]
pub(crate) struct Order {
    /// The providers to ask, one after the other until one answers.
    pub(crate) targets: Vec<Target>,
    /// The gateway's account, as attestors are told it: 64 hex digits.
    pub(crate) gateway: String,
    /// The digest: 32 hex digits.
    pub(crate) request: String,
    /// The body, as it goes to the engine.
    pub(crate) body: String,
    /// Bytes of an answer.
    pub(crate) answer_bytes_max: usize,
}

/// A provider's attestor.
#[derive(Serialize, Deserialize)]
pub(crate) struct Target {
    /// The provider's account, as an SS58 address.
    pub(crate) provider: String,
    pub(crate) url: String,
    /// The value of `Authorization`.
    pub(crate) token: String,
    /// The gateway's signature for this provider and this digest: 128 hex digits.
    pub(crate) signature: String,
    /// The only certificate authorities to trust, DER as hex digits; `None`: those of the image.
    pub(crate) ca: Option<Vec<String>>,
    /// Milliseconds for the whole answer.
    pub(crate) answer_ms_max: u64,
}

/// Whom a runner may ask now, the best first.
pub(super) fn targets(state: &State, inner: &Inner) -> Result<Vec<Arc<Upstream>>, ApiError> {
    let admitted = inner.admitted.as_ref().ok_or_else(over)?;
    let policy = evidence_asked(state, [inner.record.entry.class; 2]);
    let asked = Asked { policy, block: state.status.block() };
    let (mut tried, mut targets) = (Vec::new(), Vec::new());
    while let Some(upstream) = admitted.servers.choose(&tried, asked, now_ms()) {
        tried.push(upstream.provider.clone());
        targets.push(upstream);
        if targets.len() == TARGETS_MAX {
            break;
        }
    }
    if targets.is_empty() {
        let refusal = admitted.servers.refusal(asked, now_ms());
        let unreached = || ApiError::upstream("No provider of this model can be asked now.");
        return Err(refusal.unwrap_or_else(unreached).with_retry_after(RETRY_S));
    }
    Ok(targets)
}

pub(super) fn order(
    state: &State,
    inner: &Inner,
    upstreams: &[Arc<Upstream>],
    digest: Digest,
    body: &[u8],
) -> Result<Order, ApiError> {
    let record = &inner.record;
    let view = RequestView::read(record.endpoint, body).map_err(|_| ApiError::internal())?;
    let bounded = Rewrite::new(&view).max_tokens(record.max_tokens).ask_for_usage();
    let ranked = match upstreams.iter().all(|upstream| upstream.honours_priorities()) {
        true => bounded.priority(PRIORITY),
        false => bounded.no_priority(),
    };
    let target = |upstream: &Arc<Upstream>| Target {
        provider: upstream.address.clone(),
        url: upstream.uri(record.endpoint).to_string(),
        token: upstream.token.to_str().unwrap_or_default().to_owned(),
        // Not the shared secret's tag: a provider may have another key by the time that it is asked.
        signature: hex::encode(state.pen.forward(&upstream.provider, &digest)),
        ca: upstream.authorities(),
        answer_ms_max: u64::try_from(upstream.answer_wait_max.as_millis()).unwrap_or(u64::MAX),
    };
    Ok(Order {
        targets: upstreams.iter().map(target).collect(),
        gateway: hex::encode(state.pen.signer.public()),
        request: hex::encode(digest),
        body: String::from_utf8(ranked.finish()).map_err(|_| ApiError::internal())?,
        answer_bytes_max: state.limits.answer_bytes_max,
    })
}
