use frame_support::{assert_noop, assert_ok};
use sp_core::Pair;
use stipend_primitives::{
    attestation::{Attestation, SignedAttestation},
    batch::Batch,
    ledger::Roles,
    settlement::{Verdict, VerdictKind},
    PublicKey, Role,
};

use super::world::*;
use crate::{mock::*, Error, Event, Providers};

/// Two attestations for one range, the second of which understates the first receipt.
fn two_faces(attestor: &Attestor, batch: &Batch) -> (SignedAttestation, SignedAttestation) {
    let honest = leaves_of(batch, &attestor.account);
    let mut other = honest.clone();
    other[0].usage.output -= 1;
    (attestor.sign(attestor.attestation(batch, &honest)), attestor.sign(attestor.attestation(batch, &other)))
}

fn report(a: &SignedAttestation, b: &SignedAttestation) -> sp_runtime::DispatchResult {
    Settlement::report_equivocation(
        RuntimeOrigin::signed(account(50)),
        Box::new(a.clone()),
        Box::new(b.clone()),
    )
}

fn with_reporter(test: impl FnOnce(Attestor, Batch)) {
    let (mut ext, attestor) = chain(1);
    ext.execute_with(|| {
        RolesStandIn::grant(&account(50), Role::Auditor);
        let batch = small_batch(0, &attestor);
        submit(&batch);
        test(attestor, batch);
    });
}

#[test]
fn two_attestations_for_one_range_suspend_the_provider() {
    with_reporter(|attestor, batch| {
        let (a, b) = two_faces(&attestor, &batch);
        assert_ok!(report(&a, &b));
        assert!(Providers::<Test>::get(&attestor.account).unwrap().suspended);
        assert_eq!(Forgotten::get(), vec![attestor.account.clone()], "its evidence counts no longer");
        System::assert_last_event(Event::ProviderSuspended { provider: attestor.account }.into());
        assert_noop!(report(&a, &b), Error::<Test>::AlreadySuspended);
    });
}

#[test]
fn who_has_no_role_reports_nothing() {
    with_reporter(|attestor, batch| {
        let (a, b) = two_faces(&attestor, &batch);
        let origin = RuntimeOrigin::signed(account(51));
        let result = Settlement::report_equivocation(origin, Box::new(a), Box::new(b));
        assert_eq!(result, Err(Error::<Test>::NoRole.into()));
    });
}

#[test]
fn the_same_attestation_twice_is_no_equivocation() {
    with_reporter(|attestor, batch| {
        let (a, _) = two_faces(&attestor, &batch);
        assert_noop!(report(&a, &a), Error::<Test>::NoEquivocation);
    });
}

#[test]
fn two_measures_of_gpu_time_or_energy_are_two_truths() {
    for change in [
        |attestation: &mut Attestation| attestation.gpu_time_ms = Some(1_000),
        |attestation: &mut Attestation| attestation.energy_mj = Some(70),
    ] {
        with_reporter(|attestor, batch| {
            let (a, _) = two_faces(&attestor, &batch);
            let mut measured = a.attestation.clone();
            change(&mut measured);
            assert_ok!(report(&a, &attestor.sign(measured)));
        });
    }
}

#[test]
fn a_key_with_two_truths_never_counts_again() {
    with_reporter(|attestor, batch| {
        let (a, b) = two_faces(&attestor, &batch);
        assert_ok!(report(&a, &b));
        let who = attestor.account.clone();
        let register = |key: PublicKey| {
            let endpoint = Providers::<Test>::get(&who).unwrap().endpoint;
            Settlement::register_provider(RuntimeOrigin::root(), who.clone(), key, endpoint)
        };
        let reinstate = || Settlement::reinstate_provider(RuntimeOrigin::root(), who.clone());
        assert_noop!(reinstate(), Error::<Test>::BurntKey);
        assert_noop!(register(attestor.pair.public().0), Error::<Test>::BurntKey);

        assert_ok!(register([6; 32]));
        assert_ok!(reinstate());
        assert_noop!(report(&a, &b), Error::<Test>::BadAttestationSignature);
        assert!(!Providers::<Test>::get(&who).unwrap().suspended);
        assert_noop!(register(attestor.pair.public().0), Error::<Test>::BurntKey);
        // Another provider's key is its own matter.
        RolesStandIn::grant(&account(10), Role::Provider);
        let endpoint = Providers::<Test>::get(&who).unwrap().endpoint;
        let other = Settlement::register_provider(
            RuntimeOrigin::root(),
            account(10),
            attestor.pair.public().0,
            endpoint,
        );
        assert_ok!(other);
    });
}

#[test]
fn attestations_for_different_ranges_are_no_equivocation() {
    with_reporter(|attestor, batch| {
        let (a, b) = two_faces(&attestor, &batch);
        let mut elsewhere = b.attestation.clone();
        elsewhere.last_seq += 1;
        assert_noop!(report(&a, &attestor.sign(elsewhere)), Error::<Test>::NotOneRange);
        let mut for_another = b.attestation.clone();
        for_another.gateway = account(60);
        assert_noop!(report(&a, &attestor.sign(for_another)), Error::<Test>::NotOneRange);
        let other = Attestor::registered(10);
        let mut of_another = b.attestation;
        of_another.provider = other.account.clone();
        assert_noop!(report(&a, &other.sign(of_another)), Error::<Test>::NotOneRange);
    });
}

#[test]
fn nobody_can_frame_a_provider_with_signatures_that_are_not_its_own() {
    with_reporter(|attestor, batch| {
        let (a, mut b) = two_faces(&attestor, &batch);
        b.signature = Attestor::new(10).sign(b.attestation.clone()).signature;
        assert_noop!(report(&a, &b), Error::<Test>::BadAttestationSignature);
        assert_noop!(report(&b, &a), Error::<Test>::BadAttestationSignature);
        // Signed by the provider, for another chain.
        let elsewhere = b.attestation.signing_payload(&sp_core::H256([9; 32]));
        b.signature = attestor.pair.sign(&elsewhere).0;
        assert_noop!(report(&a, &b), Error::<Test>::BadAttestationSignature);
    });
}

#[test]
fn who_is_not_registered_cannot_be_reported() {
    with_reporter(|_, batch| {
        let (a, b) = two_faces(&Attestor::new(9), &batch);
        Providers::<Test>::remove(account(9));
        assert_noop!(report(&a, &b), Error::<Test>::UnknownProvider);
    });
}

#[test]
fn the_items_of_a_suspended_provider_are_unattested_at_once() {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        RolesStandIn::grant(&account(50), Role::Auditor);
        let batch = small_batch(0, &attestor);
        submit(&batch);
        attestor.serve_honestly(&node.network, &batch);
        let (a, b) = two_faces(&attestor, &batch);
        assert_ok!(report(&a, &b));
    });
    assert_eq!(node.settle(&mut ext), 1);
    assert!(node.network.asked().is_empty(), "what it would say does not matter");
    assert_eq!(last_closed(), Some((VerdictKind::Unattested, 11_527)));
}

#[test]
fn validators_that_voted_by_a_suspended_providers_attestation_change_their_vote() {
    let (mut ext, attestor) = chain(4);
    let node = Node::new(0..4);
    let batch = ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        cast(&vote(&batch, &attestor, Verdict::Match), 0).unwrap();
        Providers::<Test>::mutate(&attestor.account, |provider| provider.as_mut().unwrap().suspended = true);
        batch
    });
    let votes = verdicts(&node.run(&mut ext));
    assert_eq!(votes.len(), 4);
    assert!(votes.iter().all(|verdict| verdict.kind() == VerdictKind::Unattested));
    ext.execute_with(|| assert!(open(&batch, &attestor).is_some()));
}
