//! Kinds and their rules: each rule is announced, dated, and kept.

use frame_support::{defensive, ensure, traits::Time};
use sp_runtime::DispatchResult;
use stipend_primitives::{
    merit::{Awards, DatedRule, KindId, Rule},
    ClassId, Moment, Name,
};

use crate::*;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_register_kind(name: Name, rule: Rule, from: Moment) -> DispatchResult {
        let readable = !name.is_empty() && core::str::from_utf8(&name).is_ok();
        ensure!(readable, Error::<T>::NameInvalid);
        ensure!(!KindNames::<T>::contains_key(&name), Error::<T>::KindExists);
        let count = Kinds::<T>::count();
        ensure!(count < KINDS_MAX, Error::<T>::TooManyKinds);
        let class = T::Awards::class_of(rule.program).ok_or(Error::<T>::ProgramUnknown)?;
        Self::check(&rule, class, from)?;

        let id = count as KindId;
        let kind = Kind {
            name: name.clone(),
            class,
            last_version: 0,
            in_force: None,
            announced: None,
            all: Tally::default(),
            forgotten: Tally::default(),
        };
        KindNames::<T>::insert(&name, id);
        Self::deposit_event(Event::KindRegistered { kind: id, name, class });
        Self::announce(id, kind, rule, from);
        Ok(())
    }

    pub(crate) fn do_announce_rule(id: KindId, rule: Rule, from: Moment) -> DispatchResult {
        let kind = Kinds::<T>::get(id).ok_or(Error::<T>::KindUnknown)?;
        Self::check(&rule, kind.class, from)?;
        Self::announce(id, kind, rule, from);
        Ok(())
    }

    fn check(rule: &Rule, class: ClassId, from: Moment) -> DispatchResult {
        let earliest = T::Time::now().saturating_add(Notice::<T>::get());
        ensure!(from >= earliest, Error::<T>::TooSoon);
        let sound = rule.award > 0
            && rule.award <= rule.wallet_cap
            && rule.award <= rule.evaluator_cap
            && rule.period_ms >= PERIOD_MIN_MS
            && rule.window_ms > 0
            && rule.window_ms <= WINDOW_MAX_MS
            && rule.window_ms <= rule.lasts_ms
            && rule.sunset > from;
        ensure!(sound, Error::<T>::RuleInvalid);
        let paid_in = T::Awards::class_of(rule.program).ok_or(Error::<T>::ProgramUnknown)?;
        ensure!(paid_in == class, Error::<T>::OtherClass);
        Ok(())
    }

    fn announce(id: KindId, mut kind: Kind, rule: Rule, from: Moment) {
        let now = T::Time::now();
        kind.in_force = Self::version_at(id, &kind, now);
        if let Some(version) = kind.announced.filter(|version| kind.in_force != Some(*version)) {
            Rules::<T>::remove(id, version);
            Self::deposit_event(Event::RuleReplaced { kind: id, version });
        }
        // Rules of a kind are announced once per act of the council: the numbers last.
        let version = kind.last_version.saturating_add(1);
        (kind.last_version, kind.announced) = (version, Some(version));
        Rules::<T>::insert(id, version, DatedRule { version, announced_at: now, from, rule });
        Kinds::<T>::insert(id, kind);
        Self::deposit_event(Event::RuleAnnounced { kind: id, version, from });
    }

    /// Changes a kind that an outcome is of.
    pub(crate) fn change_kind(id: KindId, change: impl FnOnce(&mut Kind)) {
        Kinds::<T>::mutate(id, |kind| match kind {
            Some(kind) => change(kind),
            None => {
                defensive!("a kind is never removed");
            }
        });
    }

    /// The version of the rule that holds.
    fn version_at(id: KindId, kind: &Kind, now: Moment) -> Option<u32> {
        let holds = |version: &u32| Rules::<T>::get(id, version).is_some_and(|rule| rule.from <= now);
        kind.announced.filter(holds).or(kind.in_force)
    }

    /// The rule by which an outcome recorded now earns.
    pub(crate) fn rule_at(id: KindId, kind: &Kind, now: Moment) -> Option<DatedRule> {
        Self::version_at(id, kind, now).and_then(|version| Rules::<T>::get(id, version))
    }
}
