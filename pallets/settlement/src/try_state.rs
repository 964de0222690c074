//! What must hold after every block.

use frame_support::ensure;
use sp_runtime::TryRuntimeError;
use stipend_primitives::{ledger::Unsettled, settlement::VerdictKind, view::Score, Credits};

use crate::{
    pallet::{
        Accounts, Authorities, Config, GatewayScores, Pallet, ProviderScores, Providers, RefundQueue,
        Turnout, Votes,
    },
    refunds::{are_canonical, total},
};

impl<T: Config> Pallet<T> {
    /// Checks the pallet's invariants over the whole state; the README lists them.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_authorities()?;
        Self::check_votes()?;
        Self::check_refund_queue()?;
        Self::check_scores()?;
        for (_, provider) in Providers::<T>::iter() {
            ensure!(Self::is_endpoint(&provider.endpoint), "a provider's endpoint cannot be asked at");
        }
        Ok(())
    }

    fn check_authorities() -> Result<(), TryRuntimeError> {
        let authorities = Authorities::<T>::get();
        for (at, authority) in authorities.iter().enumerate() {
            ensure!(!authorities[..at].contains(authority), "one settlement key has two votes");
        }
        let turnout = Turnout::<T>::get();
        ensure!(
            turnout.votes.len() == authorities.len()
                && Accounts::<T>::decode_len().unwrap_or(0) == authorities.len(),
            "the turnout is not counted for the authorities of this session"
        );
        ensure!(
            turnout.votes.iter().all(|votes| *votes <= turnout.settled),
            "an authority voted on more items than were settled"
        );
        Ok(())
    }

    fn check_votes() -> Result<(), TryRuntimeError> {
        for (item, records) in Votes::<T>::iter() {
            ensure!(T::Unsettled::open_item(&item).is_some(), "votes are kept for an item that is not open");
            ensure!(!RefundQueue::<T>::contains_key(&item), "votes are kept for an item with a verdict");
            ensure!(!records.is_empty(), "an item without votes takes room");
            for (at, record) in records.iter().enumerate() {
                let earlier = &records[..at];
                ensure!(
                    earlier.iter().all(|other| other.validator != record.validator),
                    "a validator has two votes on one item"
                );
            }
        }
        Ok(())
    }

    fn check_scores() -> Result<(), TryRuntimeError> {
        let of_providers = Self::sum(ProviderScores::<T>::iter_values())?;
        let of_gateways = Self::sum(GatewayScores::<T>::iter_values())?;
        ensure!(of_providers == of_gateways, "an item counts for its provider and not for its gateway");
        Ok(())
    }

    /// Items, credits collected and credits refunded of all scores together.
    fn sum(scores: impl Iterator<Item = Score>) -> Result<(u128, Credits, Credits), TryRuntimeError> {
        let (mut items, mut collected, mut refunded) = (0u128, 0, 0);
        for score in scores {
            ensure!(score.refunded <= score.collected, "more was refunded than was collected");
            items += u128::from(score.matched) + u128::from(score.adjusted) + u128::from(score.unattested);
            // Cannot saturate: all credits that there are fit.
            collected = score.collected.saturating_add(collected);
            refunded = score.refunded.saturating_add(refunded);
        }
        Ok((items, collected, refunded))
    }

    fn check_refund_queue() -> Result<(), TryRuntimeError> {
        for (item, queued) in RefundQueue::<T>::iter() {
            let open =
                T::Unsettled::open_item(&item).ok_or("refunds are queued for an item that is not open")?;
            ensure!(queued.kind != VerdictKind::Match, "a match has refunds");
            ensure!(!queued.refunds.is_empty(), "a verdict without refunds waits to be paid");
            ensure!(are_canonical(&queued.refunds), "queued refunds are not in canonical form");
            let all = total(&queued.refunds).and_then(|rest| rest.checked_add(queued.refunded));
            ensure!(
                all.is_some_and(|all| all <= open.collected),
                "the refunds of a verdict exceed what was collected"
            );
        }
        Ok(())
    }
}
