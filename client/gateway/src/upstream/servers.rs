//! Who serves which model, and who of them is asked.

use std::sync::Arc;

use stipend_openai::ApiError;
use stipend_primitives::{evidence::EvidencePolicy, AccountId, BlockNumber, Moment};

use super::Upstream;

/// Seconds after which a provider may have shown evidence.
const EVIDENCE_RETRY_S: u32 = 60;

/// Who serves one model.
#[derive(Default)]
pub(crate) struct Servers {
    pub(super) upstreams: Vec<Arc<Upstream>>,
}

impl Servers {
    /// The one to ask next: not avoided if possible, then one with evidence where that is asked for, then the
    /// least loaded. Those that would not be paid, those whose circuit is open and `tried` are left out.
    pub(crate) fn choose(&self, tried: &[AccountId], asked: Asked, now_ms: Moment) -> Option<Arc<Upstream>> {
        let left = self.upstreams.iter().filter(|upstream| !tried.contains(&upstream.provider));
        let order = |upstream: &&Arc<Upstream>| {
            let lacks = asked.policy != EvidencePolicy::None && !upstream.is_attested(asked.block);
            (upstream.is_avoided(now_ms), lacks, upstream.load())
        };
        left.filter(|upstream| asked.is_met_by(upstream) && upstream.breaker.lets_through(now_ms))
            .min_by_key(order)
            .cloned()
    }

    /// Whether one of them schedules by vLLM's `priority`, and whether all do.
    pub(crate) fn priorities(&self) -> (bool, bool) {
        let honours = |upstream: &Arc<Upstream>| upstream.honours_priorities();
        (self.upstreams.iter().any(honours), self.upstreams.iter().all(honours))
    }

    /// Why nobody may be asked; `None` if somebody may.
    pub(crate) fn refusal(&self, asked: Asked, now_ms: Moment) -> Option<ApiError> {
        if self.upstreams.iter().all(|upstream| upstream.is_suspended()) {
            return Some(providers_suspended());
        }
        let met = || self.upstreams.iter().filter(|upstream| asked.is_met_by(upstream));
        if met().next().is_none() {
            return Some(evidence_required());
        }
        if met().any(|upstream| upstream.breaker.lets_through(now_ms)) {
            return None;
        }
        let wait_ms = met().map(|upstream| upstream.breaker.wait_ms(now_ms)).min();
        Some(providers_failing(wait_ms.unwrap_or_default()))
    }
}

/// What a request asks of whoever serves it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// The strictest policy of the classes that pay for it.
    pub(crate) policy: EvidencePolicy,
    /// The newest block.
    pub(crate) block: BlockNumber,
}

impl Asked {
    /// Whether a provider would be paid.
    pub(crate) fn is_met_by(self, upstream: &Upstream) -> bool {
        let required = self.policy == EvidencePolicy::Required;
        !upstream.is_suspended() && (!required || upstream.is_attested(self.block))
    }
}

fn providers_suspended() -> ApiError {
    ApiError::new(
        503,
        "api_error",
        "providers_suspended",
        "The chain has suspended every provider of this model, so nothing of it is served. Choose another model; \
         the council can reinstate a provider.",
    )
}

fn evidence_required() -> ApiError {
    ApiError::new(
        503,
        "api_error",
        "evidence_required",
        "The class that pays for this model demands attested GPUs, and no provider of the model has evidence in \
         force now. Choose another model, or try again later: evidence is looked at every few minutes.",
    )
    .with_retry_after(EVIDENCE_RETRY_S)
}

fn providers_failing(wait_ms: u64) -> ApiError {
    ApiError::new(
        503,
        "api_error",
        "providers_unavailable",
        "Every provider of this model failed several times in a row, so none is asked for a moment. Nothing was \
         charged; try again later.",
    )
    .with_retry_after(u32::try_from(wait_ms.div_ceil(1_000)).unwrap_or(u32::MAX).max(1))
}
