//! Awards for outcomes: granted out of a program by nobody's key, and taken back as far as they are there.

use frame_support::{assert_noop, assert_ok, storage::with_storage_layer};
use stipend_primitives::{
    ledger::Ledger,
    merit::{Awards, TakenBack, ISSUER},
    view::EntitlementView,
    EntitlementId,
};

use crate::{mock::*, Error, Event, Issuers, Programs, AWARD_SLICES_MAX, SLICES_MAX};

/// Awards Innovation credits for a day.
fn award(credits: u128) -> EntitlementId {
    Entitlements::award(0, &ada(), credits * CREDIT, START + DAY).expect("the award is sound")
}

fn taken(taken: u128, used: u128) -> TakenBack {
    TakenBack { taken: taken * CREDIT, used: used * CREDIT }
}

#[test]
fn an_award_comes_out_of_a_programs_budget_whoever_owns_it() {
    test(|| {
        mint(&ada(), 1, None);
        let id = award(10);
        let EntitlementView { owner, issuer, program, valid_until, .. } =
            Entitlements::entitlement(id).unwrap();
        assert_eq!((owner, issuer, program), (ada(), ISSUER, 0));
        assert_eq!(valid_until, Some(START + DAY));
        assert_eq!(Programs::<Test>::get(0).unwrap().granted, 11 * CREDIT);
        // No issuer's allowance is touched.
        assert!(!Issuers::<Test>::contains_key(ISSUER));
    });
}

#[test]
fn an_award_beyond_the_budget_is_refused() {
    test(|| {
        mint(&ada(), 1, None);
        let refused = with_storage_layer(|| Entitlements::award(0, &ada(), 1_000_000 * CREDIT, START + DAY));
        assert_eq!(refused, Err(Error::<Test>::BudgetExhausted.into()));
        let unknown = with_storage_layer(|| Entitlements::award(9, &ada(), 1, START + DAY));
        assert_eq!(unknown, Err(Error::<Test>::ProgramUnknown.into()));
    });
}

#[test]
fn who_holds_nothing_is_awarded_nothing() {
    test(|| {
        assert_noop!(Entitlements::award(0, &ada(), 1, START + DAY), Error::<Test>::NothingHeld);
        mint(&ada(), 1, None);
        assert_ok!(Entitlements::offboard(signed(&hr()), ada()));
        assert_noop!(Entitlements::award(0, &ada(), 1, START + DAY), Error::<Test>::NothingHeld);
    });
}

#[test]
fn awards_leave_half_of_a_wallet_to_issuers() {
    test(|| {
        mint(&ada(), 1, None);
        (1..AWARD_SLICES_MAX).for_each(|_| {
            award(1);
        });
        assert_noop!(Entitlements::award(0, &ada(), 1, START + DAY), Error::<Test>::TooManyEntitlements);
        (AWARD_SLICES_MAX..SLICES_MAX).for_each(|_| {
            mint(&ada(), 1, None);
        });
        // What is withdrawn or expired makes room again.
        for id in AWARD_SLICES_MAX..SLICES_MAX {
            assert_ok!(Entitlements::give_back(signed(&ada()), id.into(), CREDIT));
        }
        wait(DAY);
        assert_ok!(Entitlements::award(0, &ada(), 1, START + 2 * DAY));
    });
}

#[test]
fn what_was_used_and_what_is_reserved_is_not_taken_back() {
    test(|| {
        mint(&ada(), 1, None);
        let id = award(10);
        // The award expires first, so it is used first.
        reserve(&gateway(), &ada(), 5, HOUR);
        assert_eq!(Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, 2 * CREDIT), 2 * CREDIT);
        assert_eq!(Entitlements::take_back(id, 10 * CREDIT), taken(5, 5));
        assert_eq!(credits_of(id), [0, 3, 2, 0, 5]);
        // What a gateway lets go can be taken then; what people granted never.
        release(&gateway(), &ada(), 3 * CREDIT);
        assert_eq!(Entitlements::take_back(id, 5 * CREDIT), taken(3, 2));
        assert_eq!(Entitlements::take_back(id, 2 * CREDIT), taken(0, 2));
        assert_eq!(credits_of(0), [1, 0, 0, 0, 0]);
        assert_eq!(Programs::<Test>::get(0).unwrap().granted, 3 * CREDIT);
    });
}

#[test]
fn an_award_that_is_taken_back_whole_is_held_no_longer() {
    test(|| {
        mint(&ada(), 1, None);
        let id = award(10);
        assert_eq!(Entitlements::take_back(id, 10 * CREDIT), taken(10, 0));
        System::assert_last_event(
            Event::Revoked { id, owner: ada(), amount: 10 * CREDIT, whole: true }.into(),
        );
        assert_eq!(crate::Owners::<Test>::get(ada()).unwrap().held, 1);
        assert_eq!(Entitlements::take_back(id, 10 * CREDIT), taken(0, 0));
        assert_eq!(Entitlements::take_back(77, 1), taken(0, 0));
    });
}

#[test]
fn what_expired_or_was_revoked_is_neither_taken_nor_used() {
    test(|| {
        mint(&ada(), 1, None);
        let (expired, revoked) = (award(10), award(10));
        assert_ok!(Entitlements::revoke(signed(&hr()), revoked, None));
        assert_eq!(Entitlements::take_back(revoked, 10 * CREDIT), taken(0, 0));
        wait(DAY);
        assert_eq!(Entitlements::take_back(expired, 10 * CREDIT), taken(0, 0));
        // The same once they are archived.
        mint(&ada(), 1, None);
        assert_eq!(Entitlements::take_back(expired, 10 * CREDIT), taken(0, 0));
    });
}
