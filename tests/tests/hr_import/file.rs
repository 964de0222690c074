//! The files that HR imports, and what a refusal says of them.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::Result;
use sp_core::crypto::Ss58Codec;
use stipend_primitives::{AccountId, Credits, MICRO_CREDITS_PER_CREDIT};

/// Owners in the file: some are granted twice.
pub const OWNERS: usize = 9_000;

/// One row of the file.
#[derive(Clone)]
pub struct Row {
    /// Who receives: a number of this test's.
    pub owner: usize,
    /// Micro-credits.
    pub amount: Credits,
}

/// What can be wrong with a row: what it is called, and the row with that fault instead of a good one.
pub type Kind = (&'static str, fn(&Row, usize) -> String);

/// The kinds. The first seven show in the file alone, the others only against the chain.
pub const KINDS: [Kind; 10] = [
    ("an account that is none", |row, at| format!("person {at},0,{},,", credits(row.amount))),
    ("a mistyped address", |row, _| format!("{},0,{},,", mistyped(&address(row.owner)), credits(row.amount))),
    ("nothing granted", |row, _| format!("{},0,0,,", address(row.owner))),
    ("a negative amount", |row, _| format!("{},0,-5,,", address(row.owner))),
    ("seven decimals", |row, _| format!("{},0,1.0000001,,", address(row.owner))),
    ("an end before the beginning", |row, _| format!("{},0,5,2099-02-01,2099-01-31", address(row.owner))),
    ("a day that is not in the calendar", |row, _| format!("{},0,5,2099-02-29,", address(row.owner))),
    ("an end in the past", |row, _| format!("{},0,5,,2020-01-01", address(row.owner))),
    ("a program that is not there", |row, _| format!("{},77,5,,", address(row.owner))),
    ("more than one issuer may grant", |row, at| format!("{},0,{},,", address(row.owner), 10_001 + at)),
];

/// The account of an owner: a key that nobody has.
pub fn account(owner: usize) -> AccountId {
    let mut bytes = [0x51; 32];
    bytes[..8].copy_from_slice(&(owner as u64).to_be_bytes());
    AccountId::new(bytes)
}

/// Their address.
pub fn address(owner: usize) -> String {
    account(owner).to_ss58check()
}

/// An address with two letters exchanged for others.
pub fn mistyped(address: &str) -> String {
    let other = |letter: char| if letter == 'x' { 'y' } else { 'x' };
    address
        .char_indices()
        .map(|(at, letter)| if at == 20 || at == 21 { other(letter) } else { letter })
        .collect()
}

/// An amount as people write it.
pub fn credits(micro: Credits) -> String {
    format!("{}.{:06}", micro / MICRO_CREDITS_PER_CREDIT, micro % MICRO_CREDITS_PER_CREDIT)
}

/// The good rows: amounts of all sizes, no two the same for one owner.
pub fn rows(count: usize) -> Vec<Row> {
    let row = |at: usize| Row {
        owner: at % OWNERS.min(count),
        amount: 1 + (at as Credits * 7_919_113) % 40_000_000,
    };
    (0..count).map(row).collect()
}

/// A good row.
pub fn line(row: &Row) -> String {
    format!("{},0,{},,", address(row.owner), credits(row.amount))
}

/// Writes a file with these rows.
pub fn write(file: &Path, lines: &[String]) -> Result<()> {
    Ok(fs::write(file, format!("owner,program,amount,valid_from,valid_until\n{}\n", lines.join("\n")))?)
}

/// The lines that a refusal names.
pub fn named(error: &str) -> BTreeSet<usize> {
    let mut lines = BTreeSet::new();
    for fault in error.lines().map(str::trim) {
        let Some((places, _)) =
            fault.strip_prefix("line").and_then(|rest| rest.trim_start_matches('s').split_once(':'))
        else {
            continue;
        };
        for range in places.split(',') {
            let ends: Vec<usize> = range.split(" to ").filter_map(|end| end.trim().parse().ok()).collect();
            if let (Some(first), Some(last)) = (ends.first(), ends.last()) {
                lines.extend(*first..=*last);
            }
        }
    }
    lines
}
