//! Taking back what an outcome earned.

use frame_support::{assert_noop, assert_ok};
use stipend_primitives::{merit::Standing, Role};

use crate::{mock::*, Error, Event};

#[test]
fn an_evaluator_withdraws_its_own_outcome_and_what_was_not_used_is_taken_back() {
    test_with_kind(|| {
        let id = record(1, 3);
        assert_ok!(Merit::withdraw(signed(&eva()), id));
        System::assert_last_event(
            Event::Reverted { outcome: id, wallet: ada(), taken: 30 * CREDIT, owed: 0, withdrawn: true }
                .into(),
        );
        assert_eq!((credits(&ada())[0], owed(&ada()), unminted()), (1, 0, 1_000));
        assert_eq!(Merit::outcome(id).unwrap().outcome.standing, Standing::Withdrawn);
        assert_noop!(Merit::withdraw(signed(&eva()), id), Error::<Test>::AlreadyReverted);
    });
}

#[test]
fn what_people_granted_is_never_touched() {
    test_with_kind(|| {
        let id = record(1, 3);
        // All of the award, and what Ada had before.
        spend(&ada(), 31);
        assert_ok!(Merit::withdraw(signed(&eva()), id));
        let again = stipend_primitives::mint::Grant::One {
            program: AWARDS,
            amount: 5 * CREDIT,
            valid_from: None,
            valid_until: None,
        };
        assert_ok!(Entitlements::mint(signed(&hr()), ada(), again));
        Merit::sweep(16);
        assert_eq!(credits(&ada()), [5, 0, 31, 0, 0]);
        assert_eq!(owed(&ada()), 30);
    });
}

#[test]
fn an_outcome_is_withdrawn_by_its_evaluator_alone_and_inside_its_window() {
    test_with_kind(|| {
        let id = record(1, 1);
        assert_noop!(Merit::withdraw(signed(&eli()), id), Error::<Test>::NotYours);
        assert_noop!(Merit::withdraw(signed(&ada()), id), Error::<Test>::NotEvaluator);
        assert_noop!(Merit::withdraw(signed(&eva()), 99), Error::<Test>::OutcomeUnknown);
        wait(DAY);
        assert_noop!(Merit::withdraw(signed(&eva()), id), Error::<Test>::WindowClosed);
        assert_eq!(credits(&ada())[0], 11);
    });
}

#[test]
fn an_evaluator_without_its_role_changes_nothing() {
    test_with_kind(|| {
        let id = record(1, 1);
        RoleHolders::mutate(|holders| holders.retain(|holder| *holder != (eva(), Role::Evaluator)));
        assert_noop!(Merit::withdraw(signed(&eva()), id), Error::<Test>::NotEvaluator);
        assert_noop!(Merit::record(signed(&eva()), said(0, 2, 1)), Error::<Test>::NotEvaluator);
    });
}

#[test]
fn what_expired_or_was_revoked_before_is_not_owed() {
    test_with_kind(|| {
        let (expired, revoked) = (record(1, 1), record(2, 1));
        assert_ok!(Entitlements::revoke(signed(&hr()), entitlement_of(revoked), None));
        assert_ok!(Merit::withdraw(signed(&eva()), revoked));
        assert_ok!(Merit::contest(signed(&eli()), expired, Default::default()));
        wait(30 * DAY);
        assert_ok!(Merit::withdraw(signed(&eva()), expired));
        for id in [expired, revoked] {
            let outcome = Merit::outcome(id).unwrap().outcome;
            assert_eq!((outcome.taken, outcome.owed, outcome.lapsed), (0, 0, 10 * CREDIT));
        }
        assert_eq!(owed(&ada()), 0);
    });
}
