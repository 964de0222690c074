//! A batch's lines with their prices at hand.

use alloc::{vec, vec::Vec};
use stipend_primitives::{
    batch::{Batch, Line, Malformed, CLASSES_MAX, DEBITS_MAX},
    cost::Coefficients,
    ledger::Prices,
    AccountId, ClassId,
};

use crate::Refusal;

/// Column of the class that priority fees are paid in, in a [`Lines`]' table of sums.
pub(crate) const PRIORITY_SLOT: usize = 0;

/// A line made ready for the fold.
pub(crate) struct PricedLine<'a> {
    pub(crate) line: &'a Line,
    pub(crate) coefficients: Coefficients,
    /// Column of the class that pays the base cost.
    pub(crate) slot: usize,
    /// Index into [`Lines::providers`].
    pub(crate) provider: usize,
}

/// The lines of one batch, each price read once.
pub(crate) struct Lines<'a> {
    /// In the order of the batch.
    pub(crate) priced: Vec<PricedLine<'a>>,
    /// The classes that the batch can charge: the columns of a table of sums.
    pub(crate) classes: Vec<ClassId>,
    /// The providers, sorted.
    pub(crate) providers: Vec<AccountId>,
}

impl<'a> Lines<'a> {
    /// Looks up what each line costs in this block.
    pub(crate) fn of<P: Prices>(batch: &'a Batch) -> Result<Self, Refusal> {
        let providers = batch.providers();
        let mut classes = vec![ClassId::PRIORITY];
        let mut priced = Vec::with_capacity(batch.lines.len());
        for line in &batch.lines {
            let entry = P::chargeable(line.book, line.model)?;
            let slot = classes.iter().position(|class| *class == entry.class).unwrap_or_else(|| {
                classes.push(entry.class);
                classes.len() - 1
            });
            let provider = providers.partition_point(|provider| *provider < line.provider);
            priced.push(PricedLine { line, coefficients: entry.coefficients(), slot, provider });
        }
        if classes.len() > CLASSES_MAX {
            return Err(Refusal::TooManyClasses);
        }
        Ok(Lines { priced, classes, providers })
    }

    /// Checks where the batch's records point to, and that it debits no more than a batch may: with
    /// this, the head's check and the prices, nothing about an authorised batch can fail in its block.
    pub(crate) fn check_records(&self, batch: &Batch) -> Result<(), Refusal> {
        let columns = self.classes.len();
        let mut debited = vec![false; batch.wallets.len() * columns];
        let mut debits_count = 0;
        for record in batch.records() {
            let line = self.priced.get(usize::from(record.line)).ok_or(Malformed::UnknownLine)?;
            let row = usize::from(record.wallet) * columns;
            let row = debited.get_mut(row..row + columns).ok_or(Malformed::UnknownWallet)?;
            debits_count += u32::from(!core::mem::replace(&mut row[line.slot], true));
            if record.priority_fee > 0 {
                debits_count += u32::from(!core::mem::replace(&mut row[PRIORITY_SLOT], true));
            }
        }
        if debits_count > DEBITS_MAX {
            return Err(Refusal::TooManyDebits);
        }
        Ok(())
    }
}
