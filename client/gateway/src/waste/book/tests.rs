#![allow(clippy::unwrap_used)]

use stipend_detectors::Rule;

use super::*;

fn finding(wallet: u8, number: u64, rule: Rule) -> Finding {
    Finding {
        rule,
        wallet: [wallet; 32],
        key: [9; 32],
        from_ms: number,
        to_ms: number + 1,
        requests: vec![[1; 16]],
        count: 1,
        tokens: 2,
        score_permille: 500,
        explanation: "It was so.".into(),
        audience: rule.audience(),
    }
}

fn owner(wallet: u8) -> AccountId {
    AccountId::new([wallet; 32])
}

#[test]
fn a_flood_of_one_wallets_findings_leaves_the_others_alone() {
    let dir = tempfile::tempdir().unwrap();
    let book = Book::open(&dir.path().join("findings")).unwrap();
    book.add(finding(1, 0, Rule::Repeat), 0).unwrap();
    for number in 0..100 {
        book.add(finding(2, number, Rule::Repeat), number).unwrap();
    }
    assert_eq!(book.of_wallet(&owner(1)).len(), 1);
    let of_two = book.of_wallet(&owner(2));
    assert_eq!(of_two.len(), FINDINGS_PER_WALLET_MAX);
    assert_eq!(of_two.last().unwrap().from_ms, 99);
}

#[test]
fn what_is_for_security_is_not_shown_to_the_owner_and_cannot_be_appealed_against() {
    let dir = tempfile::tempdir().unwrap();
    let book = Book::open(&dir.path().join("findings")).unwrap();
    book.add(finding(1, 0, Rule::SharedKey), 0).unwrap();
    assert!(book.of_wallet(&owner(1)).is_empty());
    let id = book.all()[0].id.clone();
    assert_eq!(book.appeal(&owner(1), &id, "No.".into(), 5), Err(AppealError::Unknown));
}

#[test]
fn a_restart_finds_everything_but_a_line_that_a_crash_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("findings");
    let book = Book::open(&path).unwrap();
    for number in 0..3 {
        book.add(finding(1, number, Rule::Repeat), number).unwrap();
    }
    let id = book.all()[1].id.clone();
    book.appeal(&owner(1), &id, "No.".into(), 5).unwrap();
    let all = book.all();
    drop(book);
    let mut text = fs::read_to_string(&path).unwrap();
    text.push_str("{\"id\":\"ab");
    fs::write(&path, text).unwrap();
    let book = Book::open(&path).unwrap();
    assert_eq!(book.all(), all);
    book.add(finding(1, 7, Rule::Loop), 7).unwrap();
    assert_eq!(Book::open(&path).unwrap().all().len(), 4);
}
