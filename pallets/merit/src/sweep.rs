//! What time does to outcomes: round after round over all that are remembered, a few in each block.

use alloc::vec::Vec;

use frame_support::{
    traits::{DefensiveSaturating, Get, Time},
    weights::Weight,
};
use stipend_primitives::{
    merit::{Outcome, OutcomeId, Standing, Sums},
    Moment,
};

use crate::*;

impl<T: Config> Pallet<T> {
    /// Looks at as many outcomes as there is weight for.
    pub(crate) fn sweep_within(remaining: Weight) -> Weight {
        let base = T::WeightInfo::sweep(0);
        let each = T::WeightInfo::sweep(1).saturating_sub(base);
        let Some(room) = remaining.checked_sub(&base) else { return Weight::zero() };
        let limit = room.checked_div_per_component(&each).map_or(0, |count| count.min(SWEEP_MAX.into()));
        match limit {
            0 => Weight::zero(),
            limit => T::WeightInfo::sweep(Self::sweep(limit as u32)),
        }
    }

    /// Looks at up to `limit` outcomes, from where it stopped; returns at how many.
    pub(crate) fn sweep(limit: u32) -> u32 {
        let from = SweptTo::<T>::get();
        let outcomes = match from {
            Some(id) => Outcomes::<T>::iter_from(Outcomes::<T>::hashed_key_for(id)),
            None => Outcomes::<T>::iter(),
        };
        // Collected first: what is walked over must not change meanwhile.
        let seen: Vec<(OutcomeId, Outcome)> = outcomes.take(limit as usize).collect();
        let count = seen.len() as u32;
        match seen.last() {
            Some((id, _)) if count == limit => SweptTo::<T>::put(id),
            _ if from.is_some() => SweptTo::<T>::kill(),
            _ => {}
        }
        let now = T::Time::now();
        for (id, outcome) in seen {
            Self::look_at(id, outcome, now);
        }
        count
    }

    fn look_at(id: OutcomeId, outcome: Outcome, now: Moment) {
        if outcome.owed > 0 {
            Self::collect(id, outcome);
        }
        Self::forget_if_over(id, now);
    }

    fn forget_if_over(id: OutcomeId, now: Moment) {
        let Some(outcome) = Outcomes::<T>::get(id) else { return };
        let is_over = now >= outcome.closes_at.saturating_add(T::Keep::get());
        if !is_over || outcome.standing == Standing::Contested {
            return;
        }
        let part = part_of(&outcome);
        Self::change_kind(outcome.record.kind, |kind| {
            kind.forgotten.outcomes.defensive_saturating_inc();
            kind.forgotten.reverted.defensive_saturating_accrue(outcome.standing.is_reverted().into());
            add(&mut kind.forgotten.sums, &part);
        });
        OutcomesOf::<T>::remove(&outcome.record.wallet, id);
        Outcomes::<T>::remove(id);
    }
}

/// What an outcome adds to the sums of its kind and of its wallet.
pub(crate) fn part_of(outcome: &Outcome) -> Sums {
    Sums {
        earned: if outcome.standing.is_reverted() { 0 } else { outcome.earned },
        minted: outcome.minted,
        taken: outcome.taken,
        lapsed: outcome.lapsed,
    }
}

/// Adds sums to others.
pub(crate) fn add(to: &mut Sums, part: &Sums) {
    to.earned.defensive_saturating_accrue(part.earned);
    to.minted.defensive_saturating_accrue(part.minted);
    to.taken.defensive_saturating_accrue(part.taken);
    to.lapsed.defensive_saturating_accrue(part.lapsed);
}
