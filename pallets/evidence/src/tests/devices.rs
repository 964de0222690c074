//! One GPU is evidence for one provider at a time.

use frame_support::pallet_prelude::InvalidTransaction;
use stipend_primitives::evidence::EvidenceLevel;

use super::world::*;
use crate::{mock::*, types::ROUNDS_IN_FORCE, DeviceOwners, Event, EvidenceOf};

/// Two providers of which the second shows one GPU of the first.
fn sharing() -> (Machine, Machine) {
    let first = Machine::registered(9, 3);
    let mut second = Machine::registered(10, 2);
    second.gpus[1] = first.gpus[2];
    (first, second)
}

#[test]
fn a_gpu_that_another_provider_shows_is_refused() {
    let mut ext = chain(1);
    ext.execute_with(|| {
        let (first, second) = sharing();
        reported_by(&first.finding(), 1);
        assert_eq!(report(&second.finding(), 0), pool(InvalidTransaction::Custom(83)));
        assert_eq!((level(9), level(10)), (EvidenceLevel::Hardware, EvidenceLevel::Software));
        // What is its own counts.
        reported_by(&Machine { gpus: second.gpus[..1].to_vec(), ..second }.finding(), 1);
        assert_eq!(level(10), EvidenceLevel::Hardware);
    });
}

#[test]
fn of_two_in_one_round_the_first_quorum_counts() {
    let mut ext = chain(4);
    ext.execute_with(|| {
        let (first, second) = sharing();
        let (first, second) = (first.finding(), second.finding());
        reported_by(&second, 2);
        reported_by(&first, 3);
        assert_eq!(report(&second, 2), pool(InvalidTransaction::Custom(83)));
        assert_eq!((level(9), level(10)), (EvidenceLevel::Hardware, EvidenceLevel::Software));
    });
}

#[test]
fn a_gpu_moves_once_the_evidence_that_it_stood_in_has_run_out() {
    let mut ext = chain(1);
    ext.execute_with(|| reported_by(&sharing().0.finding(), 1));
    let last = PERIOD * ROUNDS_IN_FORCE;
    go_to(&mut ext, last + 1);
    ext.execute_with(|| {
        let (_, second) = sharing();
        assert_eq!(report(&second.finding(), 0), pool(InvalidTransaction::Custom(83)));
    });
    go_to(&mut ext, last + PERIOD + 1);
    ext.execute_with(|| {
        let (first, second) = sharing();
        reported_by(&second.finding(), 1);
        assert_eq!((level(9), level(10)), (EvidenceLevel::Software, EvidenceLevel::Hardware));
        System::assert_has_event(Event::EvidenceLost { provider: first.account.clone() }.into());
        assert_eq!((EvidenceOf::<Test>::iter().count(), DeviceOwners::<Test>::iter().count()), (1, 2));
        assert_eq!(report(&first.finding(), 0), pool(InvalidTransaction::Custom(83)));
    });
}

#[test]
fn a_gpu_is_free_as_soon_as_its_provider_is_suspended() {
    let mut ext = chain(1);
    ext.execute_with(|| {
        let (first, second) = sharing();
        reported_by(&first.finding(), 1);
        first.suspend();
        reported_by(&second.finding(), 1);
        assert_eq!((level(9), level(10)), (EvidenceLevel::Software, EvidenceLevel::Hardware));
    });
}

#[test]
fn a_provider_may_show_other_gpus_than_before() {
    let mut ext = chain(1);
    ext.execute_with(|| reported_by(&Machine::registered(9, 8).finding(), 1));
    go_to(&mut ext, 2 * PERIOD + 1);
    ext.execute_with(|| {
        let mut machine = Machine::registered(9, 8);
        machine.gpus = machine.gpus.split_off(6);
        machine.gpus.push(1);
        reported_by(&machine.finding(), 1);
        assert_eq!(DeviceOwners::<Test>::iter().count(), 3);
    });
}

#[test]
fn the_same_gpus_have_the_same_digest_at_whatever_provider() {
    let mut ext = chain(1);
    ext.execute_with(|| {
        let first = Machine::registered(9, 2);
        let second = Machine { gpus: vec![first.gpus[1], first.gpus[0]], ..Machine::registered(10, 2) };
        let digest = |machine: &Machine| match machine.finding() {
            crate::Finding::Evidence { digest, .. } => digest,
            other => panic!("evidence, not {other:?}"),
        };
        assert_eq!(digest(&first), digest(&second));
        assert_ne!(digest(&first), digest(&Machine::registered(11, 2)));
    });
}
