//! Judging something, once: who earns what for it.

use std::collections::BTreeMap;

use rusqlite::{params, Connection, OptionalExtension};
use stipend_primitives::{AccountId, Moment};

use super::{
    receipts::{bytes, known, Known},
    Answer, Store, StoreError,
};
use crate::{
    outcome::{Evidence, Outcome, ReceiptId},
    report::{Report, Reports},
};

/// Something that was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Award {
    /// What it is, such as `merge:github:acme/app#12`. It is judged once.
    pub subject: String,
    /// The outcome's kind.
    pub kind: String,
    /// The weight earned, or why none is.
    pub weight: Result<u32, String>,
    /// What the compute was for, if that is known.
    pub purpose: Option<String>,
    /// The receipts that are said to have led to it.
    pub receipts: Vec<ReceiptId>,
    /// What was judged and how. Wallet, weight and receipts are added to it.
    pub report: Report,
}

/// What something earned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awarded {
    /// What it is.
    pub subject: String,
    /// Whether it was judged only now.
    pub is_new: bool,
    /// One outcome for each wallet.
    pub outcomes: Vec<Outcome>,
    /// Why there is none.
    pub nothing: Option<String>,
    /// The report: of the first outcome, or of why there is none.
    pub report: Evidence,
}

/// The receipts of an award, as far as they count.
#[derive(Default)]
struct Sorted {
    by_wallet: BTreeMap<AccountId, Vec<Known>>,
    unknown: Vec<ReceiptId>,
    claimed: Vec<ReceiptId>,
}

impl Store {
    /// Judges something, unless it was judged before: then what it earned then is answered.
    pub fn award(&mut self, award: &Award, now: Moment) -> Answer<Awarded> {
        self.transaction(|connection, reports| give(connection, reports, award, now))
    }

    /// What something earned, if it was judged.
    pub fn awarded(&self, subject: &str) -> Answer<Option<Awarded>> {
        before(&self.connection, subject)
    }
}

/// Judges within a transaction. The reports are on the disk before it commits; those of one that does not are
/// files that nothing names.
pub(super) fn give(
    connection: &Connection,
    reports: &Reports,
    award: &Award,
    now: Moment,
) -> Answer<Awarded> {
    if let Some(before) = before(connection, &award.subject)? {
        return Ok(before);
    }
    let sorted = sort(connection, award)?;
    let wallets = sorted.by_wallet.len() as u32;
    let share = award.weight.clone().and_then(|weight| match weight.checked_div(wallets) {
        None => Err(format!(
            "no receipt that it names counts: {} are not known here, {} were counted before",
            sorted.unknown.len(),
            sorted.claimed.len()
        )),
        Some(0) => Err(format!("a weight of {weight} cannot be divided among {wallets} wallets")),
        Some(share) => Ok(share),
    });
    let mut outcomes = Vec::new();
    let mut first = None;
    if let Ok(share) = share {
        for (wallet, receipts) in &sorted.by_wallet {
            let report = report(award, &sorted, wallet, receipts, share);
            let evidence = reports.keep(&report)?;
            first = first.or(Some(evidence));
            outcomes.push(Outcome {
                kind: award.kind.clone(),
                wallet: wallet.clone(),
                weight: share,
                evidence,
                receipts: receipts.iter().map(|receipt| receipt.id.key()).collect(),
                purpose: award.purpose.clone(),
            });
        }
    }
    let nothing = share.err();
    let report = match first {
        Some(evidence) => evidence,
        None => {
            let mut report = award.report.clone();
            report.section("Award");
            report.fact("none", nothing.as_deref().unwrap_or_default());
            left_out(&mut report, &sorted);
            reports.keep(&report)?
        }
    };
    connection.execute(
        "INSERT INTO subjects VALUES (?1, ?2, ?3, ?4)",
        params![award.subject, now as i64, nothing, report.0],
    )?;
    for outcome in &outcomes {
        insert(connection, &award.subject, outcome)?;
    }
    Ok(Awarded { subject: award.subject.clone(), is_new: true, outcomes, nothing, report })
}

fn sort(connection: &Connection, award: &Award) -> Answer<Sorted> {
    let mut sorted = Sorted::default();
    let mut ids = award.receipts.clone();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let claimed: bool = connection
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM claims WHERE kind = ?1 AND receipt = ?2)")?
            .query_row(params![award.kind, id.0], |row| row.get(0))?;
        match known(connection, &id)? {
            _ if claimed => sorted.claimed.push(id),
            None => sorted.unknown.push(id),
            Some(known) => sorted.by_wallet.entry(known.wallet.clone()).or_default().push(known),
        }
    }
    Ok(sorted)
}

fn report(award: &Award, sorted: &Sorted, wallet: &AccountId, receipts: &[Known], share: u32) -> Report {
    let mut report = award.report.clone();
    report.section("Award");
    report.fact("subject", &award.subject);
    report.fact("kind", &award.kind);
    report.fact("purpose", award.purpose.as_deref().unwrap_or("not said"));
    report.fact("weight in all", award.weight.as_ref().copied().unwrap_or_default());
    report.fact("wallets that share it", sorted.by_wallet.len());
    report.fact("wallet", wallet);
    report.fact("weight of this wallet", share);
    report.section("Compute that led to it, by the receipts of its gateways");
    for receipt in receipts {
        report.fact(&receipt.id.to_string(), receipt.describe());
    }
    report.fact("micro-credits in all", receipts.iter().map(Known::cost).sum::<u128>());
    left_out(&mut report, sorted);
    report
}

fn left_out(report: &mut Report, sorted: &Sorted) {
    for id in &sorted.unknown {
        report.fact(&id.to_string(), "not counted: nobody handed this receipt in");
    }
    for id in &sorted.claimed {
        report.fact(&id.to_string(), "not counted: it was counted for something else before");
    }
}

fn insert(connection: &Connection, subject: &str, outcome: &Outcome) -> Answer<()> {
    let receipts: Vec<String> = outcome.receipts.iter().map(hex::encode).collect();
    connection.execute(
        "INSERT INTO outcomes VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL)",
        params![
            outcome.evidence.0,
            subject,
            outcome.kind,
            bytes(&outcome.wallet),
            outcome.weight,
            outcome.purpose,
            receipts.join(",")
        ],
    )?;
    for key in &outcome.receipts {
        let claim = params![outcome.kind, &key[..16], outcome.evidence.0];
        connection.execute("INSERT INTO claims VALUES (?1, ?2, ?3)", claim)?;
    }
    super::outbox::push(connection, "record", &outcome.evidence)
}

fn before(connection: &Connection, subject: &str) -> Answer<Option<Awarded>> {
    let found = connection
        .query_row("SELECT why, report FROM subjects WHERE subject = ?1", [subject], |row| {
            Ok((row.get(0)?, Evidence(row.get(1)?)))
        })
        .optional()?;
    let Some((nothing, report)) = found else { return Ok(None) };
    let sql = "SELECT evidence FROM outcomes WHERE subject = ?1 ORDER BY wallet";
    let mut statement = connection.prepare_cached(sql)?;
    let evidence: Vec<[u8; 32]> =
        statement.query_map([subject], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let outcomes = evidence.into_iter().map(|it| outcome(connection, Evidence(it))).collect::<Answer<_>>()?;
    Ok(Some(Awarded { subject: subject.to_owned(), is_new: false, outcomes, nothing, report }))
}

/// An outcome by its evidence.
pub(super) fn outcome(connection: &Connection, evidence: Evidence) -> Answer<Outcome> {
    let sql = "SELECT kind, wallet, weight, purpose, receipts FROM outcomes WHERE evidence = ?1";
    let (kind, wallet, weight, purpose, receipts): (_, _, _, _, String) =
        connection.prepare_cached(sql)?.query_row([evidence.0], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })?;
    let key = |text: &str| {
        let mut key = [0; 32];
        hex::decode_to_slice(text, &mut key).map(|()| key)
    };
    let receipts = receipts.split(',').map(key).collect::<Result<_, _>>();
    let receipts =
        receipts.map_err(|_| StoreError::Damaged(format!("receipts of the outcome {evidence}")))?;
    Ok(Outcome { kind, wallet: AccountId::new(wallet), weight, evidence, receipts, purpose })
}
