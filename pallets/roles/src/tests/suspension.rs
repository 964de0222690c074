use frame_support::{assert_noop, assert_ok};
use sp_runtime::{testing::UintAuthorityId, DispatchError::BadOrigin, Perbill};
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};
use stipend_primitives::AccountId;

use super::{advance_to, signed};
use crate::{
    mock::{new_chain, Roles, Session, System, Test, COUNCIL, SESSION, STRANGER, VALIDATOR},
    Error, Event,
    Misconduct::{TwoBlocks, TwoVotes},
};

/// Validators besides the one of the genesis.
fn others() -> [AccountId; 3] {
    [0x11, 0x12, 0x13].map(|seed| AccountId::new([seed; 32]))
}

/// A chain with four validators, in its third session.
fn chain_of_four() -> sp_io::TestExternalities {
    let mut chain = new_chain();
    chain.execute_with(|| {
        for (who, key) in others().iter().zip(11..) {
            assert_ok!(Roles::add_validator(signed(&COUNCIL), who.clone()));
            assert_ok!(Session::set_keys(signed(who), UintAuthorityId(key), vec![]));
        }
        advance_to(2 * SESSION);
        assert_eq!(Session::validators().len(), 4);
    });
    chain
}

fn misbehaved(who: &AccountId, suspended: bool) -> Event<Test> {
    Event::ValidatorMisbehaved { who: who.clone(), misconduct: TwoBlocks, suspended }
}

#[test]
fn a_caught_validator_is_named_and_disabled_at_once() {
    chain_of_four().execute_with(|| {
        let [bad, ..] = others();
        Roles::punish(&bad, TwoBlocks);
        System::assert_last_event(misbehaved(&bad, true).into());
        assert_eq!(Roles::suspended(), core::slice::from_ref(&bad));
        let index = Session::validator_id_to_index(&bad).unwrap();
        assert_eq!(Session::disabled_validators(), [index]);
        assert_ok!(Roles::do_try_state());
    });
}

#[test]
fn a_suspended_validator_is_no_authority_from_the_second_session_on() {
    chain_of_four().execute_with(|| {
        let [bad, ..] = others();
        Roles::punish(&bad, TwoBlocks);
        advance_to(3 * SESSION);
        assert_eq!(Session::disabled_validators().len(), 1, "the session in between");
        advance_to(4 * SESSION);
        assert!(!Session::validators().contains(&bad));
        assert!(Session::disabled_validators().is_empty());
    });
}

#[test]
fn a_change_of_the_set_does_not_lift_a_suspension() {
    chain_of_four().execute_with(|| {
        let [bad, other, _] = others();
        assert_ok!(Session::set_keys(signed(&other), UintAuthorityId(99), vec![]));
        advance_to(3 * SESSION);
        Roles::punish(&bad, TwoBlocks);
        // With this session the new keys come into force, and pallet-session forgets who is disabled.
        advance_to(4 * SESSION);
        let index = Session::validator_id_to_index(&bad).unwrap();
        assert_eq!(Session::disabled_validators(), [index]);
    });
}

#[test]
fn the_council_reinstates() {
    chain_of_four().execute_with(|| {
        let [bad, good, _] = others();
        Roles::punish(&bad, TwoBlocks);
        assert_noop!(Roles::reinstate_validator(signed(&STRANGER), bad.clone()), BadOrigin);
        assert_noop!(Roles::reinstate_validator(signed(&COUNCIL), good), Error::<Test>::NotSuspended);
        assert_ok!(Roles::reinstate_validator(signed(&COUNCIL), bad.clone()));
        System::assert_last_event(Event::ValidatorReinstated { who: bad.clone() }.into());
        assert!(Session::disabled_validators().is_empty());
        advance_to(5 * SESSION);
        assert!(Session::validators().contains(&bad));
    });
}

#[test]
fn the_council_removes_and_the_suspension_goes_with_the_validator() {
    chain_of_four().execute_with(|| {
        let [bad, ..] = others();
        Roles::punish(&bad, TwoBlocks);
        assert_ok!(Roles::remove_validator(signed(&COUNCIL), bad));
        assert!(Roles::suspended().is_empty());
        assert_ok!(Roles::do_try_state());
    });
}

#[test]
fn no_more_are_suspended_than_the_chain_can_do_without() {
    chain_of_four().execute_with(|| {
        let [first, second, _] = others();
        Roles::punish(&first, TwoBlocks);
        Roles::punish(&second, TwoBlocks);
        System::assert_last_event(misbehaved(&second, false).into());
        assert_eq!(Roles::suspended(), [first]);
    });
    new_chain().execute_with(|| {
        Roles::punish(&VALIDATOR, TwoBlocks);
        System::assert_last_event(misbehaved(&VALIDATOR, false).into());
        assert!(Roles::suspended().is_empty());
    });
}

#[test]
fn a_suspended_validator_is_not_named_again() {
    chain_of_four().execute_with(|| {
        let [bad, ..] = others();
        Roles::punish(&bad, TwoBlocks);
        let events = System::event_count();
        Roles::punish(&bad, TwoVotes);
        assert_eq!(System::event_count(), events);
    });
}

#[test]
fn suspended_validators_are_no_replacement_for_the_last_one() {
    chain_of_four().execute_with(|| {
        let [bad, second, third] = others();
        Roles::punish(&bad, TwoBlocks);
        assert_ok!(Roles::remove_validator(signed(&COUNCIL), second));
        assert_ok!(Roles::remove_validator(signed(&COUNCIL), third));
        assert_noop!(Roles::remove_validator(signed(&COUNCIL), VALIDATOR), Error::<Test>::LastValidator);
    });
}

#[test]
fn an_offence_in_finality_suspends_too() {
    chain_of_four().execute_with(|| {
        let [bad, ..] = others();
        let details = OffenceDetails { offender: (bad.clone(), ()), reporters: vec![] };
        let _weight = Roles::on_offence(&[details], &[Perbill::one()], 2);
        let misconduct = TwoVotes;
        System::assert_last_event(
            Event::ValidatorMisbehaved { who: bad, misconduct, suspended: true }.into(),
        );
    });
}
