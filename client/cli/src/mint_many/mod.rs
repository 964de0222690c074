//! Granting many entitlements, once: `stipend mint csv` and `stipend mint plan`.
//!
//! The list is checked whole, by itself and against the chain, before anything is sent. Rows go in
//! chunks that the chain carries out wholly or not at all. Each chunk's signed transaction is
//! recorded in a progress file before it is sent, so whatever dies in between, the next run learns
//! what became of it and goes on from there: no row is granted twice, none is forgotten.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use codec::Encode;
use futures::{stream, StreamExt, TryStreamExt};
use serde_json::json;
use sp_core::{Blake2Hasher, Hasher, H256};
use stipend_sdk::{
    grant_list::{self, forbidden, Held, Ledger},
    primitives::AccountId,
    SignedMint, Signer, Snapshot,
};

use crate::{
    context::Context,
    failure::Failure,
    output::{in_credits, Answer},
    parse, time,
};

use self::journal::{Head, Journal};
pub(crate) use self::source::Source;
pub(crate) use stipend_sdk::grant_list::Row;

mod journal;
mod preview;
mod send;
mod source;

/// Wallets that are looked at at a time.
const LOOK_AT_ONCE: usize = 16;

/// How a list is granted.
#[derive(Args, Debug)]
pub(crate) struct Sending {
    /// Do not send: print signed requests, one per grant, which anybody can carry to the chain.
    #[arg(long, visible_alias = "sign-only")]
    detached: bool,
    /// Genesis hash of the chain, to sign without a node.
    #[arg(long, value_name = "HASH", value_parser = parse::hash, requires = "detached")]
    genesis: Option<H256>,
    /// Where to record what was sent. If not given, that is the file's name with `.progress`, or for a plan
    /// a name of its own in the current folder.
    #[arg(long, value_name = "FILE")]
    progress: Option<PathBuf>,
}

/// Runs `mint csv`.
pub(crate) async fn run_file(context: &Context, file: &Path, sending: Sending) -> Result<Answer> {
    let input = std::fs::File::open(file)
        .map_err(|error| Failure::bad_input(format!("cannot read {}: {error}", file.display())))?;
    let source = Source::File(file.to_owned());
    let rows = grant_list::read(input, &|text| context.read_account(text)).map_err(|faults| {
        // A directory that does not open is the one cause of many faults.
        context.directory_failure().map_or_else(|| source.refuse(&faults), Into::into)
    })?;
    run(context, source, &rows, sending).await
}

/// Grants a list.
pub(crate) async fn run(context: &Context, source: Source, rows: &[Row], sending: Sending) -> Result<Answer> {
    let signer = context.signer()?;
    let genesis = match sending.genesis {
        Some(genesis) => genesis,
        None => context.client().await?.genesis(),
    };
    let fingerprint = fingerprint(rows, &signer.account(), &genesis);
    if sending.detached {
        let faults = grant_list::over(rows, time::now());
        if !faults.is_empty() {
            return Err(source.refuse(&faults));
        }
        context.would(json!({ "rows": rows.len(), "sent": false, "grants": preview::json(rows) }), || {
            format!("{} would be signed and printed: {}", signer.address(), rows.len())
        })?;
        return detached(rows, &signer, &genesis, &fingerprint);
    }
    let ledger = ledger(context, &signer.account(), rows).await?;
    if context.options.dry_run {
        accept_policies(context, &source, rows).await?;
        return dry_run(context, &source, rows, &ledger);
    }
    let path = sending.progress.unwrap_or_else(|| source.progress(&fingerprint));
    if !path.exists() {
        // A list that is refused before anything of it was sent leaves no file behind.
        source.accept(rows, &ledger)?;
        accept_policies(context, &source, rows).await?;
    }
    let head = Head { fingerprint, chunks: grant_list::chunks(rows, |grant| ledger.lines(grant).len()) };
    let mut journal = Journal::open(&path, head)?;
    send::finish_sent(context, &mut journal).await?;
    let open: Vec<Row> = journal.open_rows(rows).into_iter().cloned().collect();
    // What an earlier run sent has taken of budgets and allowance by now.
    let ledger = self::ledger(context, &signer.account(), &open).await?;
    source.accept(&open, &ledger)?;
    accept_policies(context, &source, &open).await?;
    let done_before = rows.len() - open.len();
    send::send(context, &signer, rows, &mut journal, source.unit()).await?;
    summary(rows, done_before, &ledger, &journal)
}

/// Refuses a list of which the policies of owners forbid something.
async fn accept_policies(context: &Context, source: &Source, rows: &[Row]) -> Result<()> {
    let faults = forbidden(&context.ledger().await?, rows, time::now()).await?;
    if faults.is_empty() {
        Ok(())
    } else {
        Err(source.refuse(&faults))
    }
}

/// Names this list of grants by this issuer on this chain.
fn fingerprint(rows: &[Row], issuer: &AccountId, genesis: &H256) -> H256 {
    let grants: Vec<_> = rows.iter().map(|row| (&row.owner, &row.grant)).collect();
    Blake2Hasher::hash(&(genesis, issuer, grants).encode())
}

async fn ledger(context: &Context, issuer: &AccountId, rows: &[Row]) -> Result<Ledger> {
    let snapshot = context.ledger().await?;
    let (allowance, programs, baskets) =
        futures::try_join!(snapshot.mint_allowance(issuer), snapshot.programs(), snapshot.baskets())?;
    let ledger = Ledger::new(issuer.clone(), allowance, programs, baskets);
    let held = held(&snapshot, ledger.owners_of_several(rows)).await?;
    Ok(ledger.holding(held))
}

/// How many entitlements with credits these owners hold.
async fn held(snapshot: &Snapshot, owners: Vec<AccountId>) -> Result<Held> {
    let look = |owner: AccountId| async move { snapshot.entitlements(&owner).await };
    let mut of_owners = stream::iter(owners).map(look).buffer_unordered(LOOK_AT_ONCE);
    let mut held = Held::new();
    while let Some(entitlements) = of_owners.try_next().await? {
        for entitlement in entitlements {
            if entitlement.amounts.available > 0 || entitlement.amounts.reserved > 0 {
                *held.entry((entitlement.owner, entitlement.class)).or_default() += 1;
            }
        }
    }
    Ok(held)
}

fn detached(rows: &[Row], signer: &Signer, genesis: &H256, fingerprint: &H256) -> Result<Answer> {
    let mints: Vec<SignedMint> = rows
        .iter()
        .enumerate()
        .map(|(position, row)| {
            // The same list always yields the same requests, so carrying them again mints nothing.
            let digest = Blake2Hasher::hash(&(fingerprint, position as u64).encode());
            let mut key = [0; 16];
            key.copy_from_slice(&digest.as_bytes()[..16]);
            SignedMint::new(signer, genesis, row.owner.clone(), row.grant.clone(), key)
        })
        .collect();
    Answer::new(&mints, serde_json::to_string_pretty(&mints)?)
}

fn dry_run(context: &Context, source: &Source, rows: &[Row], ledger: &Ledger) -> Result<Answer> {
    source.accept(rows, ledger)?;
    let totals = ledger.totals(rows);
    let grants = preview::json(rows);
    let json = json!({ "dry_run": true, "rows": rows.len(), "sent": false, "grants": grants, "programs": totals_json(&totals) });
    let table = match source {
        Source::Plan => preview::parts(rows, |owner| context.name_of(owner)),
        Source::File(_) => preview::plans(rows, |owner| context.name_of(owner)),
    };
    let human = format!("{table}{} in order; nothing was sent.\n{}", count(rows), totals_text(&totals));
    Answer::new(json, human)
}

fn count(rows: &[Row]) -> String {
    match rows.len() {
        1 => "1 grant is".to_owned(),
        count => format!("all {count} grants are"),
    }
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
        "{} minted{before} and finalised; {} records it, and running this again mints nothing.\n{}",
        count(rows),
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
        grant_list::read(text.as_bytes(), &parse::account).unwrap()
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
