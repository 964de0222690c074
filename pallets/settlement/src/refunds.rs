//! Refunds: the form they must have, and how they are paid.

use frame_support::{traits::Get, weights::Weight};
use stipend_primitives::{
    attestation::GpuUse,
    ledger::{Ledger, Unsettled},
    settlement::{Item, Refund, Refunds, Verdict},
    Credits,
};

use crate::{
    pallet::{Config, Event, Pallet, RefundQueue},
    types::{QueuedRefunds, REFUNDS_AT_ONCE_MAX},
    WeightInfo,
};

/// Whether refunds are sorted by (owner, class), each pair once, none of nothing. One result has one
/// list, so validators that agree on it agree on its hash.
pub fn are_canonical(refunds: &[Refund]) -> bool {
    refunds.iter().all(|refund| refund.amount > 0)
        && refunds.windows(2).all(|pair| (&pair[0].owner, pair[0].class) < (&pair[1].owner, pair[1].class))
}

/// Sum of refunds; `None` if it does not fit, which no honest list comes near.
pub fn total(refunds: &[Refund]) -> Option<Credits> {
    refunds.iter().try_fold(0, |total: Credits, refund| total.checked_add(refund.amount))
}

impl<T: Config> Pallet<T> {
    /// Applies the quorum's verdict.
    pub(crate) fn settle(item: Item, verdict: Verdict, gpu: GpuUse) {
        let kind = verdict.kind();
        let refunds = match verdict {
            Verdict::Match => Refunds::default(),
            Verdict::Adjust { refunds, .. } | Verdict::Unattested { refunds } => refunds,
        };
        Self::pay(item, QueuedRefunds { kind, refunds, refunded: 0, gpu }, REFUNDS_AT_ONCE_MAX);
    }

    /// Pays up to `limit` refunds of a verdict; closes the item with the last one.
    pub(crate) fn pay(item: Item, mut queued: QueuedRefunds, limit: u32) {
        for _ in 0..limit {
            let Some(refund) = queued.refunds.pop() else { break };
            let given = T::Ledger::refund(&refund.owner, refund.class, refund.amount);
            // Cannot saturate: the sum of all amounts fits, which was checked with every vote.
            queued.refunded = queued.refunded.saturating_add(given);
        }
        if queued.refunds.is_empty() {
            RefundQueue::<T>::remove(&item);
            let QueuedRefunds { kind, refunded, gpu, .. } = queued;
            Self::score(&item, kind, refunded, gpu);
            T::Unsettled::close_item(&item, kind, refunded, gpu);
            Self::deposit_event(Event::Settled { item, verdict: kind, refunded, gpu });
        } else {
            let remaining = queued.refunds.len() as u32;
            RefundQueue::<T>::insert(&item, queued);
            Self::deposit_event(Event::RefundsQueued { item, remaining });
        }
    }

    /// Goes on with the refunds of one queued verdict, as far as `weight` goes.
    ///
    /// Blocks that are full leave no weight, but not for long: a gateway with too many unsettled
    /// batches has to wait.
    pub(crate) fn pay_queued_refunds(weight: Weight) -> Weight {
        let base = T::WeightInfo::pay_refunds(0);
        let per_refund = T::WeightInfo::pay_refunds(1).saturating_sub(base);
        let Some(room) = weight.checked_sub(&base) else { return Weight::zero() };
        let limit = room
            .checked_div_per_component(&per_refund)
            .map_or(0, |count| count.min(u64::from(REFUNDS_AT_ONCE_MAX)) as u32);
        if limit == 0 {
            return Weight::zero();
        }
        let Some((item, queued)) = RefundQueue::<T>::iter().next() else {
            return <T as frame_system::Config>::DbWeight::get().reads(1);
        };
        let paid = (queued.refunds.len() as u32).min(limit);
        Self::pay(item, queued, limit);
        T::WeightInfo::pay_refunds(paid)
    }
}
