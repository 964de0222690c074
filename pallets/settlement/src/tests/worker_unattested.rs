use std::collections::BTreeSet;

use stipend_primitives::{
    batch::Batch,
    ledger::Shortfall,
    settlement::{Refund, Verdict, VerdictKind},
    ClassId,
};

use super::world::*;
use crate::{mock::*, Providers};

const INNOVATION: ClassId = ClassId::INNOVATION;
const REASONING: ClassId = ClassId::REASONING;
const PRIORITY: ClassId = ClassId::PRIORITY;

/// Receipts of two models in two classes, one with a priority fee, that nobody attests in time.
fn overdue() -> (sp_io::TestExternalities, Node, Attestor, Batch) {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    let batch = ext.execute_with(|| {
        let receipts = [(1, 0, usage(10, 0, 0), 9), (2, 1, usage(10, 0, 0), 0)];
        let batch = batch(0, &[(&attestor, 0), (&attestor, 2)], &receipts);
        submit(&batch);
        batch
    });
    pass_blocks(&mut ext, UNATTESTED_AFTER);
    (ext, node, attestor, batch)
}

fn unattested(refunds: Vec<Refund>) -> Vec<Verdict> {
    vec![Verdict::Unattested { refunds: refunds.try_into().unwrap() }]
}

#[test]
fn an_item_waits_for_its_attestation_until_the_time_is_over() {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| submit(&small_batch(0, &attestor)));
    pass_blocks(&mut ext, UNATTESTED_AFTER - 1);
    assert_eq!(node.run(&mut ext).len(), 0);
    pass_blocks(&mut ext, 1);
    assert_eq!(node.settle(&mut ext), 1);
    assert_eq!(last_closed(), Some((VerdictKind::Unattested, 11_527)));
}

#[test]
fn classes_that_refund_get_everything_back() {
    let (mut ext, node, _, _) = overdue();
    let everything = vec![refund(1, INNOVATION, 200), refund(1, PRIORITY, 9), refund(2, REASONING, 220)];
    assert_eq!(verdicts(&node.run(&mut ext)), unattested(everything));
}

#[test]
fn classes_that_accept_keep_what_was_charged() {
    let (mut ext, node, _, _) = overdue();
    Accepted::set(BTreeSet::from([INNOVATION, REASONING, PRIORITY]));
    assert_eq!(verdicts(&node.run(&mut ext)), unattested(Vec::new()));
}

#[test]
fn each_charge_goes_by_its_own_class() {
    let (mut ext, node, _, _) = overdue();
    Accepted::set(BTreeSet::from([INNOVATION]));
    let rest = vec![refund(1, PRIORITY, 9), refund(2, REASONING, 220)];
    assert_eq!(verdicts(&node.run(&mut ext)), unattested(rest));
}

#[test]
fn nobody_gets_back_what_was_never_collected() {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        Owed::set(Some(vec![Shortfall { owner: account(1), class: INNOVATION, amount: 10_500 }]));
        submit(&small_batch(0, &attestor));
    });
    pass_blocks(&mut ext, UNATTESTED_AFTER);
    // Wallet 1 was charged 10,520 and paid 20 of it.
    let refunds = vec![refund(1, INNOVATION, 20), refund(2, INNOVATION, 1_000), refund(2, PRIORITY, 7)];
    assert_eq!(verdicts(&node.run(&mut ext)), unattested(refunds));
    assert_eq!(node.network.asked().len(), 1);
}

#[test]
fn a_late_attestation_still_counts() {
    let (mut ext, node, attestor, batch) = overdue();
    attestor.serve_honestly(&node.network, &batch);
    assert_eq!(verdicts(&node.run(&mut ext)), [Verdict::Match]);
}

#[test]
fn a_provider_that_nobody_registered_is_not_asked_and_not_waited_for_in_vain() {
    let (mut ext, node, attestor, batch) = overdue();
    ext.execute_with(|| Providers::<Test>::remove(&attestor.account));
    attestor.serve_honestly(&node.network, &batch);
    ext.execute_with(|| System::set_block_number(UNATTESTED_AFTER));
    assert_eq!(node.run(&mut ext).len(), 0);
    pass_blocks(&mut ext, 1);
    assert_eq!(verdicts(&node.run(&mut ext))[0].kind(), VerdictKind::Unattested);
    assert!(node.network.asked().is_empty());
}

#[test]
fn a_provider_without_the_role_does_not_attest() {
    let (mut ext, node, attestor, batch) = overdue();
    attestor.serve_honestly(&node.network, &batch);
    Members::set(BTreeSet::new());
    assert_eq!(verdicts(&node.run(&mut ext))[0].kind(), VerdictKind::Unattested);
    assert!(node.network.asked().is_empty());
}

#[test]
fn a_validator_that_found_the_provider_away_looks_again() {
    let (mut ext, attestor) = chain(4);
    let node = Node::new([0]);
    let batch = ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        batch
    });
    pass_blocks(&mut ext, UNATTESTED_AFTER);
    assert_eq!(node.settle(&mut ext), 1);
    attestor.serve_honestly(&node.network, &batch);
    let mut later = Vec::new();
    for _ in 0..10 {
        pass_blocks(&mut ext, 1);
        later.extend(verdicts(&node.run(&mut ext)));
    }
    assert_eq!(later, [Verdict::Match]);
}

#[test]
fn a_validator_whose_refunds_are_others_by_now_votes_again_and_else_does_not() {
    let (mut ext, attestor) = chain(4);
    let node = Node::new([0]);
    ext.execute_with(|| submit(&small_batch(0, &attestor)));
    pass_blocks(&mut ext, UNATTESTED_AFTER);
    assert_eq!(node.settle(&mut ext), 1);
    for _ in 0..30 {
        pass_blocks(&mut ext, 1);
        assert_eq!(node.settle(&mut ext), 0);
    }
    Accepted::set(BTreeSet::from([INNOVATION]));
    let mut votes = Vec::new();
    for _ in 0..10 {
        pass_blocks(&mut ext, 1);
        votes.extend(verdicts(&node.run(&mut ext)));
    }
    assert_eq!(votes, unattested(vec![refund(2, PRIORITY, 7)]));
}
