//! What is taken back, in whatever order it is told.

use super::*;

fn other() -> String {
    "e".repeat(40)
}

#[test]
fn a_reverted_commit_takes_its_award_back() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.merge(12, &[1], 0);
    world.judge(60 * MINUTE);
    assert_eq!(world.told(), [("record", wallet(1))]);
    let taken = world.take(pushed(&other(), vec![(other(), reverting(&hash(12)))]), 61 * MINUTE);
    assert_eq!(taken, Taken::New { withdrawn: 1 });
    assert_eq!(world.told(), [("withdraw", wallet(1))]);
    let mut world = world.again();
    assert_eq!(world.told(), []);
}

#[test]
fn a_revert_of_any_commit_of_a_merge_takes_all_of_it_back() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.hand_in(2, 2);
    let said = |number: u8| Mentions { receipts: vec![id(number)], ..Mentions::default() };
    world.take(merged(12, Mentions::default()), 0);
    world.take(pushed(&hash(12), vec![("a".repeat(40), said(1)), (hash(12), said(2))]), 0);
    world.judge(LATER);
    world.told();
    world.take(pushed(&other(), vec![(other(), reverting(&"a".repeat(40)))]), 1);
    let mut told = world.told();
    told.sort();
    assert_eq!(told, [("withdraw", wallet(1)), ("withdraw", wallet(2))]);
}

#[test]
fn a_revert_while_the_merge_is_held_costs_no_transaction() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.merge(12, &[1], 0);
    world.take(pushed(&other(), vec![(other(), reverting(&hash(12)))]), 1);
    assert_eq!(world.judge(LATER)[0].1, []);
    assert_eq!(world.told(), []);
}

#[test]
fn a_revert_that_is_told_before_its_merge_still_counts() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.take(pushed(&other(), vec![(other(), reverting(&hash(12)))]), 0);
    world.merge(12, &[1], 1);
    assert_eq!(world.judge(LATER)[0].1, []);
    assert_eq!(world.told(), []);
}

#[test]
fn a_request_that_reverts_another_by_number_takes_it_back_and_earns_nothing() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.hand_in(2, 2);
    world.merge(12, &[1], 0);
    world.judge(60 * MINUTE);
    world.told();
    let said = Mentions { receipts: vec![id(2)], reverts: vec!["#12".into()], ..Mentions::default() };
    assert_eq!(world.take(merged(13, said), 61 * MINUTE), Taken::New { withdrawn: 1 });
    assert_eq!(world.judge(LATER), [("merge:github:acme/app#13".into(), vec![])]);
    assert_eq!(world.told(), [("withdraw", wallet(1))]);
}

#[test]
fn a_merge_that_reverts_another_earns_nothing_whatever_it_names() {
    let mut world = World::new();
    world.hand_in(2, 2);
    let said = Mentions { receipts: vec![id(2)], ..reverting(&hash(50)) };
    world.take(pushed(&hash(13), vec![(hash(13), said)]), 0);
    world.take(merged(13, Mentions::default()), 0);
    assert_eq!(world.judge(LATER)[0].1, []);
}

#[test]
fn a_commit_that_its_own_request_takes_back_is_no_revert() {
    let mut world = World::new();
    world.hand_in(1, 1);
    let said = Mentions { receipts: vec![id(1)], ..Mentions::default() };
    let commits = vec![
        ("a".repeat(40), Mentions::default()),
        ("b".repeat(40), reverting(&"a".repeat(40))),
        (hash(12), said),
    ];
    world.take(merged(12, Mentions::default()), 0);
    world.take(pushed(&hash(12), commits), 0);
    assert_eq!(world.judge(LATER)[0].1, [(wallet(1), 100)]);
    assert_eq!(world.told(), [("record", wallet(1))]);
}

#[test]
fn a_revert_of_a_revert_gives_nothing_back() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.merge(12, &[1], 0);
    world.judge(60 * MINUTE);
    world.take(pushed(&other(), vec![(other(), reverting(&hash(12)))]), 61 * MINUTE);
    let again = "f".repeat(40);
    world.take(pushed(&again, vec![(again.clone(), reverting(&other()))]), 62 * MINUTE);
    assert_eq!(world.judge(LATER), []);
    assert_eq!(world.told(), []);
    assert_eq!(world.store.figures().unwrap().withdrawn, 1);
}

#[test]
fn a_revert_in_another_repository_touches_nothing() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.merge(12, &[1], 0);
    world.judge(60 * MINUTE);
    let Event::Pushed(push) = pushed(&other(), vec![(other(), reverting(&hash(12)))]) else { unreachable!() };
    let taken = world.take(Event::Pushed(Pushed { repository: "acme/other".into(), ..push }), 61 * MINUTE);
    assert_eq!(taken, Taken::New { withdrawn: 0 });
    assert_eq!(world.told(), [("record", wallet(1))]);
}
