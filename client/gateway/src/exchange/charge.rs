//! Turning what an engine counted into a durable receipt.

use stipend_openai::Endpoint;
use stipend_primitives::{cost::Usage, AccountId, ClassId, Credits, Digest};

use crate::{
    admission::Admitted,
    caps::Amounts,
    clock::now_ms,
    credits::credits,
    receipt::{Details, Receipt},
    state::State,
    telemetry::RequestSpan,
};

/// What a caller is told whose receipt could not be recorded. A write that failed may have reached the disk,
/// and what is found there when the gateway starts anew is charged: no more can be promised.
pub(crate) const NOT_RECORDED: &str =
    "The gateway could not record the receipt, so it keeps the answer back. Nothing is charged, unless the record \
     reached the gateway's disk after all. Try again later.";

/// A request that an engine has served.
pub(crate) struct Served<'a> {
    pub(crate) provider: &'a AccountId,
    pub(crate) digest: Digest,
    pub(crate) model: &'a str,
    pub(crate) usage: Usage,
    pub(crate) request_sha256: [u8; 32],
    pub(crate) response_sha256: [u8; 32],
    pub(crate) endpoint: Endpoint,
    pub(crate) span: &'a RequestSpan,
}

/// What a request did cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charged {
    /// Micro-credits of `class`.
    pub(crate) cost: Credits,
    pub(crate) class: ClassId,
    /// Micro-credits of `class` that the wallet can still spend here.
    pub(crate) balance: Credits,
}

/// Records the receipt and settles the holds. When this resolves, no crash can lose the charge; until
/// then the caller must not have the answer's last byte.
pub(crate) async fn charge(
    state: &State,
    admitted: Admitted,
    served: Served<'_>,
) -> Result<Charged, stipend_receipt_log::Error> {
    let Served { provider, digest, model, usage, request_sha256, response_sha256, endpoint, span } = served;
    let entry = &admitted.quote.entry;
    let (cost, class) = (entry.cost(&usage), entry.class);
    if !admitted.bound.covers(&usage, admitted.max_tokens) {
        // The engine's count is what is true; the chain collects no more than the wallet has.
        tracing::warn!(%provider, model, ?usage, "an engine counted more than the request's bound");
        state.metrics.bound_exceeded.inc();
    }
    let receipt = Receipt {
        wallet: admitted.owner().clone(),
        provider: provider.clone(),
        book: admitted.quote.book,
        model: entry.model,
        usage,
        priority_fee: admitted.terms.priority_fee,
        digest,
        class,
        cost,
        details: Some(Details {
            at_ms: now_ms(),
            held: admitted.base.amount(),
            request_sha256,
            response_sha256,
            key: Some(admitted.key),
        }),
    };
    state.receipts.append(receipt.to_bytes()).await?;
    let account = admitted.base.account().clone();
    admitted.base.settle(cost);
    if let Some(fee) = admitted.fee {
        fee.settle(Credits::from(receipt.priority_fee));
    }
    let paid = cost.saturating_add(receipt.priority_fee.into());
    if let Some(caps) = admitted.caps {
        let tokens = u64::from(usage.input) + u64::from(usage.cached_input) + u64::from(usage.output);
        for warning in caps.settle(Amounts { credits: paid, tokens }, now_ms()) {
            state.metrics.cap_reached(&admitted.key, warning);
        }
    }
    if let Some(metrics) = state.metrics.model(model) {
        metrics.used(endpoint, &usage, paid);
    }
    span.charged(model, &usage, paid);
    Ok(Charged { cost, class, balance: credits(account.within_reach()) })
}
