use frame_support::pallet_prelude::InvalidTransaction;
use sp_core::H256;
use stipend_primitives::{evidence::EvidenceLevel, AccountId, Role};

use super::world::*;
use crate::{
    mock::*,
    types::{Finding, Subject, ROUNDS_IN_FORCE},
    Error, Event, EvidenceOf, Findings,
};

/// What pool and call answer to a finding by validator 0, as a refusal that both know.
fn refused(finding: &Finding, error: Error<Test>) -> InvalidTransaction {
    let pool = match report(finding, 0) {
        Err(Refused::Pool(sp_runtime::transaction_validity::TransactionValidityError::Invalid(invalid))) => {
            invalid
        }
        other => panic!("refused by the pool, not {other:?}"),
    };
    assert_eq!(Evidence::do_report(finding.clone(), key(0)), Err(error.into()));
    pool
}

fn changed(finding: &Finding, change: impl FnOnce(&mut AccountId, &mut u32, &mut [u8; 32])) -> Finding {
    let mut finding = finding.clone();
    let Finding::Evidence { provider, round, nonce, .. } = &mut finding else { panic!("evidence") };
    change(provider, round, nonce);
    finding
}

#[test]
fn more_than_two_thirds_of_the_validators_for_one_finding_put_it_in_force() {
    let mut ext = chain(4);
    ext.execute_with(|| {
        let machine = Machine::registered(9, 8);
        let finding = machine.finding();
        reported_by(&finding, 2);
        assert_eq!(level(9), EvidenceLevel::Software);
        assert_eq!(Findings::<Test>::get(finding.subject()).unwrap().votes.len(), 2);
        report(&finding, 2).unwrap();
        assert_eq!(level(9), EvidenceLevel::Hardware);
        assert_eq!(Findings::<Test>::get(finding.subject()), None, "the votes are forgotten");
        let record = EvidenceOf::<Test>::get(&machine.account).unwrap();
        assert_eq!((record.round, record.until), (PERIOD, PERIOD + ROUNDS_IN_FORCE * PERIOD));
        assert_eq!(record.devices.len(), 8);
        let found = Event::EvidenceFound {
            provider: machine.account,
            round: record.round,
            until: record.until,
            devices: 8,
            digest: record.digest,
        };
        System::assert_last_event(found.into());
    });
}

#[test]
fn votes_for_different_findings_do_not_add_up() {
    let mut ext = chain(4);
    ext.execute_with(|| {
        let mut machine = Machine::registered(9, 2);
        let honest = machine.finding();
        machine.gpus.pop();
        let other = machine.finding();
        reported_by(&honest, 2);
        report(&other, 2).unwrap();
        report(&other, 3).unwrap();
        assert_eq!(level(9), EvidenceLevel::Software);
        assert_eq!(report(&honest, 3), pool(InvalidTransaction::Stale), "one vote in a round");
    });
    // The next round is another chance.
    go_to(&mut ext, 2 * PERIOD + 1);
    ext.execute_with(|| {
        let machine = Machine::registered(9, 2);
        reported_by(&machine.finding(), 3);
        assert_eq!(level(9), EvidenceLevel::Hardware);
    });
}

#[test]
fn a_report_comes_once() {
    let mut ext = chain(4);
    ext.execute_with(|| {
        let finding = Machine::registered(9, 1).finding();
        report(&finding, 0).unwrap();
        assert_eq!(refused(&finding, Error::AlreadyReported), InvalidTransaction::Stale);
        report(&finding, 1).unwrap();
        report(&finding, 2).unwrap();
        // After the quorum nobody's counts.
        assert_eq!(report(&finding, 3), pool(InvalidTransaction::Stale));
        assert_eq!(refused(&finding, Error::AlreadyFound), InvalidTransaction::Stale);
        assert_eq!(Findings::<Test>::iter().count(), 0);
    });
}

#[test]
fn who_is_not_an_authority_reports_nothing() {
    let mut ext = chain(3);
    ext.execute_with(|| {
        let finding = Machine::registered(9, 1).finding();
        assert_eq!(report(&finding, 3), pool(InvalidTransaction::BadSigner));
    });
}

#[test]
fn votes_of_former_authorities_do_not_count() {
    let mut ext = chain(3);
    ext.execute_with(|| {
        let finding = Machine::registered(9, 1).finding();
        reported_by(&finding, 2);
        set_authorities(1..4);
        report(&finding, 2).unwrap();
        assert_eq!(level(9), EvidenceLevel::Software, "two of three, for one of the former has left");
        report(&finding, 3).unwrap();
        assert_eq!(level(9), EvidenceLevel::Hardware);
    });
}

#[test]
fn a_report_needs_the_validators_own_signature_for_this_chain() {
    let mut ext = chain(1);
    ext.execute_with(|| {
        let machine = Machine::registered(9, 2);
        let finding = machine.finding();
        let bad_proof = pool(InvalidTransaction::BadProof);
        let by_another = signature(&finding, &validator(1), &GENESIS);
        assert_eq!(include(call_with(&finding, key(0), by_another)), bad_proof);
        let elsewhere = signature(&finding, &validator(0), &H256([8; 32]));
        assert_eq!(include(call_with(&finding, key(0), elsewhere)), bad_proof);
        let mut fewer = machine.clone();
        fewer.gpus.pop();
        let of_another = signature(&fewer.finding(), &validator(0), &GENESIS);
        assert_eq!(include(call_with(&finding, key(0), of_another)), bad_proof);
        assert_eq!(include(call_with(&finding, key(0), [0; 64])), bad_proof);
        assert_eq!(level(9), EvidenceLevel::Software);
    });
}

#[test]
fn a_round_that_is_over_or_has_not_begun_is_refused() {
    let mut ext = chain(1);
    let old = ext.execute_with(|| {
        let finding = Machine::registered(9, 1).finding();
        let early = changed(&finding, |_, round, _| *round += PERIOD);
        assert_eq!(refused(&early, Error::FutureRound), InvalidTransaction::Future);
        let odd = changed(&finding, |_, round, _| *round -= 1);
        assert_eq!(refused(&odd, Error::OldRound), InvalidTransaction::Stale);
        finding
    });
    // In the block of the next round its hash is not known yet: the round before goes on.
    go_to(&mut ext, 2 * PERIOD);
    ext.execute_with(|| assert!(authorize(&call(&old, 0)).is_ok()));
    go_to(&mut ext, 2 * PERIOD + 1);
    ext.execute_with(|| assert_eq!(refused(&old, Error::OldRound), InvalidTransaction::Stale));
}

#[test]
fn votes_of_an_old_round_are_dropped_with_the_first_of_the_new_one() {
    let mut ext = chain(4);
    ext.execute_with(|| reported_by(&Machine::registered(9, 1).finding(), 2));
    go_to(&mut ext, 2 * PERIOD + 1);
    ext.execute_with(|| {
        let finding = Machine::registered(9, 1).finding();
        reported_by(&finding, 2);
        let votes = Findings::<Test>::get(finding.subject()).unwrap();
        assert_eq!((votes.round, votes.votes.len()), (2 * PERIOD, 2));
        assert_eq!(level(9), EvidenceLevel::Software);
        report(&finding, 2).unwrap();
        assert_eq!(level(9), EvidenceLevel::Hardware);
    });
}

#[test]
fn evidence_for_another_key_or_block_is_refused() {
    let mut ext = chain(1);
    ext.execute_with(|| {
        let machine = Machine::registered(9, 1);
        let finding = machine.finding();
        let other = changed(&finding, |_, _, nonce| nonce[0] ^= 1);
        assert_eq!(refused(&other, Error::OtherNonce), InvalidTransaction::Custom(81));
        // Of this provider's key at another block, as on a fork.
        frame_system::BlockHash::<Test>::insert(PERIOD, H256([9; 32]));
        assert_eq!(refused(&finding, Error::OtherNonce), InvalidTransaction::Custom(81));
        frame_system::BlockHash::<Test>::insert(PERIOD, hash_of(PERIOD));
        // Another provider cannot use it.
        Machine::registered(10, 1);
        let stolen = changed(&finding, |provider, _, _| *provider = account(10));
        assert_eq!(refused(&stolen, Error::OtherNonce), InvalidTransaction::Custom(81));
        // And not the provider itself with another key.
        Machine { key: [77; 32], ..machine }.register();
        assert_eq!(refused(&finding, Error::OtherNonce), InvalidTransaction::Custom(81));
    });
}

#[test]
fn a_provider_out_of_office_has_no_evidence() {
    let mut ext = chain(1);
    ext.execute_with(|| {
        let machine = Machine::registered(9, 1);
        let finding = machine.finding();
        let unknown = changed(&finding, |provider, _, _| *provider = account(10));
        assert_eq!(refused(&unknown, Error::NotInOffice), InvalidTransaction::Custom(80));
        machine.suspend();
        assert_eq!(refused(&finding, Error::NotInOffice), InvalidTransaction::Custom(80));
        Settlement::reinstate_provider(RuntimeOrigin::root(), account(9)).unwrap();
        Members::mutate(|members| members.remove(&(account(9), Role::Provider)));
        assert_eq!(refused(&finding, Error::NotInOffice), InvalidTransaction::Custom(80));
    });
}

#[test]
fn gpus_must_be_in_their_one_canonical_order() {
    let mut ext = chain(1);
    ext.execute_with(|| {
        let finding = Machine::registered(9, 2).finding();
        let with = |change: &dyn Fn(&mut Vec<H256>)| {
            let mut finding = finding.clone();
            let Finding::Evidence { devices, .. } = &mut finding else { panic!("evidence") };
            let mut list = devices.to_vec();
            change(&mut list);
            *devices = list.try_into().unwrap();
            finding
        };
        for wrong in [
            with(&|devices| devices.reverse()),
            with(&|devices| devices[1] = devices[0]),
            with(&|devices| devices.clear()),
        ] {
            assert_eq!(refused(&wrong, Error::NotCanonical), InvalidTransaction::Custom(82));
        }
    });
}

#[test]
fn where_nobody_is_trusted_nothing_is_found() {
    let mut ext = chain(1);
    ext.execute_with(|| {
        let finding = Machine::registered(9, 1).finding();
        Evidence::set_trust(RuntimeOrigin::root(), None).unwrap();
        assert_eq!(refused(&finding, Error::NoTrust), InvalidTransaction::Stale);
    });
}

#[test]
fn the_pool_keeps_one_report_of_a_validator_on_a_subject_in_a_round() {
    let mut ext = chain(4);
    ext.execute_with(|| {
        let mut machine = Machine::registered(9, 2);
        let validity = |finding: &Finding, number| authorize(&call(finding, number)).unwrap();
        let finding = machine.finding();
        let first = validity(&finding, 0);
        assert!(first.propagate && first.requires.is_empty() && first.longevity < 100);
        assert!(first.priority > 0 && first.priority < 1 << 32, "above batches, below votes");
        machine.gpus.pop();
        assert_eq!(first.provides, validity(&machine.finding(), 0).provides);
        assert_ne!(first.provides, validity(&finding, 1).provides);
        let other = Machine::registered(10, 1).finding();
        assert_ne!(first.provides, validity(&other, 0).provides);
    });
}

#[test]
fn what_is_forgotten_takes_its_votes_along() {
    let mut ext = chain(4);
    ext.execute_with(|| {
        let machine = Machine::registered(9, 1);
        reported_by(&machine.finding(), 2);
        let renewed = Machine { key: [77; 32], ..machine };
        renewed.register();
        assert_eq!(Findings::<Test>::get(Subject::Evidence(account(9))), None);
        // The same validators report on the new key in the same round.
        reported_by(&renewed.finding(), 3);
        assert_eq!(level(9), EvidenceLevel::Hardware);
    });
}
