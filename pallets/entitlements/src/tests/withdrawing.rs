//! Revoking and giving back.

use frame_support::{assert_noop, assert_ok};
use stipend_primitives::{ledger::Ledger, Role};

use crate::{mock::*, Error, Event, Programs};

#[test]
fn revoked_credits_can_be_granted_again() {
    test(|| {
        let id = mint(&ada(), 10, None);
        assert_ok!(Entitlements::revoke(signed(&hr()), id, Some(4 * CREDIT)));
        System::assert_last_event(
            Event::Revoked { id, owner: ada(), amount: 4 * CREDIT, whole: false }.into(),
        );
        assert_eq!(credits_of(id), [6, 0, 0, 0, 4]);
        let program = Programs::<Test>::get(0).unwrap();
        assert_eq!((program.unminted, program.granted), (999_994 * CREDIT, 6 * CREDIT));
    });
}

#[test]
fn only_available_credits_are_revoked_by_amount() {
    test(|| {
        let id = mint(&ada(), 10, None);
        reserve(&gateway(), &ada(), 4, HOUR);
        Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, 2 * CREDIT);
        assert_noop!(
            Entitlements::revoke(signed(&hr()), id, Some(7 * CREDIT)),
            Error::<Test>::InsufficientAvailable
        );
        assert_noop!(Entitlements::revoke(signed(&hr()), id, Some(0)), Error::<Test>::ZeroAmount);
        assert_ok!(Entitlements::revoke(signed(&hr()), id, Some(6 * CREDIT)));
        assert_eq!(credits_of(id), [0, 2, 2, 0, 6]);
    });
}

#[test]
fn an_entitlement_withdrawn_as_a_whole_gives_up_reserved_credits_as_they_come_back() {
    test(|| {
        let id = mint(&ada(), 10, None);
        mint(&ada(), 1, None);
        reserve(&gateway(), &ada(), 5, HOUR);
        assert_ok!(Entitlements::revoke(signed(&hr()), id, None));
        assert_eq!(credits_of(id), [0, 5, 0, 0, 5]);
        assert_eq!(Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, CREDIT), CREDIT);
        release(&gateway(), &ada(), 4 * CREDIT);
        assert_eq!(credits_of(id), [0, 0, 1, 0, 9]);
        assert_eq!(Entitlements::refund(&ada(), INNOVATION, CREDIT), CREDIT);
        assert_eq!(credits_of(id), [0, 0, 0, 0, 10]);
        assert_eq!(Programs::<Test>::get(0).unwrap().granted, CREDIT);
        assert_noop!(Entitlements::revoke(signed(&hr()), id, None), Error::<Test>::AlreadyWithdrawn);
    });
}

#[test]
fn issuers_revoke_only_what_came_from_their_programs() {
    test(|| {
        let other = account(0x11);
        RoleHolders::mutate(|holders| holders.push((other.clone(), Role::Issuer)));
        let id = mint(&ada(), 10, None);
        assert_noop!(Entitlements::revoke(signed(&other), id, None), Error::<Test>::NotProgramOwner);
        assert_noop!(Entitlements::revoke(signed(&ada()), id, None), Error::<Test>::NotIssuer);
        assert_noop!(Entitlements::revoke(signed(&hr()), 99, None), Error::<Test>::EntitlementUnknown);
    });
}

#[test]
fn owners_give_back_available_credits_of_their_own() {
    test(|| {
        let id = mint(&ada(), 10, None);
        reserve(&gateway(), &ada(), 4, HOUR);
        assert_noop!(
            Entitlements::give_back(signed(&ada()), id, 7 * CREDIT),
            Error::<Test>::InsufficientAvailable
        );
        assert_noop!(Entitlements::give_back(signed(&bob()), id, CREDIT), Error::<Test>::NotOwner);
        assert_noop!(Entitlements::give_back(signed(&hr()), id, CREDIT), Error::<Test>::NotOwner);
        assert_ok!(Entitlements::give_back(signed(&ada()), id, 6 * CREDIT));
        System::assert_last_event(Event::GivenBack { id, owner: ada(), amount: 6 * CREDIT }.into());
        assert_eq!(credits_of(id), [0, 4, 0, 0, 6]);
    });
}

#[test]
fn expired_credits_are_not_given_back() {
    test(|| {
        let id = mint(&ada(), 10, Some(START + DAY));
        wait(DAY);
        assert_noop!(
            Entitlements::give_back(signed(&ada()), id, CREDIT),
            Error::<Test>::InsufficientAvailable
        );
        assert_eq!(credits_of(id), [0, 0, 0, 10, 0]);
    });
}

#[test]
fn an_archived_entitlement_has_nothing_to_take() {
    test(|| {
        let id = mint(&ada(), 10, None);
        Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, 10 * CREDIT);
        mint(&ada(), 1, None);
        for result in
            [Entitlements::revoke(signed(&hr()), id, Some(1)), Entitlements::give_back(signed(&ada()), id, 1)]
        {
            assert_eq!(result, Err(Error::<Test>::InsufficientAvailable.into()));
        }
        assert_ok!(Entitlements::revoke(signed(&hr()), id, None));
        assert_noop!(Entitlements::revoke(signed(&hr()), id, None), Error::<Test>::AlreadyWithdrawn);
    });
}

#[test]
fn who_loses_the_last_entitlement_is_no_longer_admitted() {
    test(|| {
        let (first, second) = (mint(&ada(), 10, None), mint(&ada(), 10, None));
        assert_ok!(Entitlements::revoke(signed(&hr()), first, None));
        assert_eq!(System::providers(&ada()), 1);
        assert_ok!(Entitlements::give_back(signed(&ada()), second, 10 * CREDIT));
        assert_eq!(System::providers(&ada()), 0);
    });
}
