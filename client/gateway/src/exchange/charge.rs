//! Turning what an engine counted into a durable receipt.

use stipend_primitives::{cost::Usage, AccountId, ClassId, Credits, Digest};

use crate::{admission::Admitted, receipt::Receipt, state::State};

/// What a request did cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Charged {
    /// Micro-credits of `class`.
    pub(crate) cost: Credits,
    pub(crate) class: ClassId,
}

/// Records the receipt and settles the holds. When this resolves, no crash can lose the charge; until
/// then the caller must not have the answer's last byte.
pub(crate) async fn charge(
    state: &State,
    admitted: Admitted,
    provider: &AccountId,
    digest: Digest,
    model: &str,
    usage: Usage,
) -> Result<Charged, stipend_receipt_log::Error> {
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
        priority_fee: admitted.priority_fee,
        digest,
        class,
        cost,
    };
    state.receipts.append(receipt.to_bytes().to_vec()).await?;
    admitted.base.settle(cost);
    if let Some(fee) = admitted.fee {
        fee.settle(Credits::from(receipt.priority_fee));
    }
    if let Some(metrics) = state.metrics.model(model) {
        metrics.used(&usage, cost.saturating_add(receipt.priority_fee.into()));
    }
    Ok(Charged { cost, class })
}
