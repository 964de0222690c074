//! Sending chunks and finding out what became of them.

use anyhow::{Context as _, Result};
use stipend_sdk::{
    grant_list::{self, Row},
    PoolRefusal, Prepared, Signer, SubmitError,
};

use crate::{context::Context, progress::Progress};

use super::journal::{Entry, Journal, State};

/// Chunks on their way at a time: a thousand people in a few blocks, and little to look up after a
/// crash.
const WINDOW: usize = 8;

/// Learns what became of the chunks that an earlier run sent.
pub(super) async fn finish_sent(context: &Context, journal: &mut Journal) -> Result<()> {
    let sent: Vec<(usize, Prepared)> = journal
        .states()
        .iter()
        .enumerate()
        .filter_map(|(chunk, state)| match state {
            State::Sent(transaction) => Some((chunk, (**transaction).clone())),
            _ => None,
        })
        .collect();
    if sent.is_empty() {
        return Ok(());
    }
    let spinner = context.spinner("looking what became of an earlier run");
    let mut outcomes = Vec::new();
    for (chunk, transaction) in sent {
        outcomes.push(settle(context, journal, chunk, &transaction).await);
    }
    spinner.finish_and_clear();
    for outcome in outcomes {
        match outcome {
            // Void: it is sent anew below.
            Ok(()) | Err(Unsent::Void(_)) => {}
            Err(Unsent::Unknown(error)) => return Err(error),
        }
    }
    Ok(())
}

/// Sends every chunk that is open.
pub(super) async fn send(
    context: &Context,
    signer: &Signer,
    rows: &[Row],
    journal: &mut Journal,
    unit: &str,
) -> Result<()> {
    let open_rows = journal.open_rows(rows).len();
    let bar = context.bar(open_rows as u64, "minting");
    if let Some(failed) = send_windows(context, signer, rows, journal, &bar).await? {
        bar.abandon();
        let chunk_rows = journal.rows_of(failed.chunk, rows);
        let lines = chunk_rows.first().zip(chunk_rows.last());
        let (first, last) = lines.map_or((0, 0), |(first, last)| (first.line, last.line));
        let minted = rows.len() - journal.open_rows(rows).len();
        return Err(failed.error).with_context(|| {
            format!("{unit}s {first} to {last} were not minted; {minted} of {} grants are. Mend the cause and run the same command again: it goes on with what is open and mints nothing twice", rows.len())
        });
    }
    bar.finish_and_clear();
    Ok(())
}

/// A chunk that did not happen.
struct Failed {
    chunk: usize,
    error: anyhow::Error,
}

/// Why a chunk is not done.
enum Unsent {
    /// It will never happen.
    Void(anyhow::Error),
    /// It may have happened; the next run finds out.
    Unknown(anyhow::Error),
}

/// Sends windows until nothing is open; returns the first chunk that did not happen.
async fn send_windows(
    context: &Context,
    signer: &Signer,
    rows: &[Row],
    journal: &mut Journal,
    bar: &Progress,
) -> Result<Option<Failed>> {
    let client = context.client().await?;
    loop {
        let open: Vec<usize> = (0..journal.states().len())
            .filter(|chunk| journal.states()[*chunk] == State::Open)
            .take(WINDOW)
            .collect();
        if open.is_empty() {
            return Ok(None);
        }
        let mut first_failure = None;
        let mut sent = Vec::new();
        for chunk in open {
            let call = grant_list::call(journal.rows_of(chunk, rows))
                .context("a chunk has more grants than a call may have")?;
            let transaction = client.prepare(call, signer).await?;
            journal.record(Entry::Sent { chunk, transaction: Box::new(transaction.clone()) })?;
            match client.send(&transaction).await {
                Err(SubmitError::Refused(refusal)) if is_final(&refusal) => {
                    journal.record(Entry::Void { chunk })?;
                    first_failure = Some(Failed { chunk, error: refusal.into() });
                    break;
                }
                // Whatever else was said, the blocks will tell.
                _ => sent.push((chunk, transaction)),
            }
        }
        for (chunk, transaction) in sent {
            match settle(context, journal, chunk, &transaction).await {
                Ok(()) => bar.inc(journal.rows_of(chunk, rows).len() as u64),
                Err(Unsent::Void(error) | Unsent::Unknown(error)) => {
                    first_failure.get_or_insert(Failed { chunk, error });
                }
            }
        }
        if first_failure.is_some() {
            return Ok(first_failure);
        }
    }
}

/// Whether a refusal of a fresh transaction leaves no way for it to have got in.
fn is_final(refusal: &PoolRefusal) -> bool {
    !matches!(refusal, PoolRefusal::Stale | PoolRefusal::Banned | PoolRefusal::NonceTaken)
}

/// Waits for what becomes of a chunk's transaction, and records it.
async fn settle(
    context: &Context,
    journal: &mut Journal,
    chunk: usize,
    transaction: &Prepared,
) -> Result<(), Unsent> {
    let client = context.client().await.map_err(Unsent::Unknown)?;
    match client.outcome(transaction).await {
        Ok(done) => {
            journal.record(Entry::Done { chunk, block_number: done.block_number }).map_err(Unsent::Unknown)
        }
        Err(
            error @ (SubmitError::Failed { .. } | SubmitError::Expired { .. } | SubmitError::Replaced { .. }),
        ) => {
            journal.record(Entry::Void { chunk }).map_err(Unsent::Unknown)?;
            Err(Unsent::Void(error.into()))
        }
        Err(error) => Err(Unsent::Unknown(error.into())),
    }
}
