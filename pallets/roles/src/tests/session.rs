use frame_support::assert_ok;
use sp_runtime::testing::UintAuthorityId;

use super::{advance_to, signed};
use crate::mock::{new_chain, Roles, RuntimeEvent, Session, System, COUNCIL, MEMBER, SESSION, VALIDATOR};

fn new_sets_announced() -> usize {
    let announced =
        |event: &RuntimeEvent| matches!(event, RuntimeEvent::Session(pallet_session::Event::NewQueued));
    System::events().iter().filter(|record| announced(&record.event)).count()
}

#[test]
fn the_first_sessions_have_the_validators_of_the_genesis() {
    new_chain().execute_with(|| {
        assert_eq!(Session::validators(), [VALIDATOR]);
        assert_eq!(Session::queued_keys(), [(VALIDATOR, UintAuthorityId(2))]);
        assert_eq!((System::providers(&VALIDATOR), System::consumers(&VALIDATOR)), (1, 1));
    });
}

#[test]
fn an_unchanged_set_is_not_announced_again() {
    new_chain().execute_with(|| {
        advance_to(4 * SESSION);
        assert_eq!(Session::current_index(), 4);
        assert_eq!(Session::validators(), [VALIDATOR]);
        assert_eq!(new_sets_announced(), 0);
    });
}

#[test]
fn a_validator_that_joined_makes_blocks_two_sessions_later() {
    new_chain().execute_with(|| {
        assert_ok!(Roles::add_validator(signed(&COUNCIL), MEMBER));
        assert_ok!(Session::set_keys(signed(&MEMBER), UintAuthorityId(3), vec![]));
        advance_to(SESSION);
        assert_eq!(Session::validators(), [VALIDATOR]);
        advance_to(2 * SESSION);
        assert_eq!(Session::validators(), [VALIDATOR, MEMBER]);
        advance_to(5 * SESSION);
        assert_eq!(new_sets_announced(), 1);
    });
}

#[test]
fn a_validator_that_left_makes_blocks_until_its_planned_sessions_are_over() {
    new_chain().execute_with(|| {
        assert_ok!(Roles::add_validator(signed(&COUNCIL), MEMBER));
        assert_ok!(Session::set_keys(signed(&MEMBER), UintAuthorityId(3), vec![]));
        advance_to(2 * SESSION);
        assert_ok!(Roles::remove_validator(signed(&COUNCIL), VALIDATOR));
        assert_eq!(Session::validators(), [VALIDATOR, MEMBER]);
        advance_to(4 * SESSION);
        assert_eq!(Session::validators(), [MEMBER]);
        advance_to(8 * SESSION);
        assert_eq!(Session::validators(), [MEMBER]);
    });
}

#[test]
fn new_keys_of_the_same_validators_are_taken_over() {
    new_chain().execute_with(|| {
        assert_ok!(Session::set_keys(signed(&VALIDATOR), UintAuthorityId(22), vec![]));
        advance_to(SESSION);
        assert_eq!(Session::queued_keys(), [(VALIDATOR, UintAuthorityId(22))]);
        assert_eq!(new_sets_announced(), 0);
    });
}
