//! What the runtime API answers.

use alloc::vec::Vec;

use frame_support::traits::Time;
use sp_core::H256;
use stipend_primitives::{
    merit::{DatedRule, EvaluatorUse, KindId, KindView, OutcomeId, OutcomeView, WalletMerit},
    AccountId, Moment,
};

use crate::*;

impl<T: Config> Pallet<T> {
    /// All kinds with the rule that holds and the one announced, by number.
    pub fn kinds() -> Vec<KindView> {
        let now = T::Time::now();
        Self::sorted_kinds().into_iter().map(|(id, kind)| Self::kind_view(id, kind, now)).collect()
    }

    fn sorted_kinds() -> Vec<(KindId, Kind)> {
        let mut kinds: Vec<_> = Kinds::<T>::iter().collect();
        kinds.sort_unstable_by_key(|(id, _)| *id);
        kinds
    }

    fn kind_view(id: KindId, kind: Kind, now: Moment) -> KindView {
        let announced = kind.announced.and_then(|version| Rules::<T>::get(id, version));
        KindView {
            id,
            in_force: Self::rule_at(id, &kind, now),
            announced: announced.filter(|rule: &DatedRule| rule.from > now),
            name: kind.name,
            class: kind.class,
            outcomes: kind.all.outcomes,
            reverted: kind.all.reverted,
            sums: kind.all.sums,
        }
    }

    /// One outcome, while it is remembered.
    pub fn outcome(id: OutcomeId) -> Option<OutcomeView> {
        Outcomes::<T>::get(id).map(|outcome| OutcomeView { id, outcome })
    }

    /// The remembered outcomes that an evidence was counted for: at most one of each kind.
    pub fn outcomes_of_evidence(evidence: H256) -> Vec<OutcomeView> {
        let of_kind = |(id, _): (KindId, Kind)| Evidence::<T>::get(id, evidence).and_then(Self::outcome);
        Self::sorted_kinds().into_iter().filter_map(of_kind).collect()
    }

    /// What a wallet earned and owes, and its newest outcomes.
    pub fn wallet_merit(owner: AccountId) -> WalletMerit {
        let mut classes: Vec<_> = Accounts::<T>::iter_prefix(&owner).collect();
        classes.sort_unstable_by_key(|(class, _)| *class);
        let mut ids: Vec<OutcomeId> = OutcomesOf::<T>::iter_key_prefix(&owner).collect();
        ids.sort_unstable();
        let newest = ids.into_iter().rev().take(OUTCOMES_PAGE_MAX);
        WalletMerit { classes, outcomes: newest.filter_map(Self::outcome).collect() }
    }

    /// Up to `limit` outcomes that the council has to decide on, oldest first.
    pub fn open_contests(limit: u32) -> Vec<OutcomeView> {
        let mut ids: Vec<OutcomeId> = OpenContests::<T>::iter_keys().collect();
        ids.sort_unstable();
        let limit = limit.min(CONTESTS_PAGE_MAX) as usize;
        ids.into_iter().take(limit).filter_map(Self::outcome).collect()
    }

    /// What an evaluator's outcomes may still earn in this period: a row for each kind with a rule in force.
    pub fn evaluator_uses(who: AccountId) -> Vec<EvaluatorUse> {
        let now = T::Time::now();
        let row = |(id, kind): (KindId, Kind)| {
            let rule = Self::rule_at(id, &kind, now)?.rule;
            let used = EvaluatorUses::<T>::get(&who, id).at(now, rule.period_ms);
            Some(EvaluatorUse {
                kind: id,
                name: kind.name,
                cap: rule.evaluator_cap,
                awarded: used.awarded,
                // Below zero only if a new rule lowered the cap meanwhile.
                left: rule.evaluator_cap.saturating_sub(used.awarded),
                period_ends_at: used.ends_at,
            })
        };
        Self::sorted_kinds().into_iter().filter_map(row).collect()
    }
}
