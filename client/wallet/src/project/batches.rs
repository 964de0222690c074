//! Receipts.

use std::collections::{btree_map::Entry, BTreeMap};

use stipend_primitives::{
    batch::{Batch, Record},
    cost::PriceEntry,
    BookVersion, ClassId, Credits, ModelId, Sequence,
};

use super::{apply::Work, days::Key, ProjectError};
use crate::{
    db::{Row, Target, Value},
    read::prices,
};

/// Receipts on their way at a time: some megabytes.
const ROWS: usize = 5_000;

const RECEIPTS: Target = Target {
    table: "receipts",
    columns: &[
        "gateway",
        "seq",
        "wallet",
        "provider",
        "book",
        "model",
        "class",
        "input",
        "cached",
        "output",
        "cost",
        "fee",
        "uncollected",
        "uncollected_fee",
        "digest",
        "block",
        "moment",
        "first_seq",
        "cost_before",
    ],
    // No receipt comes twice.
    keys: 0,
};

/// One provider's part of a batch.
#[derive(Default)]
struct Part {
    receipts: u64,
    cost: Credits,
}

/// A receipt on its way into the table.
struct Receipt {
    seq: Sequence,
    record: Record,
    wallet: i64,
    provider: i64,
    book: BookVersion,
    model: ModelId,
    class: ClassId,
    cost: Credits,
    cost_before: Credits,
    uncollected: Credits,
    uncollected_fee: Credits,
}

/// A batch that is priced and not written yet.
pub(super) struct Priced {
    gateway: i64,
    first_seq: Sequence,
    last_seq: Sequence,
    receipts: Vec<Receipt>,
    parts: BTreeMap<i64, Part>,
}

/// Prices a batch and adds up what it charges.
pub(super) fn price(work: &mut Work, batch: &Batch) -> Result<Priced, ProjectError> {
    let gateway = work.account(&batch.gateway)?;
    let mut entries: BTreeMap<(BookVersion, ModelId), PriceEntry> = BTreeMap::new();
    let (mut lines, mut wallets) = (Vec::new(), Vec::new());
    for line in &batch.lines {
        if let Entry::Vacant(vacant) = entries.entry((line.book, line.model)) {
            let found = prices::entry(work.connection, line.book, line.model)?;
            let missing = || work.misfit(format!("price book {} has no model {}", line.book, line.model.0));
            vacant.insert(found.ok_or_else(missing)?);
        }
        lines.push(work.account(&line.provider)?);
    }
    for wallet in &batch.wallets {
        wallets.push(work.account(wallet)?);
    }
    let mut parts: BTreeMap<i64, Part> = BTreeMap::new();
    let mut receipts = Vec::with_capacity(batch.receipts_count() as usize);
    for (seq, record) in (batch.first_seq..).zip(batch.records()) {
        let (line, wallet) = (usize::from(record.line), usize::from(record.wallet));
        let (Some(provider), Some(wallet)) = (lines.get(line), wallets.get(wallet)) else { continue };
        let (provider, wallet, line) = (*provider, *wallet, &batch.lines[line]);
        let Some(entry) = entries.get(&(line.book, line.model)) else { continue };
        let cost = entry.cost(&record.usage);
        let fee = Credits::from(record.priority_fee);
        let part = parts.entry(provider).or_default();
        receipts.push(Receipt {
            seq,
            record,
            wallet,
            provider,
            book: line.book,
            model: line.model,
            class: entry.class,
            cost,
            cost_before: part.cost,
            uncollected: 0,
            uncollected_fee: 0,
        });
        part.receipts += 1;
        part.cost += cost;
        *work.charged.entry((wallet, entry.class)).or_default() += cost;
        if fee > 0 {
            *work.charged.entry((wallet, ClassId::PRIORITY)).or_default() += fee;
        }
        let key = Key { wallet, day: work.day(), class: entry.class, model: line.model, provider };
        work.days.add_receipt(key, &record.usage, cost, fee);
    }
    work.receipts += receipts.len() as u64;
    Ok(Priced { gateway, first_seq: batch.first_seq, last_seq: batch.last_seq(), receipts, parts })
}

/// Says whose receipts nobody covered: a wallet covers its receipts in the order of their numbers, so what
/// is missing is missing for the last ones.
pub(super) fn attribute(batches: &mut [Priced], lost: &mut BTreeMap<(i64, ClassId), Credits>) {
    for receipt in batches.iter_mut().rev().flat_map(|batch| batch.receipts.iter_mut().rev()) {
        for (class, charge, missing) in [
            (receipt.class, receipt.cost, &mut receipt.uncollected),
            (ClassId::PRIORITY, receipt.record.priority_fee.into(), &mut receipt.uncollected_fee),
        ] {
            let Some(left) = lost.get_mut(&(receipt.wallet, class)) else { continue };
            *missing = charge.min(*left);
            *left -= *missing;
        }
    }
}

/// Writes the receipts of a batch, and what is to be settled of it.
pub(super) fn write(work: &mut Work, batch: Priced) -> Result<(), ProjectError> {
    for receipts in batch.receipts.chunks(ROWS) {
        let rows: Vec<_> = receipts.iter().map(|receipt| row(work, &batch, receipt)).collect();
        work.connection.put(&RECEIPTS, &rows)?;
    }
    for (provider, part) in &batch.parts {
        work.connection.execute(
            "INSERT INTO items (gateway, first_seq, provider, last_seq, receipts, cost, block)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            &[
                batch.gateway.into(),
                batch.first_seq.into(),
                (*provider).into(),
                batch.last_seq.into(),
                part.receipts.into(),
                part.cost.into(),
                work.block.at.number.into(),
            ],
        )?;
    }
    Ok(())
}

fn row(work: &Work, batch: &Priced, receipt: &Receipt) -> Vec<Value> {
    let usage = receipt.record.usage;
    vec![
        batch.gateway.into(),
        receipt.seq.into(),
        receipt.wallet.into(),
        receipt.provider.into(),
        receipt.book.into(),
        receipt.model.0.into(),
        receipt.class.0.into(),
        usage.input.into(),
        usage.cached_input.into(),
        usage.output.into(),
        receipt.cost.into(),
        receipt.record.priority_fee.into(),
        receipt.uncollected.into(),
        receipt.uncollected_fee.into(),
        Value::Bytes(receipt.record.digest.to_vec()),
        work.block.at.number.into(),
        work.block.moment.into(),
        batch.first_seq.into(),
        receipt.cost_before.into(),
    ]
}

/// Base cost, cost before it and day of each receipt of an item, for sharing out what the item took.
pub(super) fn of_item(
    work: &mut Work,
    gateway: i64,
    (first_seq, last_seq): (Sequence, Sequence),
    provider: i64,
) -> Result<Vec<Row>, ProjectError> {
    Ok(work.connection.query(
        "SELECT wallet, moment, class, model, cost, cost_before FROM receipts
         WHERE gateway = ?1 AND seq >= ?2 AND seq <= ?3 AND provider = ?4 ORDER BY seq",
        &[gateway.into(), first_seq.into(), last_seq.into(), provider.into()],
    )?)
}
