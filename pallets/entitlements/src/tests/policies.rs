//! Policies of kinds of wallets: who sets them, and which there can be.

use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;
use stipend_primitives::policy::{Policy, WalletKind, EMPLOYEE};

use crate::{mock::*, types::KEYS_MAX, Error, Event, Kinds, KINDS_MAX};

fn set(kind: u16, policy: Policy) -> sp_runtime::DispatchResult {
    Entitlements::set_policy(council(), kind, name("creator"), policy)
}

#[test]
fn the_council_makes_a_kind_by_setting_its_policy() {
    test(|| {
        assert_eq!(Entitlements::kinds(), [WalletKind::employee()]);
        let policy = policy(&[(INNOVATION, 500)], Some(90 * DAY), 2);
        assert_ok!(set(2, policy.clone()));
        System::assert_last_event(Event::PolicySet { kind: 2 }.into());
        let creator = WalletKind { kind: 2, name: name("creator"), policy: Some(policy) };
        assert_eq!(Entitlements::kinds(), [WalletKind::employee(), creator]);
    });
}

#[test]
fn nobody_but_the_council_sets_a_policy() {
    test(|| {
        for who in [hr(), ada()] {
            let set = Entitlements::set_policy(signed(&who), 1, name("mine"), policy(&[], None, 0));
            assert_noop!(set, DispatchError::BadOrigin);
        }
    });
}

#[test]
fn employees_have_no_policy() {
    test(|| {
        assert_noop!(set(EMPLOYEE, policy(&[], None, 0)), Error::<Test>::PolicyInvalid);
    });
}

#[test]
fn a_policy_names_registered_classes_each_once_by_number() {
    test(|| {
        for classes in [&[(PRIORITY, 1), (INNOVATION, 1)][..], &[(INNOVATION, 1), (INNOVATION, 2)]] {
            assert_noop!(set(1, policy(classes, None, 1)), Error::<Test>::PolicyInvalid);
        }
        let unknown = policy(&[(INNOVATION, 1), (stipend_primitives::ClassId(9), 1)], None, 1);
        assert_noop!(set(1, unknown), Error::<Test>::ClassUnknown);
        assert_ok!(set(1, policy(&[(INNOVATION, 1), (PRIORITY, 1)], None, 1)));
    });
}

#[test]
fn a_policy_lets_grants_last_and_allows_no_more_keys_than_anybody_may_have() {
    test(|| {
        assert_noop!(set(1, policy(&[], Some(0), 1)), Error::<Test>::PolicyInvalid);
        assert_noop!(set(1, policy(&[], None, KEYS_MAX + 1)), Error::<Test>::PolicyInvalid);
        assert_ok!(set(1, policy(&[], Some(1), KEYS_MAX)));
    });
}

#[test]
fn a_kind_has_a_name_that_can_be_read() {
    test(|| {
        for wrong in [name(""), vec![0xff].try_into().unwrap()] {
            let set = Entitlements::set_policy(council(), 1, wrong, policy(&[], None, 0));
            assert_noop!(set, Error::<Test>::NameInvalid);
        }
    });
}

#[test]
fn there_are_so_many_kinds_and_each_can_be_set_anew() {
    test(|| {
        for kind in 1..=KINDS_MAX as u16 {
            assert_ok!(set(kind, policy(&[], None, 0)));
        }
        assert_noop!(set(1_000, policy(&[], None, 0)), Error::<Test>::TooManyKinds);
        assert_ok!(set(7, policy(&[(INNOVATION, 3)], None, 1)));
        assert_eq!(Kinds::<Test>::count(), KINDS_MAX);
        assert_eq!(Entitlements::kinds().len(), KINDS_MAX as usize + 1);
    });
}
