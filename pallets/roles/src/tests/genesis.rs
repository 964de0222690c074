use frame_support::assert_ok;
use sp_runtime::BuildStorage;
use stipend_primitives::{AccountId, Role};

use crate::{
    mock::{Council, Roles, Test, COUNCIL, MEMBER, SESSION, VALIDATOR},
    GenesisConfig, Seats, SessionBlocks,
};

fn genesis(
    council: Vec<AccountId>,
    validators: Vec<AccountId>,
    members: Vec<(AccountId, Role, Option<u32>)>,
) -> sp_io::TestExternalities {
    let config = GenesisConfig::<Test> { council, validators, members, ..Default::default() };
    config.build_storage().unwrap().into()
}

fn genesis_with_sessions(session_blocks: Option<u32>) -> sp_io::TestExternalities {
    let (council, validators) = (vec![COUNCIL], vec![VALIDATOR]);
    let config = GenesisConfig::<Test> { council, validators, session_blocks, ..Default::default() };
    config.build_storage().unwrap().into()
}

#[test]
fn a_chain_can_be_founded_with_sessions_of_its_own_length() {
    genesis_with_sessions(None).execute_with(|| assert_eq!(SessionBlocks::<Test>::get(), SESSION));
    genesis_with_sessions(Some(20)).execute_with(|| assert_eq!(SessionBlocks::<Test>::get(), 20));
}

#[test]
#[should_panic(expected = "roles.sessionBlocks is too short")]
fn a_chain_with_sessions_too_short_for_a_change_of_keys_does_not_begin() {
    genesis_with_sessions(Some(9));
}

#[test]
#[should_panic(expected = "more members of the council than it has seats")]
fn a_chain_with_more_members_of_the_council_than_seats_does_not_begin() {
    genesis((0..6).map(|seat| AccountId::new([seat; 32])).collect(), vec![VALIDATOR], vec![]);
}

#[test]
fn members_of_the_council_have_seats_however_genesis_names_them() {
    genesis(vec![COUNCIL], vec![VALIDATOR], vec![(MEMBER, Role::Council, None)]).execute_with(|| {
        assert_eq!(Council::members(), [COUNCIL, MEMBER]);
        assert_ok!(Roles::do_try_state());
    });
}

#[test]
fn roles_of_the_genesis_are_held_from_the_first_block() {
    let members = vec![(MEMBER, Role::Issuer, Some(5)), (COUNCIL, Role::Auditor, None)];
    genesis(vec![COUNCIL], vec![VALIDATOR], members).execute_with(|| {
        assert_eq!(Roles::roles(&COUNCIL), [Role::Council, Role::Auditor]);
        assert_eq!(Roles::roles(&VALIDATOR), [Role::Validator]);
        assert_eq!(Roles::roles(&MEMBER), [Role::Issuer]);
        assert_eq!(Roles::role_allowance(&MEMBER), Some(5));
        assert_ok!(Roles::do_try_state());
    });
}

#[test]
#[should_panic(expected = "roles.council is empty")]
fn a_chain_without_a_council_does_not_begin() {
    genesis(vec![], vec![VALIDATOR], vec![]);
}

#[test]
#[should_panic(expected = "roles.validators is empty")]
fn a_chain_without_validators_does_not_begin() {
    genesis(vec![COUNCIL], vec![], vec![]);
}

#[test]
#[should_panic(expected = "use roles.validators")]
fn a_validator_outside_the_set_does_not_begin() {
    genesis(vec![COUNCIL], vec![VALIDATOR], vec![(MEMBER, Role::Validator, None)]);
}
