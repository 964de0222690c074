//! Of which kind an owner's wallets are.

use frame_support::{assert_noop, assert_ok};
use stipend_primitives::{policy::EMPLOYEE, KeyHash};

use crate::{mock::*, Error, Event, KindOf, NextEntitlementId, Owners};

fn kind(owner: &stipend_primitives::AccountId) -> u16 {
    Entitlements::kinds_of(vec![owner.clone()])[0]
}

fn grant(credits: u128) -> Result<(), sp_runtime::DispatchError> {
    Entitlements::mint(signed(&hr()), ada(), one(0, credits, Some(Now::get() + DAY)))
        .map(|_| ())
        .map_err(|error| error.error)
}

#[test]
fn whoever_nobody_said_anything_of_is_an_employee_and_takes_no_storage() {
    test(|| {
        mint(&ada(), 10, None);
        assert_eq!(Entitlements::kinds_of(vec![ada(), bob()]), [EMPLOYEE, EMPLOYEE]);
        assert_eq!(KindOf::<Test>::iter().count(), 0);
    });
}

#[test]
fn an_issuer_says_of_which_kind_an_owner_is_before_anything_was_granted() {
    test(|| {
        set_policy(policy(&[(INNOVATION, 5)], Some(DAY), 1));
        set_kind(&ada(), CONTRACTOR);
        let said = Event::KindSet { owner: ada(), kind: CONTRACTOR, issuer: hr() };
        System::assert_last_event(said.into());
        assert_eq!(Entitlements::kinds_of(vec![bob(), ada()]), [EMPLOYEE, CONTRACTOR]);
        assert!(!Owners::<Test>::contains_key(ada()), "being of a kind admits nobody to the pool");
        assert_eq!(System::providers(&ada()), 0);
        assert_noop!(grant(6), Error::<Test>::PolicyForbidsHolding);
        assert_ok!(grant(5));
    });
}

#[test]
fn nobody_but_an_issuer_says_so_and_only_of_kinds_that_there_are() {
    test(|| {
        set_policy(policy(&[], None, 0));
        for who in [ada(), gateway()] {
            let set = Entitlements::set_kind(signed(&who), ada(), CONTRACTOR);
            assert_noop!(set, Error::<Test>::NotIssuer);
        }
        assert_noop!(Entitlements::set_kind(council(), ada(), CONTRACTOR), Error::<Test>::NotIssuer);
        assert_noop!(Entitlements::set_kind(signed(&hr()), ada(), 2), Error::<Test>::KindUnknown);
    });
}

#[test]
fn an_employee_again_is_bound_by_nothing_and_stored_nowhere() {
    test(|| {
        set_policy(policy(&[], Some(DAY), 0));
        set_kind(&ada(), CONTRACTOR);
        assert_noop!(grant(1), Error::<Test>::PolicyForbidsClass);
        set_kind(&ada(), EMPLOYEE);
        mint_without_key(&ada(), 1_000, None);
        assert_eq!(KindOf::<Test>::iter().count(), 0);
    });
}

#[test]
fn a_stricter_kind_takes_nothing_and_what_is_held_counts() {
    test(|| {
        let for_ever = mint(&ada(), 10, None);
        let priority = Entitlements::mint(signed(&hr()), ada(), one(1, 3, None));
        assert_ok!(priority);
        set_policy(policy(&[(INNOVATION, 8)], Some(DAY), 0));
        set_kind(&ada(), CONTRACTOR);
        assert_eq!(credits_of(for_ever), [10, 0, 0, 0, 0], "what was granted stays as it was granted");
        assert_eq!(Entitlements::api_keys_of(ada()).len(), 1, "and so do the keys");
        assert!(reserve(&gateway(), &ada(), 4, HOUR), "which can be used");
        assert_noop!(grant(1), Error::<Test>::PolicyForbidsHolding);
        assert_ok!(Entitlements::revoke(signed(&hr()), for_ever, Some(3 * CREDIT)));
        assert_ok!(grant(1));
        assert_noop!(grant(1), Error::<Test>::PolicyForbidsHolding);
    });
}

#[test]
fn another_policy_counts_at_once_for_everybody_of_the_kind() {
    test(|| {
        set_policy(policy(&[(INNOVATION, 5)], None, 1));
        set_kind(&ada(), CONTRACTOR);
        assert_ok!(grant(5));
        set_policy(policy(&[(INNOVATION, 4)], None, 1));
        assert_noop!(grant(1), Error::<Test>::PolicyForbidsHolding);
        set_policy(policy(&[(INNOVATION, 7)], None, 1));
        assert_ok!(grant(2));
        set_policy(policy(&[(PRIORITY, 7)], None, 1));
        assert_noop!(grant(1), Error::<Test>::PolicyForbidsClass);
    });
}

#[test]
fn whoever_left_is_an_employee_when_coming_back() {
    test(|| {
        set_policy(policy(&[(INNOVATION, 5)], Some(DAY), 1));
        set_kind(&ada(), CONTRACTOR);
        assert_ok!(grant(5));
        assert_ok!(Entitlements::offboard(signed(&hr()), ada()));
        assert_eq!(kind(&ada()), EMPLOYEE);
        assert_eq!(credits(&ada()), [0, 0, 0, 0, 5]);
        mint_without_key(&ada(), 100, None);
        assert_eq!(credits(&ada()), [100, 0, 0, 0, 5]);
    });
}

#[test]
fn saying_the_same_again_changes_nothing() {
    test(|| {
        set_policy(policy(&[(INNOVATION, 5)], Some(DAY), 1));
        set_kind(&ada(), CONTRACTOR);
        let before = KindOf::<Test>::get(ada());
        assert_ok!(grant(5));
        assert!(NextEntitlementId::<Test>::get() > 0);
        set_kind(&ada(), CONTRACTOR);
        assert_eq!(KindOf::<Test>::get(ada()), before);
    });
}

#[test]
fn being_of_a_kind_touches_no_credit_and_no_key() {
    test(|| {
        mint(&ada(), 10, None);
        mint(&bob(), 4, Some(START + DAY));
        reserve(&gateway(), &ada(), 6, HOUR);
        let look = || {
            let keys: Vec<KeyHash> = Entitlements::api_keys_of(ada());
            (Entitlements::wallet(ada()), Entitlements::wallet(bob()), Entitlements::programs(), keys)
        };
        let before = look();
        set_policy(policy(&[], Some(1), 0));
        set_kind(&ada(), CONTRACTOR);
        set_kind(&bob(), CONTRACTOR);
        set_kind(&ada(), EMPLOYEE);
        assert_eq!(look(), before);
    });
}
