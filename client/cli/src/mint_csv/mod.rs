//! `stipend mint csv`: granting to everybody in a file, once.
//!
//! The file is checked whole, by itself and against the chain, before anything is sent. Rows go in
//! chunks that the chain carries out wholly or not at all. Each chunk's signed transaction is
//! recorded in a progress file before it is sent, so whatever dies in between, the next run learns
//! what became of it and goes on from there: no row is granted twice, none is forgotten.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use codec::Encode;
use serde_json::json;
use sp_core::{Blake2Hasher, Hasher, H256};
use stipend_sdk::{primitives::AccountId, SignedMint, Signer};

use crate::{
    context::Context,
    failure::Failure,
    output::{in_credits, Answer},
    parse, time,
};

use self::{
    check::{Fault, Ledger},
    journal::{Head, Journal},
    rows::Row,
};

mod check;
mod journal;
mod rows;
mod send;

/// Options of `mint csv`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The file: a heading line, then one grant per line. Columns: owner; program and amount, or
    /// basket; optionally valid_from and valid_until (dates or UTC times).
    file: PathBuf,
    /// Check everything and say what would be granted, but send nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not send: print signed requests, one per row, which anybody can carry to the chain.
    #[arg(long, visible_alias = "sign-only", conflicts_with = "dry_run")]
    detached: bool,
    /// Genesis hash of the chain, to sign without a node.
    #[arg(long, value_name = "HASH", value_parser = parse::hash, requires = "detached")]
    genesis: Option<H256>,
    /// Where to record what was sent; the file's name with `.progress` if not given.
    #[arg(long, value_name = "FILE")]
    progress: Option<PathBuf>,
}

/// Runs `mint csv`.
pub(crate) async fn run(context: &Context, arguments: Arguments) -> Result<Answer> {
    let input = std::fs::File::open(&arguments.file)
        .map_err(|error| Failure::bad_input(format!("cannot read {}: {error}", arguments.file.display())))?;
    let rows = rows::read(input, time::now()).map_err(|faults| refuse(&arguments, &faults))?;
    let signer = context.signer()?;
    let genesis = match arguments.genesis {
        Some(genesis) => genesis,
        None => context.client().await?.genesis(),
    };
    let fingerprint = fingerprint(&rows, &signer.account(), &genesis);
    if arguments.detached {
        return detached(&rows, &signer, &genesis, &fingerprint);
    }
    let ledger = ledger(context, &signer.account()).await?;
    if arguments.dry_run {
        return dry_run(&arguments, &rows, &ledger);
    }
    let path = arguments.progress.clone().unwrap_or_else(|| {
        let mut path = arguments.file.clone().into_os_string();
        path.push(".progress");
        path.into()
    });
    let head = Head { fingerprint, chunks: send::chunks(&rows, &ledger) };
    let mut journal = Journal::open(&path, head)?;
    send::finish_sent(context, &mut journal).await?;
    // What an earlier run sent has taken of budgets and allowance by now.
    let ledger = self::ledger(context, &signer.account()).await?;
    let open = journal.open_rows(&rows);
    let faults = check::against(open.iter().copied(), &ledger);
    if !faults.is_empty() {
        return Err(refuse(&arguments, &faults));
    }
    let done_before = rows.len() - open.len();
    send::send(context, &signer, &rows, &mut journal).await?;
    summary(&rows, done_before, &ledger, &journal)
}

/// Names this list of grants by this issuer on this chain.
fn fingerprint(rows: &[Row], issuer: &AccountId, genesis: &H256) -> H256 {
    let grants: Vec<_> = rows.iter().map(|row| (&row.owner, &row.grant)).collect();
    Blake2Hasher::hash(&(genesis, issuer, grants).encode())
}

async fn ledger(context: &Context, issuer: &AccountId) -> Result<Ledger> {
    let snapshot = context.ledger().await?;
    let (allowance, programs, baskets) =
        futures::try_join!(snapshot.mint_allowance(issuer), snapshot.programs(), snapshot.baskets())?;
    Ok(Ledger::new(issuer.clone(), allowance, programs, baskets))
}

/// All faults at once, each with its line.
fn refuse(arguments: &Arguments, faults: &[Fault]) -> anyhow::Error {
    let list: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let noun = if faults.len() == 1 { "fault" } else { "faults" };
    let message = format!(
        "{} has {} {noun}; nothing new was sent. Mend the file and run the command again.\n  {}",
        arguments.file.display(),
        faults.len(),
        list.join("\n  ")
    );
    Failure::bad_input(message).into()
}

fn detached(rows: &[Row], signer: &Signer, genesis: &H256, fingerprint: &H256) -> Result<Answer> {
    let mints: Vec<SignedMint> = rows
        .iter()
        .enumerate()
        .map(|(position, row)| {
            // The same file always yields the same requests, so carrying them again mints nothing.
            let digest = Blake2Hasher::hash(&(fingerprint, position as u64).encode());
            let mut key = [0; 16];
            key.copy_from_slice(&digest.as_bytes()[..16]);
            SignedMint::new(signer, genesis, row.owner.clone(), row.grant.clone(), key)
        })
        .collect();
    Answer::new(&mints, serde_json::to_string_pretty(&mints)?)
}

fn dry_run(arguments: &Arguments, rows: &[Row], ledger: &Ledger) -> Result<Answer> {
    let faults = check::against(rows, ledger);
    if !faults.is_empty() {
        return Err(refuse(arguments, &faults));
    }
    let totals = ledger.totals(rows);
    let json = json!({ "rows": rows.len(), "sent": false, "programs": totals_json(&totals) });
    let human = format!("{} rows are in order; nothing was sent.\n{}", rows.len(), totals_text(&totals));
    Answer::new(json, human)
}

fn summary(rows: &[Row], done_before: usize, ledger: &Ledger, journal: &Journal) -> Result<Answer> {
    let totals = ledger.totals(rows);
    let json = json!({
        "rows": rows.len(),
        "minted_now": rows.len() - done_before,
        "minted_before": done_before,
        "blocks": journal.blocks(),
        "programs": totals_json(&totals),
        "progress": journal.path(),
    });
    let before = match done_before {
        0 => String::new(),
        count => format!(" ({count} of them by an earlier run)"),
    };
    let human = format!(
        "all {} rows are minted{before} and finalised; {} records it, and running this again mints nothing.\n{}",
        rows.len(),
        journal.path().display(),
        totals_text(&totals)
    );
    Answer::new(json, human)
}

fn totals_json(totals: &[(u32, u128)]) -> Vec<serde_json::Value> {
    totals
        .iter()
        .map(|(program, amount)| json!({ "program": program, "amount": amount.to_string() }))
        .collect()
}

fn totals_text(totals: &[(u32, u128)]) -> String {
    let lines: Vec<String> = totals
        .iter()
        .map(|(program, amount)| format!("  program {program}: {}", in_credits(*amount)))
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn rows() -> Vec<Row> {
        let alice = parse::address(&parse::account("//Alice").unwrap());
        let bob = parse::address(&parse::account("//Bob").unwrap());
        let text = format!("owner,program,amount\n{alice},0,1\n{bob},0,2\n");
        rows::read(text.as_bytes(), 0).unwrap()
    }

    #[test]
    fn the_same_file_yields_the_same_requests_with_different_keys() {
        let signer = Signer::from_uri("//Alice").unwrap();
        let fingerprint = fingerprint(&rows(), &signer.account(), &H256::zero());
        let once = detached(&rows(), &signer, &H256::zero(), &fingerprint).unwrap().json;
        assert_eq!(once, detached(&rows(), &signer, &H256::zero(), &fingerprint).unwrap().json);
        assert_ne!(once[0]["request"]["idempotency_key"], once[1]["request"]["idempotency_key"]);
        assert_eq!(once[1]["request"]["grant"]["one"]["amount"], "2000000");
    }

    #[test]
    fn another_issuer_chain_or_row_is_another_fingerprint() {
        let alice = parse::account("//Alice").unwrap();
        let bob = parse::account("//Bob").unwrap();
        let one = fingerprint(&rows(), &alice, &H256::zero());
        assert_ne!(one, fingerprint(&rows(), &bob, &H256::zero()));
        assert_ne!(one, fingerprint(&rows(), &alice, &H256([1; 32])));
        assert_ne!(one, fingerprint(&rows()[..1], &alice, &H256::zero()));
    }
}
