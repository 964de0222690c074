//! The limits that the page on settlement names are those of the code.
#![allow(clippy::unwrap_used)]

use pallet_receipts::{HISTORY_MAX, UNSETTLED_MAX};
use pallet_settlement::{
    types::{AUTHORITIES_MAX, REFUNDS_AT_ONCE_MAX, VOTE_CHANGES_MAX},
    TURNOUT_ITEMS_MIN,
};
use stipend_primitives::{
    batch::{PROVIDERS_MAX, RECEIPTS_MAX},
    ledger::SHORTFALLS_MAX,
    settlement::REFUNDS_MAX,
};

/// With a comma between thousands, as the page writes numbers.
fn written(number: u32) -> String {
    match number.checked_div(1_000) {
        Some(thousands @ 1..) => format!("{thousands},{:03}", number % 1_000),
        _ => number.to_string(),
    }
}

#[test]
fn the_page_on_settlement_names_the_limits_that_are_in_force() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/settlement.md")).unwrap();
    for (name, number) in [
        ("AUTHORITIES_MAX", AUTHORITIES_MAX),
        ("HISTORY_MAX", HISTORY_MAX),
        ("PROVIDERS_MAX", PROVIDERS_MAX),
        ("RECEIPTS_MAX", RECEIPTS_MAX),
        ("REFUNDS_AT_ONCE_MAX", REFUNDS_AT_ONCE_MAX),
        ("REFUNDS_MAX", REFUNDS_MAX),
        ("SHORTFALLS_MAX", SHORTFALLS_MAX),
        ("TURNOUT_ITEMS_MIN", TURNOUT_ITEMS_MIN),
        ("UNSETTLED_MAX", UNSETTLED_MAX),
        ("VOTE_CHANGES_MAX", VOTE_CHANGES_MAX.into()),
    ] {
        let row = page.lines().find(|line| line.contains(&format!("`{name}`")) && line.starts_with('|'));
        let row = row.unwrap_or_else(|| panic!("docs/settlement.md has no row for {name}"));
        let first = row.split('|').nth(1).unwrap().trim();
        assert_eq!(first, written(number), "docs/settlement.md says otherwise of {name}: {row}");
    }
}
