//! What others say of an outcome, and what the council decides.

use alloc::collections::BTreeMap;

use frame_support::{
    defensive, ensure,
    traits::{DefensiveSaturating, Time},
};
use sp_core::H256;
use sp_runtime::DispatchResult;
use stipend_primitives::{
    ledger::Roles,
    merit::{Awards, Contest, Outcome, OutcomeId, Standing},
    AccountId, Role,
};

use crate::*;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_contest(who: AccountId, id: OutcomeId, reason: H256) -> DispatchResult {
        let mut outcome = Outcomes::<T>::get(id).ok_or(Error::<T>::OutcomeUnknown)?;
        ensure!(Self::may_contest(&who, &outcome), Error::<T>::MayNotContest);
        ensure!(!outcome.standing.is_reverted(), Error::<T>::AlreadyReverted);
        ensure!(outcome.contest.is_none(), Error::<T>::AlreadyContested);
        ensure!(T::Time::now() < outcome.closes_at, Error::<T>::WindowClosed);
        let begun = ContestsBy::<T>::get(&who);
        ensure!(begun < CONTESTS_MAX, Error::<T>::TooManyContests);

        ContestsBy::<T>::insert(&who, begun + 1);
        OpenContests::<T>::insert(id, &who);
        outcome.standing = Standing::Contested;
        outcome.contest = Some(Contest { by: who.clone(), reason });
        Outcomes::<T>::insert(id, outcome);
        Self::deposit_event(Event::Contested { outcome: id, by: who, reason });
        Ok(())
    }

    fn may_contest(who: &AccountId, outcome: &Outcome) -> bool {
        let is_other_evaluator = outcome.evaluator != *who && T::Roles::has(who, Role::Evaluator);
        is_other_evaluator || outcome.record.wallet == *who || T::Awards::manages(who, outcome.program)
    }

    pub(crate) fn do_decide(ids: Decided, stand: bool) -> DispatchResult {
        let now = T::Time::now();
        let mut outcomes = BTreeMap::new();
        for id in ids {
            let outcome = Outcomes::<T>::get(id).ok_or(Error::<T>::OutcomeUnknown)?;
            ensure!(outcome.standing == Standing::Contested, Error::<T>::NotContested);
            // Named twice it is decided on once.
            outcomes.insert(id, outcome);
        }
        for (id, mut outcome) in outcomes {
            Self::close_contest(id);
            Self::deposit_event(Event::Decided { outcome: id, stands: stand });
            if stand {
                outcome.standing = Standing::Upheld;
                outcome.closes_at = outcome.closes_at.max(now);
                Outcomes::<T>::insert(id, outcome);
            } else {
                Self::revert(id, outcome, Standing::Overturned, now);
            }
        }
        Ok(())
    }

    /// Forgets that the council has to decide.
    pub(crate) fn close_contest(id: OutcomeId) {
        let Some(by) = OpenContests::<T>::take(id) else {
            defensive!("a contested outcome is among the open contests");
            return;
        };
        ContestsBy::<T>::mutate_exists(&by, |count| {
            let left = count.unwrap_or_default().defensive_saturating_sub(1);
            *count = (left > 0).then_some(left);
        });
    }
}
