#![allow(clippy::unwrap_used)]

use stipend_primitives::{view::Program, ProgramId};

use super::*;
use crate::Signer;

fn account(name: &str) -> AccountId {
    Signer::from_uri(name).unwrap().account()
}

fn name(text: &str) -> stipend_primitives::Name {
    stipend_primitives::Name::truncate_from(text.as_bytes().to_vec())
}

fn program(owner: &str, parent: Option<ProgramId>, unminted: Credits) -> Program {
    Program {
        owner: account(owner),
        name: name("p"),
        class: ClassId::INNOVATION,
        parent,
        budget: unminted,
        unminted,
        granted: 0,
        delegated: 0,
    }
}

fn allowance(left: Credits) -> IssuerAllowance {
    let row = ClassAllowance {
        class: ClassId::INNOVATION,
        name: name("Innovation"),
        allowance: 1_000,
        minted: 1_000 - left,
        left,
    };
    IssuerAllowance { period_ends_at: 86_400_000, large_mint: 100, classes: vec![row] }
}

fn ledger(allowance: Option<IssuerAllowance>) -> Ledger {
    let [alice, bob] = ["//Alice", "//Bob"].map(account);
    Ledger::new(
        alice.clone(),
        allowance,
        vec![
            (0, program("//Alice", None, 10)),
            (1, program("//Bob", Some(0), 10)),
            (2, program("//Bob", None, 10)),
            (3, program("//Alice", None, 10_000)),
        ],
        vec![
            (5, alice, b"b".to_vec(), vec![(0, 3, None), (1, 4, Some(1))]),
            (7, bob, b"bob's".to_vec(), vec![(1, 1, None)]),
        ],
    )
}

fn row(line: u64, grant: Grant) -> Row {
    Row { line, owner: account("//Dave"), grant }
}

fn one(line: u64, program: ProgramId, amount: Credits) -> Row {
    row(line, Grant::One { program, amount, valid_from: None, valid_until: None })
}

fn faults(rows: &[Row]) -> Vec<String> {
    faults_with(1_000, rows)
}

fn faults_with(left: Credits, rows: &[Row]) -> Vec<String> {
    against(rows, &ledger(Some(allowance(left)))).iter().map(ToString::to_string).collect()
}

#[test]
fn own_programs_and_those_below_are_in_order() {
    assert_eq!(faults(&[one(2, 0, 10), one(3, 1, 10)]), Vec::<String>::new());
}

#[test]
fn another_owners_program_is_named_with_the_line() {
    let faults = faults(&[one(2, 0, 1), one(3, 2, 1)]);
    assert!(faults.len() == 1 && faults[0].starts_with("line 3: the signing key owns neither"), "{faults:?}");
}

#[test]
fn lines_with_the_same_fault_are_named_together() {
    let basket = row(9, Grant::Basket { basket: 6 });
    let faults = faults(&[one(2, 2, 1), one(3, 2, 1), one(4, 2, 1), one(5, 0, 1), one(7, 2, 1), basket]);
    assert!(faults[0].starts_with("lines 2 to 4, 7: the signing key owns neither"), "{faults:?}");
    assert!(faults[1].starts_with("line 9: there is no basket 6"), "{faults:?}");
}

#[test]
fn unknown_programs_and_baskets_are_named_with_the_line() {
    let faults = faults(&[one(2, 9, 1), row(3, Grant::Basket { basket: 6 })]);
    assert!(faults[0].starts_with("line 2: there is no program 9"), "{faults:?}");
    assert!(faults[1].starts_with("line 3: there is no basket 6"), "{faults:?}");
}

#[test]
fn rows_that_take_more_than_a_budget_has_are_refused_together() {
    let basket = |line| row(line, Grant::Basket { basket: 5 });
    assert_eq!(faults(&[basket(2), basket(3), one(4, 0, 4)]), Vec::<String>::new());
    let faults = faults(&[basket(2), basket(3), one(4, 0, 5)]);
    assert_eq!(faults.len(), 1);
    assert!(
        faults[0].starts_with("program 0 has 0.000010 credits left, the rows take 0.000011"),
        "{faults:?}"
    );
}

#[test]
fn a_signer_that_is_no_issuer_is_told_so() {
    let faults = against(&[one(2, 0, 1)], &ledger(None));
    assert!(faults[0].to_string().contains("is not an issuer"));
}

#[test]
fn nothing_left_to_send_has_no_fault() {
    assert!(against(&[], &ledger(None)).is_empty());
}

#[test]
fn another_issuers_basket_is_named_with_its_issuer() {
    let faults = faults(&[row(4, Grant::Basket { basket: 7 })]);
    let bob = account("//Bob").to_ss58check();
    assert!(faults[0].starts_with("line 4: basket 7 is minted only by") && faults[0].contains(&bob));
}

#[test]
fn rows_that_do_not_fit_into_the_allowance_are_named_and_smaller_ones_after_them_are_not() {
    let rows = [one(2, 3, 60), one(3, 3, 50), one(4, 3, 40), one(5, 3, 1), one(6, 3, 7)];
    assert_eq!(faults_with(158, &rows), Vec::<String>::new());
    let faults = faults_with(101, &rows);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("lines 3, 6: does not fit"), "{faults:?}");
    assert!(faults[0].contains("0.000101 credits of Innovation until 1970-01-02T00:00:00Z"), "{faults:?}");
}

#[test]
fn lines_of_a_basket_count_together_against_the_allowance() {
    let basket = |line| row(line, Grant::Basket { basket: 5 });
    assert_eq!(faults_with(7, &[basket(2)]), Vec::<String>::new());
    assert!(faults_with(6, &[basket(2)])[0].starts_with("line 2: does not fit"));
}

#[test]
fn rows_that_take_two_issuers_are_named_with_the_way_to_grant_them() {
    let faults = faults(&[one(2, 3, 100), one(3, 3, 101)]);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].starts_with("line 3: more than 0.000100 credits"), "{faults:?}");
    assert!(faults[0].contains("mint cosign"), "{faults:?}");
}

#[test]
fn grants_that_are_over_already_are_named_with_their_lines() {
    let until =
        |line, valid_until| row(line, Grant::One { program: 0, amount: 1, valid_from: None, valid_until });
    let rows = [until(2, Some(5)), until(3, Some(6)), until(4, None)];
    assert!(over(&rows, 4).is_empty());
    let faults = over(&rows, 5);
    assert!(faults.len() == 1 && faults[0].to_string().starts_with("line 2: "), "{faults:?}");
}

#[test]
fn more_entitlements_than_a_wallet_has_room_for_are_named() {
    let rows: Vec<Row> = (0..u64::from(SLICES_MAX)).map(|line| one(line, 3, 1)).collect();
    let ledger = ledger(Some(allowance(1_000)));
    assert!(against(&rows, &ledger).is_empty());
    let dave = account("//Dave");
    let full = ledger.holding([((dave, ClassId::INNOVATION), 1)].into());
    let fault = against(&rows, &full)[0].to_string();
    assert!(fault.starts_with("lines 0 to 63: "), "{fault}");
    assert!(fault.contains("room for 64") && fault.contains("64 more of Innovation"), "{fault}");
}

#[test]
fn a_grant_whose_end_is_over_is_named() {
    let until =
        |line, end| row(line, Grant::One { program: 0, amount: 1, valid_from: None, valid_until: end });
    let rows = [until(2, Some(100)), until(3, Some(101)), until(4, None)];
    let named: Vec<String> = over(&rows, 100).iter().map(ToString::to_string).collect();
    assert!(named.len() == 1 && named[0].starts_with("line 2: it would be expired"), "{named:?}");
}
