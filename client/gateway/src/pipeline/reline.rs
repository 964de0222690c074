//! A batch whose price book is retired.
//!
//! The chain charges a book for some minutes after its successor took effect. A gateway that was down
//! or cut off for longer may hold receipts of a book that nobody can charge any more. Without a way
//! out the sequence would stand still for ever, so those receipts are charged by the book in force.

use std::collections::{BTreeMap, HashMap};

use sp_core::bounded::BoundedVec;
use stipend_primitives::{
    batch::{Batch, Line, Record, SignedBatch},
    cost::PriceBook,
    AccountId, ClassId, Credits,
};

use super::compose::{ClosedBatch, Pen};

/// The same receipts charged by `book`; `None` if the book lacks one of the models.
pub(crate) fn reline(closed: &ClosedBatch, book: &PriceBook, pen: &Pen) -> Option<ClosedBatch> {
    let old = &closed.signed.batch;
    let mut lines: Vec<Line> = Vec::with_capacity(old.lines.len());
    let mut moved: Vec<u16> = Vec::with_capacity(old.lines.len());
    let mut at: HashMap<Line, u16> = HashMap::new();
    for line in &old.lines {
        book.entry(line.model)?;
        let line = Line { book: book.version, ..line.clone() };
        let index = *at.entry(line.clone()).or_insert_with(|| {
            lines.push(line);
            (lines.len() - 1) as u16
        });
        moved.push(index);
    }
    let mut records = Vec::with_capacity(old.records.len());
    let mut charges: BTreeMap<(AccountId, ClassId), Credits> = BTreeMap::new();
    for record in old.records() {
        let line = *moved.get(usize::from(record.line))?;
        let entry = book.entry(lines[usize::from(line)].model)?;
        let wallet = old.wallets.get(usize::from(record.wallet))?;
        let fee = (ClassId::PRIORITY, Credits::from(record.priority_fee));
        for (class, amount) in [(entry.class, entry.cost(&record.usage)), fee] {
            if amount > 0 {
                let sum = charges.entry((wallet.clone(), class)).or_default();
                *sum = sum.saturating_add(amount);
            }
        }
        records.extend_from_slice(&Record { line, ..record }.to_bytes());
    }
    let batch = Batch {
        gateway: old.gateway.clone(),
        first_seq: old.first_seq,
        wallets: old.wallets.clone(),
        lines: BoundedVec::truncate_from(lines),
        records: BoundedVec::truncate_from(records),
    };
    let signature = pen.signer.sign(&batch.signing_payload(&pen.genesis));
    Some(ClosedBatch {
        first_seq: closed.first_seq,
        last_seq: closed.last_seq,
        hash: batch.hash(),
        signed: SignedBatch { batch, signature },
        charges: charges.into_iter().map(|((owner, class), sum)| (owner, class, sum)).collect(),
        claims: closed.claims.clone(),
    })
}
