//! Kinds, and rules that are announced before they hold.

use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;
use stipend_primitives::merit::Rule;

use crate::{mock::*, Error, Event, Rules};

/// The versions in force and announced of kind 0.
fn versions() -> (Option<u32>, Option<u32>) {
    let kind = Merit::kinds().remove(0);
    (kind.in_force.map(|rule| rule.version), kind.announced.map(|rule| rule.version))
}

#[test]
fn only_the_council_makes_kinds_and_rules() {
    test(|| {
        for origin in [signed(&eva()), signed(&hr()), RuntimeOrigin::none()] {
            let from = Now::get() + NOTICE;
            let register = Merit::register_kind(origin.clone(), name("commit"), rule(), from);
            assert_noop!(register, DispatchError::BadOrigin);
            assert_noop!(Merit::announce_rule(origin, 0, rule(), from), DispatchError::BadOrigin);
        }
    });
}

#[test]
fn a_first_rule_is_announced_like_every_other() {
    test(|| {
        let from = Now::get() + NOTICE;
        assert_noop!(
            Merit::register_kind(council(), name("commit"), rule(), from - 1),
            Error::<Test>::TooSoon
        );
        assert_ok!(Merit::register_kind(council(), name("commit"), rule(), from));
        System::assert_has_event(
            Event::KindRegistered { kind: 0, name: name("commit"), class: PRIORITY }.into(),
        );
        System::assert_last_event(Event::RuleAnnounced { kind: 0, version: 1, from }.into());
        assert_eq!(versions(), (None, Some(1)));
        assert_noop!(Merit::record(signed(&eva()), said(0, 1, 1)), Error::<Test>::NoRuleInForce);
        wait(NOTICE);
        assert_eq!(versions(), (Some(1), None));
        assert_ok!(Merit::record(signed(&eva()), said(0, 1, 1)));
    });
}

#[test]
fn the_next_rule_holds_from_its_moment_and_not_before() {
    test_with_kind(|| {
        let next = Rule { award: CREDIT, ..rule() };
        let from = Now::get() + DAY;
        let soon = Merit::announce_rule(council(), 0, next.clone(), Now::get() + NOTICE - 1);
        assert_noop!(soon, Error::<Test>::TooSoon);
        assert_ok!(Merit::announce_rule(council(), 0, next, from));
        assert_eq!(versions(), (Some(1), Some(2)));

        wait(DAY - 1);
        assert_eq!(Merit::outcome(record(1, 2)).unwrap().outcome.earned, 20 * CREDIT);
        wait(1);
        assert_eq!(versions(), (Some(2), None));
        let later = Merit::outcome(record(2, 2)).unwrap().outcome;
        assert_eq!((later.earned, later.rule), (2 * CREDIT, 2));
    });
}

#[test]
fn a_rule_that_does_not_hold_yet_can_be_replaced_and_one_that_held_is_kept() {
    test_with_kind(|| {
        let announce = |award| {
            let rule = Rule { award: award * CREDIT, ..rule() };
            Merit::announce_rule(council(), 0, rule, Now::get() + NOTICE)
        };
        assert_ok!(announce(1));
        assert_ok!(announce(2));
        System::assert_has_event(Event::RuleReplaced { kind: 0, version: 2 }.into());
        assert_eq!(versions(), (Some(1), Some(3)));
        assert!(!Rules::<Test>::contains_key(0, 2));
        wait(NOTICE);
        assert_eq!(versions(), (Some(3), None));
        assert_ok!(announce(3));
        assert_eq!(versions(), (Some(3), Some(4)));
        assert_eq!(Rules::<Test>::get(0, 1).unwrap().rule.award, 10 * CREDIT);
    });
}

#[test]
fn a_rule_that_means_nothing_is_refused() {
    test_with_kind(|| {
        let from = Now::get() + NOTICE;
        let sound = rule();
        for unsound in [
            Rule { award: 0, ..sound.clone() },
            Rule { wallet_cap: sound.award - 1, ..sound.clone() },
            Rule { evaluator_cap: sound.award - 1, ..sound.clone() },
            Rule { period_ms: HOUR - 1, ..sound.clone() },
            Rule { window_ms: 0, ..sound.clone() },
            Rule { window_ms: 91 * DAY, lasts_ms: 100 * DAY, ..sound.clone() },
            Rule { lasts_ms: sound.window_ms - 1, ..sound.clone() },
            Rule { sunset: from, ..sound.clone() },
        ] {
            let announce = Merit::announce_rule(council(), 0, unsound, from);
            assert_noop!(announce, Error::<Test>::RuleInvalid);
        }
        let unknown = Rule { program: 99, ..sound.clone() };
        assert_noop!(Merit::announce_rule(council(), 0, unknown, from), Error::<Test>::ProgramUnknown);
        // Program 0 is of the class Innovation.
        let other = Rule { program: 0, ..sound.clone() };
        assert_noop!(Merit::announce_rule(council(), 0, other, from), Error::<Test>::OtherClass);
        assert_noop!(Merit::announce_rule(council(), 7, sound, from), Error::<Test>::KindUnknown);
    });
}

#[test]
fn a_name_is_text_and_stands_for_one_kind() {
    test_with_kind(|| {
        let register = |kind| Merit::register_kind(council(), kind, rule(), Now::get() + NOTICE);
        assert_noop!(register(name("commit")), Error::<Test>::KindExists);
        assert_noop!(register(name("")), Error::<Test>::NameInvalid);
        let bytes = stipend_primitives::Name::truncate_from(vec![0xff, 0xfe]);
        assert_noop!(register(bytes), Error::<Test>::NameInvalid);
        assert_ok!(register(name("thesis")));
        assert_eq!(Merit::kinds().len(), 2);
    });
}

#[test]
fn after_its_sunset_nothing_new_counts_until_another_rule_holds() {
    test_with_kind(|| {
        wait(365 * DAY);
        assert_noop!(Merit::record(signed(&eva()), said(0, 1, 1)), Error::<Test>::SunsetOver);
        let longer = Rule { sunset: START + 800 * DAY, ..rule() };
        assert_ok!(Merit::announce_rule(council(), 0, longer, Now::get() + NOTICE));
        wait(NOTICE);
        record(1, 1);
    });
}
