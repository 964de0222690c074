use frame_support::assert_ok;
use stipend_evidence_token::Policy;
use stipend_primitives::{evidence::EvidenceLevel, ledger::Evidence as _};

use super::world::*;
use crate::{
    mock::*,
    types::{Trust, ROUNDS_IN_FORCE},
    Event, EvidenceOf,
};

const HARDWARE: EvidenceLevel = EvidenceLevel::Hardware;
const SOFTWARE: EvidenceLevel = EvidenceLevel::Software;

/// A chain with one validator, and a provider whose evidence is in force.
fn attested() -> (sp_io::TestExternalities, Machine) {
    let mut ext = chain(1);
    let machine = ext.execute_with(|| {
        let machine = Machine::registered(9, 2);
        reported_by(&machine.finding(), 1);
        assert_eq!(level(9), HARDWARE);
        machine
    });
    (ext, machine)
}

#[test]
fn a_provider_of_which_nothing_was_found_is_software() {
    let mut ext = chain(1);
    ext.execute_with(|| assert_eq!(level(9), SOFTWARE));
}

#[test]
fn evidence_runs_out_at_its_block_and_not_before() {
    let (mut ext, _) = attested();
    go_to(&mut ext, PERIOD + ROUNDS_IN_FORCE * PERIOD - 1);
    ext.execute_with(|| assert_eq!(level(9), HARDWARE));
    go_to(&mut ext, PERIOD + ROUNDS_IN_FORCE * PERIOD);
    ext.execute_with(|| {
        assert_eq!(level(9), SOFTWARE);
        assert!(EvidenceOf::<Test>::contains_key(account(9)), "it is not the state that says so");
    });
}

#[test]
fn evidence_is_renewed_in_every_round() {
    let (mut ext, machine) = attested();
    for round in 2..8 {
        go_to(&mut ext, round * PERIOD + 1);
        ext.execute_with(|| {
            assert_eq!(level(9), HARDWARE);
            reported_by(&machine.finding(), 1);
            let record = EvidenceOf::<Test>::get(account(9)).unwrap();
            assert_eq!(record.until, round * PERIOD + ROUNDS_IN_FORCE * PERIOD);
        });
    }
}

#[test]
fn a_provider_with_another_key_loses_its_evidence() {
    let (mut ext, machine) = attested();
    ext.execute_with(|| {
        // The same key at another address is the same provider.
        Machine { endpoint: "http://elsewhere:1".into(), ..machine.clone() }.register();
        assert_eq!(level(9), HARDWARE);
        Machine { key: [77; 32], ..machine.clone() }.register();
        assert_eq!(level(9), SOFTWARE);
        System::assert_has_event(Event::EvidenceLost { provider: account(9) }.into());
        // And it does not come back with the old one.
        machine.register();
        assert_eq!(level(9), SOFTWARE);
        assert_ok!(Evidence::do_try_state());
    });
}

#[test]
fn a_suspended_provider_loses_its_evidence_for_good() {
    let (mut ext, machine) = attested();
    ext.execute_with(|| {
        machine.suspend();
        assert_eq!(level(9), SOFTWARE);
        assert_ok!(Settlement::reinstate_provider(RuntimeOrigin::root(), account(9)));
        assert_eq!(level(9), SOFTWARE);
        assert_ok!(Evidence::do_try_state());
    });
}

#[test]
fn evidence_that_was_judged_by_another_policy_counts_no_longer() {
    let (mut ext, _) = attested();
    ext.execute_with(|| {
        let stricter = Policy { age_ms_max: 60_000, ..trust().policy };
        assert_ok!(Evidence::set_trust(RuntimeOrigin::root(), Some(Trust { policy: stricter, ..trust() })));
        assert_eq!(level(9), SOFTWARE);
        assert!(Evidence::round().is_none(), "a round that began before is no round of this trust");
    });
    go_to(&mut ext, 2 * PERIOD + 1);
    ext.execute_with(|| assert_eq!(Evidence::round().unwrap().block, 2 * PERIOD));
}

#[test]
fn another_period_changes_nothing_of_what_was_found() {
    let (mut ext, _) = attested();
    ext.execute_with(|| {
        let root = RuntimeOrigin::root();
        assert_ok!(Evidence::set_trust(root, Some(Trust { period: 2 * PERIOD, ..trust() })));
        assert_eq!(level(9), HARDWARE);
    });
}

#[test]
fn without_trust_there_is_no_hardware() {
    let (mut ext, _) = attested();
    ext.execute_with(|| {
        assert_ok!(Evidence::set_trust(RuntimeOrigin::root(), None));
        assert_eq!(level(9), SOFTWARE);
        assert_ok!(Evidence::set_trust(RuntimeOrigin::root(), Some(trust())));
        assert_eq!(level(9), SOFTWARE, "and it does not come back");
        assert_ok!(Evidence::do_try_state());
    });
}

#[test]
fn forgetting_who_is_unknown_is_nothing() {
    new_test_ext().execute_with(|| {
        Evidence::forget(&account(9));
        assert!(System::events().is_empty());
    });
}
