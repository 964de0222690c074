use frame_support::{assert_noop, assert_ok};
use pallet_session::SessionManager;
use sp_runtime::testing::UintAuthorityId;
use stipend_primitives::{ledger, AccountId, Role};

use super::signed;
use crate::{
    mock::{new_chain, Roles, Session, System, Test, COUNCIL, MEMBER, STRANGER, VALIDATOR},
    Error, Event, Validators,
};

fn add_with_keys(who: &AccountId, key: u64) {
    assert_ok!(Roles::add_validator(signed(&COUNCIL), who.clone()));
    assert_ok!(Session::set_keys(signed(who), UintAuthorityId(key), vec![]));
}

#[test]
fn a_validator_joins_with_its_role_and_leaves_without_it() {
    new_chain().execute_with(|| {
        add_with_keys(&MEMBER, 3);
        System::assert_has_event(Event::ValidatorAdded { who: MEMBER }.into());
        assert_eq!(Validators::<Test>::get().to_vec(), [VALIDATOR, MEMBER]);
        assert_eq!(Roles::members(Role::Validator).len(), 2);

        assert_ok!(Roles::remove_validator(signed(&COUNCIL), MEMBER));
        System::assert_has_event(Event::ValidatorRemoved { who: MEMBER }.into());
        assert_eq!(Validators::<Test>::get().to_vec(), [VALIDATOR]);
        assert_eq!(Roles::roles(&MEMBER), []);
        assert_eq!(Session::load_keys(&MEMBER), None);
        assert_eq!((System::providers(&MEMBER), System::consumers(&MEMBER)), (0, 0));
        assert_ok!(Roles::do_try_state());
    });
}

#[test]
fn a_validator_that_leaves_keeps_its_other_roles() {
    new_chain().execute_with(|| {
        add_with_keys(&MEMBER, 3);
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Auditor, None));
        assert_ok!(Roles::remove_validator(signed(&COUNCIL), MEMBER));
        assert_eq!(Roles::roles(&MEMBER), [Role::Auditor]);
        assert_eq!(System::providers(&MEMBER), 1);
    });
}

#[test]
fn the_last_validator_with_keys_stays() {
    new_chain().execute_with(|| {
        assert_noop!(Roles::remove_validator(signed(&COUNCIL), VALIDATOR), Error::<Test>::LastValidator);
        // One without keys is no replacement.
        assert_ok!(Roles::add_validator(signed(&COUNCIL), MEMBER));
        assert_noop!(Roles::remove_validator(signed(&COUNCIL), VALIDATOR), Error::<Test>::LastValidator);
        assert_ok!(Session::set_keys(signed(&MEMBER), UintAuthorityId(3), vec![]));
        assert_ok!(Roles::remove_validator(signed(&COUNCIL), VALIDATOR));
    });
}

#[test]
fn the_set_refuses_doubles_strangers_and_too_many() {
    new_chain().execute_with(|| {
        assert_noop!(Roles::add_validator(signed(&COUNCIL), VALIDATOR), Error::<Test>::AlreadyValidator);
        assert_noop!(Roles::remove_validator(signed(&COUNCIL), STRANGER), Error::<Test>::NotValidator);
        for index in 0..7 {
            assert_ok!(Roles::add_validator(signed(&COUNCIL), AccountId::new([0x10 + index; 32])));
        }
        assert_noop!(Roles::add_validator(signed(&COUNCIL), MEMBER), Error::<Test>::TooManyValidators);
        assert_ok!(Roles::do_try_state());
    });
}

#[test]
fn only_validators_publish_session_keys() {
    new_chain().execute_with(|| {
        System::inc_providers(&STRANGER);
        assert_noop!(
            Session::set_keys(signed(&STRANGER), UintAuthorityId(9), vec![]),
            pallet_session::Error::<Test>::NoAssociatedValidatorId
        );
    });
}

#[test]
fn validators_without_keys_are_left_out_of_the_next_session() {
    new_chain().execute_with(|| {
        assert_ok!(Roles::add_validator(signed(&COUNCIL), STRANGER));
        assert_eq!(<Roles as SessionManager<AccountId>>::new_session(7), None);
        add_with_keys(&MEMBER, 3);
        assert_eq!(<Roles as SessionManager<AccountId>>::new_session(7), Some(vec![VALIDATOR, MEMBER]));
    });
}

#[test]
fn tests_of_other_pallets_can_make_validators() {
    new_chain().execute_with(|| {
        <Roles as ledger::Roles>::grant(&MEMBER, Role::Validator);
        <Roles as ledger::Roles>::grant(&MEMBER, Role::Validator);
        <Roles as ledger::Roles>::grant(&MEMBER, Role::Issuer);
        assert_eq!(Roles::roles(&MEMBER), [Role::Issuer, Role::Validator]);
        assert_ok!(Roles::do_try_state());
    });
}
