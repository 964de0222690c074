//! Merges, however their webhooks come.

use super::*;

#[test]
fn a_merge_earns_for_the_wallet_of_its_receipt_after_it_was_held() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.merge(12, &[1], 1_000);
    assert_eq!(world.judge(1_000 + 59 * MINUTE), []);
    let earned = world.judge(1_000 + 60 * MINUTE);
    assert_eq!(earned, [("merge:github:acme/app#12".into(), vec![(wallet(1), 100)])]);
    assert_eq!(world.judge(LATER), []);
}

#[test]
fn a_receipt_that_is_handed_in_while_the_merge_is_held_counts() {
    let mut world = World::new();
    world.merge(12, &[1], 0);
    world.hand_in(1, 4);
    assert_eq!(world.judge(60 * MINUTE)[0].1, [(wallet(4), 100)]);
}

#[test]
fn a_receipt_that_nobody_handed_in_earns_nothing_and_stays_free() {
    let mut world = World::new();
    world.merge(12, &[1], 0);
    assert_eq!(world.judge(60 * MINUTE)[0].1, []);
    world.hand_in(1, 1);
    world.merge(13, &[1], 0);
    assert_eq!(world.judge(60 * MINUTE)[0].1, [(wallet(1), 100)]);
}

#[test]
fn a_delivery_that_comes_again_changes_nothing() {
    let mut world = World::new();
    world.hand_in(1, 1);
    let event = merged(12, Mentions { receipts: vec![id(1)], ..Mentions::default() });
    let delivery = |name: &str, body| Delivery { name: name.into(), body: [body; 32] };
    let forge = world.forge.clone();
    let mut take = |delivery: &Delivery| world.store.take(&forge, delivery, &event, 0).unwrap();
    assert_eq!(take(&delivery("a", 1)), Taken::New { withdrawn: 0 });
    assert_eq!(take(&delivery("a", 1)), Taken::Known);
    assert_eq!(take(&delivery("b", 1)), Taken::Known, "a replay under another name");
    assert_eq!(take(&delivery("a", 2)), Taken::Contradicts);
    assert_eq!(world.judge(LATER).len(), 1);
}

#[test]
fn a_request_that_was_edited_and_sent_anew_earns_once() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.hand_in(2, 2);
    world.take(merged(12, Mentions { receipts: vec![id(1)], ..Mentions::default() }), 0);
    world.take(merged(12, Mentions { receipts: vec![id(2)], ..Mentions::default() }), 1);
    assert_eq!(world.judge(LATER), [("merge:github:acme/app#12".into(), vec![(wallet(1), 100)])]);
}

#[test]
fn a_receipt_that_two_merges_name_earns_for_the_first() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.merge(12, &[1], 0);
    world.merge(13, &[1], 1);
    let earned = world.judge(LATER);
    assert_eq!((earned[0].1.len(), earned[1].1.len()), (1, 0));
}

#[test]
fn rewritten_history_earns_nothing_twice() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.hand_in(2, 2);
    world.merge(12, &[1], 0);
    assert_eq!(world.judge(60 * MINUTE).len(), 1);
    world.merge(13, &[2], 60 * MINUTE);
    // The branch is replaced: the same work comes again under another hash.
    let said = Mentions { receipts: vec![id(1), id(2)], ..Mentions::default() };
    let Event::Pushed(push) = pushed(&hash(99), vec![(hash(99), said)]) else { unreachable!() };
    world.take(Event::Pushed(Pushed { is_forced: true, ..push }), 61 * MINUTE);
    assert_eq!(world.judge(LATER), [], "what was held is dropped, and a push alone earns nothing");
    assert_eq!(world.told(), [("record", wallet(1))]);
}

#[test]
fn a_squash_a_rebase_and_a_merge_commit_each_earn_once_for_all_their_commits() {
    let mut world = World::new();
    for number in 1..=3 {
        world.hand_in(number, number);
    }
    let said = |number: u8| Mentions { receipts: vec![id(number)], ..Mentions::default() };
    // Three commits of the request, and the one that it became.
    let commits = vec![
        ("a".repeat(40), said(1)),
        ("b".repeat(40), said(2)),
        ("c".repeat(40), said(2)),
        (hash(12), said(3)),
    ];
    world.take(pushed(&hash(12), commits), 0);
    world.take(merged(12, Mentions::default()), 0);
    let earned = world.judge(LATER);
    assert_eq!(earned[0].1, [(wallet(1), 33), (wallet(2), 33), (wallet(3), 33)]);
}

#[test]
fn merges_that_one_push_brings_keep_their_own_commits() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.hand_in(2, 2);
    let said = |number: u8| Mentions { receipts: vec![id(number)], ..Mentions::default() };
    let commits = vec![
        ("a".repeat(40), said(1)),
        (hash(12), Mentions::default()),
        ("b".repeat(40), said(2)),
        (hash(13), Mentions::default()),
    ];
    world.take(pushed(&hash(13), commits), 0);
    world.take(merged(13, Mentions::default()), 0);
    world.take(merged(12, Mentions::default()), 1);
    let earned = world.judge(LATER);
    assert_eq!(earned[0], ("merge:github:acme/app#13".into(), vec![(wallet(2), 100)]));
    assert_eq!(earned[1], ("merge:github:acme/app#12".into(), vec![(wallet(1), 100)]));
}

#[test]
fn the_purpose_of_the_forge_is_the_outcomes() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.merge(12, &[1], 0);
    let Some(Judged::Awarded(awarded)) = world.store.judge_due(&world.rule, 64, LATER).unwrap() else {
        panic!("nothing was judged")
    };
    assert_eq!(awarded.outcomes[0].purpose.as_deref(), Some("billing"));
}

#[test]
fn more_receipts_than_are_looked_at_earn_nothing() {
    let mut world = World::new();
    for number in 1..=5 {
        world.hand_in(number, number);
    }
    world.merge(12, &[1, 2, 3, 4, 5], 0);
    let Some(Judged::Awarded(awarded)) = world.store.judge_due(&world.rule, 4, LATER).unwrap() else {
        panic!("nothing was judged")
    };
    assert!(awarded.nothing.unwrap().contains("at most 4"));
}
