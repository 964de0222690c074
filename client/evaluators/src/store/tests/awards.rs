//! Who earns what, once.

use super::*;

pub(super) fn outcome_of(store: &Store, evidence: crate::outcome::Evidence) -> Outcome {
    crate::store::awards::outcome(&store.connection, evidence).unwrap()
}

fn award(subject: &str, receipts: &[u8], weight: Result<u32, String>) -> Award {
    Award {
        subject: subject.into(),
        kind: "better-tests".into(),
        weight,
        purpose: None,
        receipts: receipts.iter().map(|it| id(*it)).collect(),
        report: Report::new(subject),
    }
}

#[test]
fn a_weight_is_divided_among_the_wallets_of_the_receipts() {
    let mut world = World::new();
    for (number, owner) in [(1, 1), (2, 1), (3, 2)] {
        world.hand_in(number, owner);
    }
    let awarded = world.store.award(&award("tests:a", &[3, 1, 2, 1], Ok(101)), 5).unwrap();
    let earned: Vec<_> = awarded.outcomes.iter().map(|it| (it.wallet.clone(), it.weight)).collect();
    assert_eq!(earned, [(wallet(1), 50), (wallet(2), 50)]);
    assert_eq!(awarded.outcomes[0].receipts, [id(1).key(), id(2).key()]);
    assert_eq!(world.told(), [("record", wallet(1)), ("record", wallet(2))]);
}

#[test]
fn each_outcome_has_a_report_whose_hash_is_its_evidence() {
    let mut world = World::new();
    world.hand_in(1, 1);
    let awarded = world.store.award(&award("tests:a", &[1, 9], Ok(7)), 5).unwrap();
    let path = world.store.reports().path(&awarded.outcomes[0].evidence);
    let text = std::fs::read_to_string(path).unwrap();
    for fact in
        ["weight of this wallet: 7", "1000 micro-credits of class 0; llama; number 1", "nobody handed"]
    {
        assert!(text.contains(fact), "{fact} in {text}");
    }
    use sha2::{Digest, Sha256};
    assert_eq!(<[u8; 32]>::from(Sha256::digest(text.as_bytes())), awarded.outcomes[0].evidence.0);
}

#[test]
fn what_was_judged_is_not_judged_again_whatever_is_said_then() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.hand_in(2, 2);
    let first = world.store.award(&award("tests:a", &[1], Ok(7)), 5).unwrap();
    let mut world = world.again();
    let second = world.store.award(&award("tests:a", &[2], Ok(70)), 6).unwrap();
    assert_eq!((second.is_new, second.outcomes), (false, first.outcomes));
    assert_eq!(world.told().len(), 1);
}

#[test]
fn a_receipt_counts_once_for_a_kind_and_the_first_wins() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.store.award(&award("tests:a", &[1], Ok(7)), 5).unwrap();
    let second = world.store.award(&award("tests:b", &[1], Ok(7)), 5).unwrap();
    assert!(second.nothing.unwrap().contains("1 were counted before"));
    let other = Award { kind: "better-evals".into(), ..award("evals:a", &[1], Ok(7)) };
    assert_eq!(world.store.award(&other, 5).unwrap().outcomes.len(), 1);
}

#[test]
fn nothing_is_recorded_for_what_earned_nothing_but_the_report_is_there() {
    let mut world = World::new();
    world.hand_in(1, 1);
    let awarded = world.store.award(&award("tests:a", &[1], Err("chance".into())), 5).unwrap();
    assert_eq!(awarded.nothing.as_deref(), Some("chance"));
    assert!(std::fs::read_to_string(world.store.reports().path(&awarded.report)).unwrap().contains("chance"));
    // The receipt is not used up by it.
    assert_eq!(world.store.award(&award("tests:b", &[1], Ok(7)), 5).unwrap().outcomes.len(), 1);
    assert_eq!(world.told().len(), 1);
}

#[test]
fn a_weight_too_small_for_its_wallets_is_nothing() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.hand_in(2, 2);
    let awarded = world.store.award(&award("tests:a", &[1, 2], Ok(1)), 5).unwrap();
    assert!(awarded.nothing.unwrap().contains("cannot be divided"));
}

#[test]
fn what_was_never_sent_is_taken_out_and_what_was_is_taken_back() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.hand_in(2, 2);
    world.store.award(&award("tests:a", &[1], Ok(7)), 5).unwrap();
    assert!(world.store.withdraw("tests:a", "mistake").unwrap());
    assert!(!world.store.withdraw("tests:a", "again").unwrap());
    assert_eq!(world.told(), []);
    world.store.award(&award("tests:b", &[2], Ok(7)), 5).unwrap();
    // Marked as sent, and then the program is killed: it may have been taken.
    assert!(world.store.next_entry().unwrap().is_some());
    let mut world = world.again();
    assert!(world.store.withdraw("tests:b", "mistake").unwrap());
    assert_eq!(world.told(), [("record", wallet(2)), ("withdraw", wallet(2))]);
    let figures = world.store.figures().unwrap();
    assert_eq!((figures.standing, figures.withdrawn, figures.waiting), (0, 2, 0));
}

#[test]
fn a_refused_entry_does_not_hold_the_others_back() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.hand_in(2, 2);
    world.store.award(&award("tests:a", &[1], Ok(7)), 5).unwrap();
    world.store.award(&award("tests:b", &[2], Ok(7)), 5).unwrap();
    let first = world.store.next_entry().unwrap().unwrap();
    assert_eq!(world.store.next_entry().unwrap().unwrap(), first, "until something is said of it");
    world.store.refused(first.number, "no such kind").unwrap();
    assert_eq!(world.told(), [("record", wallet(2))]);
    assert_eq!(world.store.figures().unwrap().refused, 1);
    assert_eq!(world.store.retry().unwrap(), 1);
    assert_eq!(world.told(), [("record", wallet(1))], "once the reason is gone");
}

#[test]
fn what_was_refused_and_then_reverted_is_told_no_more() {
    let mut world = World::new();
    world.hand_in(1, 1);
    world.store.award(&award("tests:a", &[1], Ok(7)), 5).unwrap();
    let entry = world.store.next_entry().unwrap().unwrap();
    world.store.refused(entry.number, "no such kind").unwrap();
    assert!(world.store.withdraw("tests:a", "mistake").unwrap());
    assert_eq!((world.store.retry().unwrap(), world.told()), (0, vec![]));
}
