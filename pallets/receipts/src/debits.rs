//! What a batch can come to, before anything is read: the bound that a block makes room for.

use alloc::vec;
use stipend_primitives::batch::{Batch, CLASSES_MAX, DEBITS_MAX};

/// Debits that a batch comes to at most: pairs of wallet and line, and wallets that pay a priority fee.
///
/// Exact but for lines that charge the same class. One cheap walk over the records is worth it: by
/// the tables alone, a batch would keep twice the room in its block that it needs. Records that point
/// outside the tables count nothing; who authorises the batch refuses it for them.
pub(crate) fn debits_max(batch: &Batch) -> u32 {
    let (wallets, lines) = (batch.wallets.len(), batch.lines.len());
    let mut seen = vec![0u64; (wallets * (lines + 1)).div_ceil(64)];
    let mut debits_count = 0;
    let mut count = |at: usize| {
        let (word, bit) = (&mut seen[at / 64], 1 << (at % 64));
        debits_count += u32::from(*word & bit == 0);
        *word |= bit;
    };
    for record in batch.records() {
        let (wallet, line) = (usize::from(record.wallet), usize::from(record.line));
        if wallet >= wallets || line >= lines {
            continue;
        }
        count(wallet * (lines + 1) + line);
        if record.priority_fee > 0 {
            count(wallet * (lines + 1) + lines);
        }
    }
    debits_count.min((wallets * CLASSES_MAX) as u32).min(DEBITS_MAX)
}
