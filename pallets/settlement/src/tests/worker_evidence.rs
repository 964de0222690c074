//! A class that requires evidence pays no provider without it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stipend_primitives::{
    batch::Batch,
    leaf::UsageLeaf,
    ledger::Shortfall,
    settlement::{Refund, Verdict, VerdictKind},
    AccountId, ClassId, Credits, ModelId,
};

use super::world::*;
use crate::mock::*;

const INNOVATION: ClassId = ClassId::INNOVATION;
const REASONING: ClassId = ClassId::REASONING;
const PRIORITY: ClassId = ClassId::PRIORITY;

/// Classes that require evidence of every batch.
fn require(classes: &[ClassId]) {
    Required::set(classes.iter().map(|class| (*class, 0)).collect());
}

/// Two receipts in two classes, one of them with a priority fee.
fn mixed(attestor: &Attestor) -> Batch {
    let receipts = [(1, 0, usage(10, 0, 0), 9), (2, 1, usage(10, 0, 0), 0)];
    batch(0, &[(attestor, 0), (attestor, 2)], &receipts)
}

fn adjust(root: &[UsageLeaf], receipts: u32, refunds: Vec<Refund>) -> Verdict {
    Verdict::Adjust { provider_root: UsageLeaf::root(root), receipts, refunds: refunds.try_into().unwrap() }
}

/// The vote on a batch of which the provider claims `leaves`, where `classes` require evidence.
fn verdict_with(classes: &[ClassId], leaves: impl Fn(&mut Vec<UsageLeaf>), has_evidence: bool) -> Verdict {
    let (mut ext, attestor) = chain(1);
    require(classes);
    if has_evidence {
        Hardware::mutate(|hardware| hardware.insert(attestor.account.clone()));
    }
    let node = Node::new([0]);
    ext.execute_with(|| {
        let batch = mixed(&attestor);
        submit(&batch);
        let mut theirs = leaves_of(&batch, &attestor.account);
        leaves(&mut theirs);
        attestor.serve(&node.network, &batch, &theirs);
    });
    let mut votes = verdicts(&node.run(&mut ext));
    assert_eq!(votes.len(), 1, "one vote");
    votes.remove(0)
}

fn same(_: &mut Vec<UsageLeaf>) {}

fn gateways_leaves() -> Vec<UsageLeaf> {
    let attestor = Attestor::new(9);
    leaves_of(&mixed(&attestor), &attestor.account)
}

#[test]
fn what_a_class_requires_evidence_for_goes_back_whole_although_both_claim_the_same() {
    let expected = adjust(&gateways_leaves(), 1, vec![refund(2, REASONING, 220)]);
    assert_eq!(verdict_with(&[REASONING], same, false), expected);
}

#[test]
fn each_charge_goes_by_its_own_class_the_priority_fee_too() {
    let fee = adjust(&gateways_leaves(), 1, vec![refund(1, PRIORITY, 9)]);
    assert_eq!(verdict_with(&[PRIORITY], same, false), fee);
    let all = vec![refund(1, INNOVATION, 200), refund(1, PRIORITY, 9), refund(2, REASONING, 220)];
    let all = adjust(&gateways_leaves(), 2, all);
    assert_eq!(verdict_with(&[INNOVATION, PRIORITY, REASONING], same, false), all);
}

#[test]
fn a_provider_with_evidence_is_paid_in_one_request() {
    assert_eq!(verdict_with(&[INNOVATION, REASONING, PRIORITY], same, true), Verdict::Match);
}

#[test]
fn receipts_in_no_class_that_requires_evidence_match() {
    assert_eq!(verdict_with(&[ClassId::RENDER], same, false), Verdict::Match);
}

#[test]
fn where_no_class_requires_evidence_no_body_is_read() {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let batch = mixed(&attestor);
        submit(&batch);
        attestor.serve_honestly(&node.network, &batch);
    });
    Bodies::set(BTreeMap::new());
    assert_eq!(verdicts(&node.run(&mut ext)), [Verdict::Match]);
    assert_eq!(node.network.asked().len(), 1, "no leaves are asked for");
}

#[test]
fn equal_roots_need_no_leaves_of_the_provider() {
    let (mut ext, attestor) = chain(1);
    require(&[REASONING]);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let batch = mixed(&attestor);
        submit(&batch);
        attestor.serve_honestly(&node.network, &batch);
    });
    assert_eq!(verdicts(&node.run(&mut ext))[0].kind(), VerdictKind::Adjust);
    assert_eq!(node.network.asked().len(), 1);
}

#[test]
fn a_class_that_began_to_require_evidence_later_paid_what_came_before() {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let batch = mixed(&attestor);
        submit(&batch);
        attestor.serve_honestly(&node.network, &batch);
        Required::set(BTreeMap::from([(REASONING, System::block_number() + 1)]));
    });
    pass_blocks(&mut ext, 1);
    assert_eq!(verdicts(&node.run(&mut ext)), [Verdict::Match]);
}

#[test]
fn unequal_roots_give_back_the_difference_and_whole_charges_where_evidence_is_missing() {
    let less = |leaves: &mut Vec<UsageLeaf>| leaves.iter_mut().for_each(|leaf| leaf.usage.input -= 1);
    let mut theirs = gateways_leaves();
    less(&mut theirs);
    let expected = adjust(&theirs, 2, vec![refund(1, INNOVATION, 10), refund(2, REASONING, 220)]);
    assert_eq!(verdict_with(&[REASONING], less, false), expected);
    // With evidence only the difference.
    let expected = adjust(&theirs, 2, vec![refund(1, INNOVATION, 10), refund(2, REASONING, 12)]);
    assert_eq!(verdict_with(&[REASONING], less, true), expected);
}

#[test]
fn a_receipt_that_the_provider_never_saw_goes_back_once() {
    let unseen = |leaves: &mut Vec<UsageLeaf>| leaves[0].digest = [0xee; 16];
    let mut theirs = gateways_leaves();
    unseen(&mut theirs);
    let refunds = vec![refund(1, INNOVATION, 200), refund(1, PRIORITY, 9)];
    assert_eq!(verdict_with(&[INNOVATION, PRIORITY], unseen, false), adjust(&theirs, 1, refunds));
}

/// What nobody attests, where all classes accept that.
fn unattested(classes: &[ClassId], has_evidence: bool) -> Verdict {
    let (mut ext, attestor) = chain(1);
    Accepted::set([INNOVATION, REASONING, PRIORITY].into());
    require(classes);
    if has_evidence {
        Hardware::mutate(|hardware| hardware.insert(attestor.account.clone()));
    }
    let node = Node::new([0]);
    ext.execute_with(|| submit(&mixed(&attestor)));
    pass_blocks(&mut ext, UNATTESTED_AFTER);
    verdicts(&node.run(&mut ext)).remove(0)
}

#[test]
fn nobody_keeps_unattested_charges_that_required_evidence_whatever_the_class_accepts() {
    let refunds = |refunds: Vec<Refund>| Verdict::Unattested { refunds: refunds.try_into().unwrap() };
    assert_eq!(unattested(&[REASONING], false), refunds(vec![refund(2, REASONING, 220)]));
    assert_eq!(unattested(&[], false), refunds(vec![]));
    assert_eq!(unattested(&[REASONING], true), refunds(vec![]));
}

#[test]
fn what_a_wallet_did_not_pay_is_set_off_here_too() {
    let (mut ext, attestor) = chain(1);
    require(&[REASONING]);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let owed = |amount| Owed::set(Some(vec![Shortfall { owner: account(2), class: REASONING, amount }]));
        owed(100);
        let batch = mixed(&attestor);
        submit(&batch);
        attestor.serve_honestly(&node.network, &batch);
    });
    let expected = adjust(&gateways_leaves(), 1, vec![refund(2, REASONING, 120)]);
    assert_eq!(verdicts(&node.run(&mut ext)), [expected]);
}

#[test]
fn where_nothing_was_collected_there_is_nothing_to_give_back_and_it_is_a_match() {
    let (mut ext, attestor) = chain(1);
    require(&[REASONING]);
    let node = Node::new([0]);
    ext.execute_with(|| {
        Owed::set(Some(vec![Shortfall { owner: account(2), class: REASONING, amount: 220 }]));
        let batch = mixed(&attestor);
        submit(&batch);
        attestor.serve_honestly(&node.network, &batch);
    });
    assert_eq!(verdicts(&node.run(&mut ext)), [Verdict::Match]);
}

#[test]
fn validators_agree_and_the_wallet_gets_its_credits_back() {
    let (mut ext, attestor) = chain(4);
    require(&[REASONING]);
    let nodes: Vec<Node> = (0..4).map(|number| Node::new([number])).collect();
    ext.execute_with(|| {
        let batch = mixed(&attestor);
        submit(&batch);
        nodes.iter().for_each(|node| attestor.serve_honestly(&node.network, &batch));
    });
    for node in &nodes {
        node.settle(&mut ext);
    }
    assert_eq!(last_closed(), Some((VerdictKind::Adjust, 220)));
    assert_eq!(Paid::get().into_iter().collect::<Vec<_>>(), [((account(2), REASONING), 220)]);
}

proptest! {
    /// Any receipts and claims, any classes that require evidence: a provider without it keeps nothing of
    /// what those classes paid, and of the others no more than the smaller claim.
    #[test]
    fn classes_that_require_evidence_pay_nothing_without(
        receipts in prop::collection::vec(
            (1u8..6, 0u16..4, (0u32..500, 0u32..500, 0u32..500), 0u32..100, (0u32..500, 0u32..500, 0u32..500)),
            1..30,
        ),
        innovation: bool,
        reasoning: bool,
        priority: bool,
    ) {
        let (mut ext, attestor) = chain(1);
        let wanted = [(INNOVATION, innovation), (REASONING, reasoning), (PRIORITY, priority)];
        let classes: Vec<ClassId> = wanted.into_iter().filter(|(_, is)| *is).map(|(class, _)| class).collect();
        require(&classes);
        let ours: Vec<Receipt> = receipts
            .iter()
            .map(|(wallet, line, (input, cached, output), fee, _)| {
                (*wallet, *line, usage(*input, *cached, *output), *fee)
            })
            .collect();
        let batch = batch(0, &[(&attestor, 0), (&attestor, 1), (&attestor, 2), (&attestor, 3)], &ours);
        let mut leaves = leaves_of(&batch, &attestor.account);
        let mut expected: BTreeMap<(AccountId, ClassId), Credits> = BTreeMap::new();
        for (leaf, (wallet, line, _, fee, (input, cached, output))) in leaves.iter_mut().zip(&receipts) {
            let price = price(ModelId(*line));
            let claimed = leaf.usage;
            leaf.usage = usage(*input, *cached, *output);
            let kept = if classes.contains(&price.class) { 0 } else { price.cost(&claimed.min(leaf.usage)) };
            *expected.entry((account(*wallet), price.class)).or_default() += price.cost(&claimed) - kept;
            if classes.contains(&PRIORITY) {
                *expected.entry((account(*wallet), PRIORITY)).or_default() += Credits::from(*fee);
            }
        }
        expected.retain(|_, amount| *amount > 0);
        let node = Node::new([0]);
        ext.execute_with(|| submit(&batch));
        attestor.serve(&node.network, &batch, &leaves);
        let votes = verdicts(&node.run(&mut ext));
        prop_assert_eq!(votes.len(), 1);
        let refunds: BTreeMap<(AccountId, ClassId), Credits> = votes[0]
            .refunds()
            .iter()
            .map(|refund| ((refund.owner.clone(), refund.class), refund.amount))
            .collect();
        prop_assert_eq!(refunds, expected);
    }
}
