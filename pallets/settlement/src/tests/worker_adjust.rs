use std::collections::BTreeMap;

use proptest::prelude::*;
use stipend_primitives::{
    batch::Batch,
    cost::Usage,
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

/// Settles `batch` where its only provider serves `leaves`; returns differing receipts and refunds.
fn adjust(attestor: &Attestor, batch: &Batch, leaves: &[UsageLeaf]) -> (u32, Vec<Refund>) {
    let owed = Owed::get();
    let (mut ext, registered) = chain(1);
    assert_eq!(registered.account, attestor.account);
    Owed::set(owed);
    ext.execute_with(|| submit(batch));
    let node = Node::new([0]);
    attestor.serve(&node.network, batch, leaves);
    let mut votes = verdicts(&node.run(&mut ext));
    assert_eq!(votes.len(), 1, "one vote");
    match votes.remove(0) {
        Verdict::Adjust { provider_root, receipts, refunds } => {
            assert_eq!(provider_root, UsageLeaf::root(leaves));
            (receipts, refunds.into_inner())
        }
        other => panic!("an adjustment, not {other:?}"),
    }
}

fn setup() -> (Attestor, Batch, Vec<UsageLeaf>) {
    let attestor = Attestor::new(9);
    let batch = small_batch(0, &attestor);
    let leaves = leaves_of(&batch, &attestor.account);
    (attestor, batch, leaves)
}

#[test]
fn the_smaller_claim_counts_receipt_by_receipt() {
    let (attestor, batch, mut leaves) = setup();
    leaves[0].usage = usage(90, 20, 25); // 10 tokens at 10 and 5 at 40 less
    leaves[1].usage = usage(50, 0, 9); // 1 at 40 less
    let expected = vec![refund(1, INNOVATION, 300), refund(2, INNOVATION, 40)];
    assert_eq!(adjust(&attestor, &batch, &leaves), (2, expected));
}

#[test]
fn a_provider_that_claims_more_gets_no_more() {
    let (attestor, batch, mut leaves) = setup();
    leaves[2].usage.output += 1_000;
    assert_eq!(adjust(&attestor, &batch, &leaves), (1, vec![]));
}

#[test]
fn each_count_is_compared_by_itself() {
    let (attestor, batch, mut leaves) = setup();
    // More input, less cached input, less output: the input stays what the gateway said.
    leaves[0].usage = usage(1_000, 15, 29);
    assert_eq!(adjust(&attestor, &batch, &leaves), (1, vec![refund(1, INNOVATION, 5 + 40)]));
}

#[test]
fn refunds_of_one_wallet_in_one_class_are_added_up() {
    let (attestor, batch, mut leaves) = setup();
    leaves[0].usage.output -= 1;
    leaves[2].usage.output -= 2;
    assert_eq!(adjust(&attestor, &batch, &leaves), (2, vec![refund(1, INNOVATION, 120)]));
}

#[test]
fn a_request_that_was_served_keeps_its_fee_and_its_share_of_the_model() {
    let (attestor, batch, mut leaves) = setup();
    leaves[1].usage = usage(0, 0, 0);
    // 1,000 less the 100 of the model's weight; the fee of 7 stays.
    assert_eq!(adjust(&attestor, &batch, &leaves), (1, vec![refund(2, INNOVATION, 900)]));
}

#[test]
fn of_a_request_that_the_provider_never_saw_everything_goes_back() {
    let (attestor, batch, leaves) = setup();
    let everything = vec![refund(2, INNOVATION, 1_000), refund(2, PRIORITY, 7)];
    let mut never_metered = leaves.clone();
    never_metered[1].usage = usage(0, 0, 0);
    never_metered[1].model = ModelId(u16::MAX);
    assert_eq!(adjust(&attestor, &batch, &never_metered), (1, everything.clone()));
    let mut another_request = leaves;
    another_request[1].digest = [0xee; 16];
    assert_eq!(adjust(&attestor, &batch, &another_request), (1, everything));
}

#[test]
fn each_class_is_refunded_by_its_models_price() {
    let attestor = Attestor::new(9);
    let receipts = [(1, 0, usage(10, 0, 0), 0), (1, 1, usage(10, 0, 0), 0), (2, 1, usage(10, 0, 10), 0)];
    let batch = batch(0, &[(&attestor, 0), (&attestor, 2)], &receipts);
    let mut leaves = leaves_of(&batch, &attestor.account);
    leaves.iter_mut().for_each(|leaf| leaf.usage.input -= 1);
    let expected = vec![refund(1, INNOVATION, 10), refund(1, REASONING, 12), refund(2, REASONING, 12)];
    assert_eq!(adjust(&attestor, &batch, &leaves), (3, expected));
}

#[test]
fn what_a_wallet_did_not_pay_is_set_off() {
    let (attestor, batch, mut leaves) = setup();
    leaves[0].usage.output -= 10; // 400 to wallet 1
    leaves[1].usage.output -= 10; // 400 to wallet 2
    let shortfall = |owner, amount| Shortfall { owner: account(owner), class: INNOVATION, amount };
    Owed::set(Some(vec![shortfall(1, 150), shortfall(2, 900)]));
    assert_eq!(adjust(&attestor, &batch, &leaves), (2, vec![refund(1, INNOVATION, 250)]));
    // In another class it concerns nobody.
    Owed::set(Some(vec![Shortfall { owner: account(1), class: REASONING, amount: 1_000 }]));
    let both = vec![refund(1, INNOVATION, 400), refund(2, INNOVATION, 400)];
    assert_eq!(adjust(&attestor, &batch, &leaves), (2, both));
    Owed::set(Some(Vec::new()));
}

#[test]
fn where_too_many_wallets_did_not_pay_nothing_goes_back() {
    let (attestor, batch, mut leaves) = setup();
    leaves[0].usage.output -= 10;
    Owed::set(None);
    assert_eq!(adjust(&attestor, &batch, &leaves), (1, vec![]));
    Owed::set(Some(Vec::new()));
}

#[test]
fn only_the_providers_own_receipts_are_refunded() {
    let (mut ext, first) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let second = Attestor::registered(10);
        let receipts = [(1, 0, usage(10, 0, 10), 0), (1, 1, usage(10, 0, 10), 0), (1, 0, usage(5, 0, 5), 0)];
        let batch = batch(40, &[(&first, 0), (&second, 0)], &receipts);
        submit(&batch);
        let mut leaves = leaves_of(&batch, &first.account);
        assert_eq!(leaves.iter().map(|leaf| leaf.seq).collect::<Vec<_>>(), [40, 42]);
        leaves[1].usage.output = 0;
        first.serve(&node.network, &batch, &leaves);
        second.serve_honestly(&node.network, &batch);
    });
    assert_eq!(node.settle(&mut ext), 2);
    let closed: BTreeMap<AccountId, (VerdictKind, Credits)> =
        Closed::get().into_iter().map(|(item, kind, refunded)| (item.provider, (kind, refunded))).collect();
    assert_eq!(closed[&first.account], (VerdictKind::Adjust, 200));
    assert_eq!(closed[&account(10)], (VerdictKind::Match, 0));
}

#[test]
fn validators_come_to_the_same_adjustment_and_it_is_paid() {
    let (mut ext, attestor) = chain(4);
    let nodes: Vec<Node> = (0..4).map(|number| Node::new([number])).collect();
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        let mut leaves = leaves_of(&batch, &attestor.account);
        leaves[2].usage.output = 100;
        nodes.iter().for_each(|node| attestor.serve(&node.network, &batch, &leaves));
    });
    pass_blocks(&mut ext, 5);
    for node in &nodes {
        node.settle(&mut ext);
    }
    assert_eq!(last_closed(), Some((VerdictKind::Adjust, 4_000)));
    assert_eq!(Paid::get().into_iter().collect::<Vec<_>>(), [((account(1), INNOVATION), 4_000)]);
}

#[test]
fn without_the_block_body_there_is_no_vote() {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        let mut leaves = leaves_of(&batch, &attestor.account);
        leaves[0].usage.output = 0;
        attestor.serve(&node.network, &batch, &leaves);
    });
    let bodies = Bodies::get();
    Bodies::set(BTreeMap::new());
    assert_eq!(node.run(&mut ext).len(), 0);
    // The body of a block with other batches is no better.
    Bodies::set(BTreeMap::from([(1, vec![vec![0xff], Vec::new()])]));
    assert_eq!(node.run(&mut ext).len(), 0);
    Bodies::set(bodies);
    assert_eq!(node.run(&mut ext).len(), 1);
}

fn usages() -> impl Strategy<Value = Usage> {
    (0u32..5_000, 0u32..5_000, 0u32..5_000)
        .prop_map(|(input, cached_input, output)| usage(input, cached_input, output))
}

proptest! {
    /// Any claims of gateway and provider, any wallets, models and fees: each wallet gets back, in each
    /// class, what it was charged above the smaller claims, and never more than was collected.
    #[test]
    fn refunds_are_the_difference_to_the_smaller_claims(
        receipts in prop::collection::vec(
            (1u8..6, 0u16..4, usages(), 0u32..100, usages(), 0u8..4),
            1..30,
        ),
    ) {
        let attestor = Attestor::new(9);
        let lines = [(&attestor, 0), (&attestor, 1), (&attestor, 2), (&attestor, 3)];
        let gateways: Vec<Receipt> =
            receipts.iter().map(|(wallet, line, usage, fee, _, _)| (*wallet, *line, *usage, *fee)).collect();
        let batch = batch(0, &lines, &gateways);
        let mut leaves = leaves_of(&batch, &attestor.account);
        let mut expected: BTreeMap<(AccountId, ClassId), Credits> = BTreeMap::new();
        let mut collected = 0;
        for (leaf, (wallet, line, ours, fee, theirs, what)) in leaves.iter_mut().zip(&receipts) {
            let price = price(ModelId(*line));
            collected += price.cost(ours) + Credits::from(*fee);
            let base = (account(*wallet), price.class);
            match what {
                0 => (),
                1 => {
                    leaf.digest = [0xdd; 16];
                    *expected.entry(base).or_default() += price.cost(ours);
                    *expected.entry((account(*wallet), PRIORITY)).or_default() += Credits::from(*fee);
                },
                _ => {
                    leaf.usage = *theirs;
                    *expected.entry(base).or_default() += price.cost(ours) - price.cost(&ours.min(*theirs));
                },
            }
        }
        expected.retain(|_, amount| *amount > 0);
        prop_assume!(leaves != leaves_of(&batch, &attestor.account));
        let (_, refunds) = adjust(&attestor, &batch, &leaves);
        prop_assert!(refunds.iter().map(|refund| refund.amount).sum::<Credits>() <= collected);
        let refunds: BTreeMap<(AccountId, ClassId), Credits> =
            refunds.into_iter().map(|refund| ((refund.owner, refund.class), refund.amount)).collect();
        prop_assert_eq!(refunds, expected);
    }
}
