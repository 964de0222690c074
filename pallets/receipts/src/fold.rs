//! The hot path: one walk over a batch's records that prices, sums and commits to all of them.
//!
//! Nothing is read, written or allocated per receipt. Sums stand in one dense table, a row per
//! wallet and a column per class; leaves are written where they are hashed.

use alloc::{vec, vec::Vec};
use sp_core::H256;
use stipend_primitives::{
    batch::{Batch, Malformed},
    leaf::{write_receipt_leaf, UsageLeaf, RECEIPT_LEAF_LEN, USAGE_LEAF_LEN},
    merkle::RootBuilder,
    Credits,
};

use crate::{
    lines::{Lines, PRIORITY_SLOT},
    Refusal,
};

/// What one provider served, as the gateway counts it.
pub(crate) struct Part {
    pub(crate) count: u32,
    pub(crate) input: u64,
    pub(crate) cached_input: u64,
    pub(crate) output: u64,
    /// Micro-credits charged by price, all classes together.
    pub(crate) charged: Credits,
    root: RootBuilder,
}

impl Part {
    fn new() -> Self {
        Part {
            count: 0,
            input: 0,
            cached_input: 0,
            output: 0,
            charged: 0,
            root: RootBuilder::new(USAGE_LEAF_LEN),
        }
    }

    pub(crate) fn root(self) -> H256 {
        self.root.finish()
    }
}

/// A batch in sums.
pub(crate) struct Fold {
    /// Micro-credits per wallet (rows) and class (columns of [`Lines::classes`]).
    pub(crate) sums: Vec<Credits>,
    /// Base costs per provider of [`Lines::providers`] (rows) and class (columns of [`Lines::classes`]).
    pub(crate) bases: Vec<Credits>,
    /// One per provider of [`Lines::providers`].
    pub(crate) parts: Vec<Part>,
    /// Root over the batch's receipts.
    pub(crate) receipts_root: H256,
}

/// Folds a batch.
///
/// No sum overflows: a cost is below 2^98 and there are fewer than 2^17 receipts.
pub(crate) fn fold(batch: &Batch, lines: &Lines) -> Result<Fold, Refusal> {
    let columns = lines.classes.len();
    let mut sums: Vec<Credits> = vec![0; batch.wallets.len() * columns];
    let mut bases: Vec<Credits> = vec![0; lines.providers.len() * columns];
    let mut parts: Vec<Part> = lines.providers.iter().map(|_| Part::new()).collect();
    let mut receipts = RootBuilder::new(RECEIPT_LEAF_LEN);

    for (seq, record) in (batch.first_seq..).zip(batch.records()) {
        let priced = lines.priced.get(usize::from(record.line)).ok_or(Malformed::UnknownLine)?;
        let wallet = batch.wallets.get(usize::from(record.wallet)).ok_or(Malformed::UnknownWallet)?;
        let line = priced.line;

        let cost = priced.coefficients.cost(&record.usage);
        let row = usize::from(record.wallet) * columns;
        sums[row + priced.slot] += cost;
        bases[priced.provider * columns + priced.slot] += cost;
        if record.priority_fee > 0 {
            sums[row + PRIORITY_SLOT] += Credits::from(record.priority_fee);
        }

        let part = &mut parts[priced.provider];
        part.count += 1;
        part.input += u64::from(record.usage.input);
        part.cached_input += u64::from(record.usage.cached_input);
        part.output += u64::from(record.usage.output);
        part.charged += cost + Credits::from(record.priority_fee);

        let leaf = UsageLeaf { seq, model: line.model, usage: record.usage, digest: record.digest };
        let leaf = leaf.to_bytes();
        part.root.push_with(|bytes| *bytes = leaf);
        receipts.push_with(|bytes| {
            write_receipt_leaf(bytes, &leaf, wallet, &line.provider, line.book, record.priority_fee)
        });
    }
    Ok(Fold { sums, bases, parts, receipts_root: receipts.finish() })
}
