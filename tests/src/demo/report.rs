//! The tables that the demo prints.

use std::time::Duration;

use anyhow::Result;
use comfy_table::Table;
use stipend_primitives::{Credits, MICRO_CREDITS_PER_CREDIT};

use super::{books::Checks, by_digest, model_of};
use crate::{
    company::{MODEL_GENERAL, MODEL_REASONING},
    figures::table,
    observer::Observer,
    replay::Answer,
    stage::{Stage, PROVIDERS},
};

/// Prints all tables.
pub(super) async fn print(
    stage: &Stage,
    observer: &Observer,
    answers: &[Answer],
    checks: &Checks,
) -> Result<()> {
    println!("\nWallets, in credits");
    println!("{}", wallets(stage, checks));
    println!("Providers");
    println!("{}", providers(stage, observer, answers));
    println!(
        "{} receipts were understated; {} credits went back to the wallets.",
        checks.adjusted,
        credits(checks.refunds)
    );
    println!("\nTime from a request's last byte");
    println!("{}", times(observer, answers));
    Ok(())
}

fn wallets(stage: &Stage, checks: &Checks) -> Table {
    let mut table = table(&["employee", "class", "granted", "reserved", "spent", "available"]);
    for (employee, wallet) in stage.company.employees.iter().zip(&checks.wallets) {
        for row in wallet {
            table.add_row([
                employee.name.to_string(),
                String::from_utf8_lossy(&row.name).into_owned(),
                credits(row.amounts.granted),
                credits(row.amounts.reserved),
                credits(row.amounts.spent),
                credits(row.amounts.available),
            ]);
        }
    }
    table
}

fn providers(stage: &Stage, observer: &Observer, answers: &[Answer]) -> Table {
    let mut table = table(&[
        "provider",
        "receipts",
        "input tokens",
        "output tokens",
        "match",
        "adjust",
        "unattested",
        "refunded credits",
    ]);
    for (at, model) in [MODEL_GENERAL, MODEL_REASONING].into_iter().enumerate() {
        let served: Vec<&Answer> = answers.iter().filter(|answer| model_of(answer.index) == model).collect();
        let (kinds, refunded, receipts) =
            observer.with(|seen| seen.of_provider(&stage.company.providers[at].account()));
        let kind = |name| kinds.get(name).copied().unwrap_or(0).to_string();
        table.add_row([
            PROVIDERS[at].to_string(),
            receipts.to_string(),
            served.iter().map(|a| u64::from(a.usage.input)).sum::<u64>().to_string(),
            served.iter().map(|a| u64::from(a.usage.output)).sum::<u64>().to_string(),
            kind("match"),
            kind("adjust"),
            kind("unattested"),
            credits(refunded),
        ]);
    }
    table
}

fn times(observer: &Observer, answers: &[Answer]) -> Table {
    let known = by_digest(answers);
    let (finality, settlement) = observer.with(|seen| {
        let since = |digest, seen_at: std::time::Instant| {
            known.get(digest).map(|answer| seen_at.saturating_duration_since(answer.done_at))
        };
        let finality: Vec<Duration> =
            seen.finalised.iter().filter_map(|(digest, (_, at))| since(digest, *at)).collect();
        let settlement: Vec<Duration> =
            seen.settled.iter().filter_map(|(digest, at)| since(digest, *at)).collect();
        (finality, settlement)
    });
    let answer: Vec<Duration> = answers.iter().map(|a| a.done_at - a.sent_at).collect();
    let mut table = table(&["until", "p50", "p99"]);
    for (name, durations) in
        [("answered (from its first byte)", answer), ("final", finality), ("settled", settlement)]
    {
        let at = |fraction| format!("{:.2} s", percentile(&durations, fraction).as_secs_f64());
        table.add_row([name.to_string(), at(0.50), at(0.99)]);
    }
    table
}

/// The smallest duration that `fraction` of all do not exceed.
pub fn percentile(durations: &[Duration], fraction: f64) -> Duration {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    let rank = (fraction * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

/// An amount as people read it.
fn credits(amount: Credits) -> String {
    format!("{}.{:06}", amount / MICRO_CREDITS_PER_CREDIT, amount % MICRO_CREDITS_PER_CREDIT)
}
