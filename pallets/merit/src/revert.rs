//! Taking back what an outcome earned, as far as it is there; the rest is owed.

use frame_support::{
    ensure,
    traits::{DefensiveSaturating, Time},
};
use sp_runtime::DispatchResult;
use stipend_primitives::{
    merit::{Awards, Outcome, OutcomeId, Standing, TakenBack},
    AccountId, Moment,
};

use crate::*;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_withdraw(evaluator: &AccountId, id: OutcomeId) -> DispatchResult {
        let now = T::Time::now();
        let outcome = Outcomes::<T>::get(id).ok_or(Error::<T>::OutcomeUnknown)?;
        ensure!(outcome.evaluator == *evaluator, Error::<T>::NotYours);
        ensure!(!outcome.standing.is_reverted(), Error::<T>::AlreadyReverted);
        let is_contested = outcome.standing == Standing::Contested;
        ensure!(is_contested || now < outcome.closes_at, Error::<T>::WindowClosed);
        if is_contested {
            Self::close_contest(id);
        }
        Self::revert(id, outcome, Standing::Withdrawn, now);
        Ok(())
    }

    /// Makes an outcome count no longer.
    pub(crate) fn revert(id: OutcomeId, mut outcome: Outcome, standing: Standing, now: Moment) {
        let Outcome { earned, minted, .. } = outcome;
        let back = outcome.entitlement.map(|it| T::Awards::take_back(it, minted)).unwrap_or_default();
        outcome.standing = standing;
        outcome.closes_at = outcome.closes_at.max(now);
        outcome.taken = back.taken;
        outcome.owed = back.used.min(minted.defensive_saturating_sub(back.taken));
        outcome.lapsed =
            minted.defensive_saturating_sub(outcome.taken).defensive_saturating_sub(outcome.owed);

        Accounts::<T>::mutate(&outcome.record.wallet, outcome.class, |account| {
            account.sums.earned.defensive_saturating_reduce(earned);
            account.sums.taken.defensive_saturating_accrue(outcome.taken);
            account.sums.lapsed.defensive_saturating_accrue(outcome.lapsed);
            // What it paid of an older debt is unpaid again.
            account.owed.defensive_saturating_accrue(outcome.owed);
            account.owed.defensive_saturating_accrue(earned.defensive_saturating_sub(minted));
        });
        Self::change_kind(outcome.record.kind, |kind| {
            kind.all.reverted.defensive_saturating_inc();
            kind.all.sums.earned.defensive_saturating_reduce(earned);
            kind.all.sums.taken.defensive_saturating_accrue(outcome.taken);
            kind.all.sums.lapsed.defensive_saturating_accrue(outcome.lapsed);
        });
        Self::deposit_event(Event::Reverted {
            outcome: id,
            wallet: outcome.record.wallet.clone(),
            taken: outcome.taken,
            owed: outcome.owed,
            withdrawn: standing == Standing::Withdrawn,
        });
        Outcomes::<T>::insert(id, outcome);
    }

    /// Takes what came back of a reverted outcome since: a gateway let it go, or a settlement refunded it. What
    /// neither is there nor used any more is not owed either.
    pub(crate) fn collect(id: OutcomeId, mut outcome: Outcome) {
        let mut account = Accounts::<T>::get(&outcome.record.wallet, outcome.class);
        // Later outcomes may have paid the debt: then nothing more is to be had.
        let due = outcome.owed.min(account.owed);
        let Some(entitlement) = outcome.entitlement.filter(|_| due > 0) else { return };
        let TakenBack { taken, used } = T::Awards::take_back(entitlement, due);
        let rest = outcome.owed.defensive_saturating_sub(taken);
        let left = rest.min(used);
        if left == outcome.owed {
            return;
        }
        account.owed.defensive_saturating_reduce(taken);
        let forgiven = rest.defensive_saturating_sub(left).min(account.owed);
        account.owed.defensive_saturating_reduce(forgiven);
        outcome.owed = left;
        outcome.taken.defensive_saturating_accrue(taken);
        outcome.lapsed.defensive_saturating_accrue(forgiven);
        account.sums.taken.defensive_saturating_accrue(taken);
        account.sums.lapsed.defensive_saturating_accrue(forgiven);
        Self::change_kind(outcome.record.kind, |kind| {
            kind.all.sums.taken.defensive_saturating_accrue(taken);
            kind.all.sums.lapsed.defensive_saturating_accrue(forgiven);
        });
        Accounts::<T>::insert(&outcome.record.wallet, outcome.class, account);
        Self::deposit_event(Event::Collected { outcome: id, wallet: outcome.record.wallet.clone(), taken });
        Outcomes::<T>::insert(id, outcome);
    }
}
