use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError::BadOrigin;
use stipend_primitives::{ledger, AccountId, Role};

use super::signed;
use crate::{
    mock::{new_chain, Council, Roles, RuntimeOrigin, System, Test, COUNCIL, MEMBER, STRANGER},
    Error, Event, Seats,
};

#[test]
fn the_council_grants_and_revokes_roles() {
    new_chain().execute_with(|| {
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Issuer, Some(7)));
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Council, None));
        assert_eq!(Roles::roles(&MEMBER), [Role::Council, Role::Issuer]);
        assert_eq!(Roles::members(Role::Issuer), [MEMBER]);
        assert!(<Roles as ledger::Roles>::has(&MEMBER, Role::Issuer));
        System::assert_has_event(
            Event::RoleGranted { who: MEMBER, role: Role::Issuer, allowance: Some(7) }.into(),
        );

        assert_ok!(Roles::revoke_role(signed(&COUNCIL), MEMBER, Role::Issuer));
        assert_eq!(Roles::roles(&MEMBER), [Role::Council]);
        System::assert_last_event(Event::RoleRevoked { who: MEMBER, role: Role::Issuer }.into());
        assert_ok!(Roles::do_try_state());
    });
}

#[test]
fn nobody_but_the_council_grants_not_even_root() {
    new_chain().execute_with(|| {
        for origin in [signed(&STRANGER), RuntimeOrigin::root(), RuntimeOrigin::none()] {
            assert_noop!(Roles::grant_role(origin.clone(), MEMBER, Role::Issuer, None), BadOrigin);
            assert_noop!(Roles::revoke_role(origin.clone(), COUNCIL, Role::Council), BadOrigin);
            assert_noop!(Roles::add_validator(origin.clone(), MEMBER), BadOrigin);
            assert_noop!(Roles::remove_validator(origin, MEMBER), BadOrigin);
        }
    });
}

#[test]
fn a_new_member_of_the_council_can_act_and_a_former_one_cannot() {
    new_chain().execute_with(|| {
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Council, None));
        assert_ok!(Roles::revoke_role(signed(&MEMBER), COUNCIL, Role::Council));
        assert_noop!(Roles::grant_role(signed(&COUNCIL), STRANGER, Role::Auditor, None), BadOrigin);
        assert_ok!(Roles::grant_role(signed(&MEMBER), STRANGER, Role::Auditor, None));
    });
}

#[test]
fn whoever_has_the_councils_role_has_a_seat_and_nobody_else() {
    new_chain().execute_with(|| {
        assert_eq!(Council::members(), [COUNCIL]);
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Council, None));
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Issuer, None));
        assert_eq!(Council::members(), [COUNCIL, MEMBER]);
        assert_ok!(Roles::revoke_role(signed(&MEMBER), COUNCIL, Role::Council));
        assert_eq!(Council::members(), [MEMBER]);
        assert_ok!(Roles::do_try_state());
    });
}

#[test]
fn the_council_has_no_more_members_than_seats() {
    new_chain().execute_with(|| {
        for seat in 0..4 {
            assert_ok!(Roles::grant_role(
                signed(&COUNCIL),
                AccountId::new([0x20 + seat; 32]),
                Role::Council,
                None
            ));
        }
        assert_noop!(
            Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Council, None),
            Error::<Test>::CouncilFull
        );
        // Another allowance for a member takes no seat.
        assert_ok!(Roles::grant_role(signed(&COUNCIL), COUNCIL, Role::Council, Some(9)));
    });
}

#[test]
fn seats_that_are_out_of_step_with_the_roles_are_found() {
    new_chain().execute_with(|| {
        Council::add(&STRANGER);
        assert!(Roles::do_try_state().is_err());
    });
}

#[test]
fn the_last_member_of_the_council_stays() {
    new_chain().execute_with(|| {
        assert_noop!(
            Roles::revoke_role(signed(&COUNCIL), COUNCIL, Role::Council),
            Error::<Test>::LastCouncilMember
        );
        // Granting the role again does not count the account twice.
        assert_ok!(Roles::grant_role(signed(&COUNCIL), COUNCIL, Role::Council, Some(9)));
        assert_noop!(
            Roles::revoke_role(signed(&COUNCIL), COUNCIL, Role::Council),
            Error::<Test>::LastCouncilMember
        );
    });
}

#[test]
fn granting_a_role_again_changes_its_allowance() {
    new_chain().execute_with(|| {
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Gateway, None));
        assert_eq!(Roles::role_allowance(&MEMBER), Some(64));
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Gateway, Some(3)));
        assert_eq!(Roles::role_allowance(&MEMBER), Some(3));
        assert_eq!(Roles::roles(&MEMBER), [Role::Gateway]);
        assert_eq!(System::providers(&MEMBER), 1);
    });
}

#[test]
fn the_most_generous_role_counts() {
    new_chain().execute_with(|| {
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Auditor, Some(2)));
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Gateway, Some(500)));
        assert_eq!(Roles::role_allowance(&MEMBER), Some(500));
        assert_ok!(Roles::revoke_role(signed(&COUNCIL), MEMBER, Role::Gateway));
        assert_eq!(Roles::role_allowance(&MEMBER), Some(2));
        assert_eq!(Roles::role_allowance(&STRANGER), None);
    });
}

#[test]
fn what_makes_no_sense_is_refused() {
    new_chain().execute_with(|| {
        let council = || signed(&COUNCIL);
        assert_noop!(
            Roles::grant_role(council(), MEMBER, Role::Issuer, Some(0)),
            Error::<Test>::ZeroAllowance
        );
        assert_noop!(
            Roles::grant_role(council(), MEMBER, Role::Validator, None),
            Error::<Test>::RoleFollowsValidatorSet
        );
        assert_noop!(
            Roles::revoke_role(council(), MEMBER, Role::Validator),
            Error::<Test>::RoleFollowsValidatorSet
        );
        assert_noop!(Roles::revoke_role(council(), MEMBER, Role::Issuer), Error::<Test>::RoleNotHeld);
    });
}

#[test]
fn an_account_is_admitted_while_it_has_a_role_and_keeps_its_nonce_afterwards() {
    new_chain().execute_with(|| {
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Issuer, None));
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Auditor, None));
        assert_eq!(System::providers(&MEMBER), 1);
        System::inc_account_nonce(&MEMBER);

        assert_ok!(Roles::revoke_role(signed(&COUNCIL), MEMBER, Role::Issuer));
        assert_eq!(System::providers(&MEMBER), 1);
        assert_ok!(Roles::revoke_role(signed(&COUNCIL), MEMBER, Role::Auditor));
        assert_eq!(System::providers(&MEMBER), 0);
        assert_eq!(System::account_nonce(&MEMBER), 1);

        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Issuer, None));
        assert_eq!(System::providers(&MEMBER), 1);
        assert_eq!(System::sufficients(&MEMBER), 1);
        assert_eq!(System::account_nonce(&MEMBER), 1);
    });
}

#[test]
fn other_provider_references_are_left_alone() {
    new_chain().execute_with(|| {
        System::inc_providers(&MEMBER);
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Issuer, None));
        assert_eq!(System::providers(&MEMBER), 2);
        assert_ok!(Roles::revoke_role(signed(&COUNCIL), MEMBER, Role::Issuer));
        assert_eq!(System::providers(&MEMBER), 1);
    });
}
