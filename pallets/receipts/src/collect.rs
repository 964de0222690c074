//! Charging the wallets, and saying whose receipts a wallet's shortfall falls on.

use alloc::{collections::BTreeMap, vec, vec::Vec};
use frame_support::{defensive, traits::DefensiveSaturating};
use stipend_primitives::{
    batch::Batch,
    ledger::{Ledger, Shortfall, SHORTFALLS_MAX},
    Credits,
};

use crate::lines::{Lines, PRIORITY_SLOT};

/// Charges every sum to its wallet, once, and leaves in `sums` what was not collected.
///
/// Returns the total of that.
pub(crate) fn charge_all<L: Ledger>(
    charges: &mut L::Charges,
    batch: &Batch,
    lines: &Lines,
    sums: &mut [Credits],
) -> Credits {
    let mut uncollected: Credits = 0;
    for (wallet, row) in batch.wallets.iter().zip(sums.chunks_exact_mut(lines.classes.len())) {
        for (class, sum) in lines.classes.iter().zip(row) {
            if *sum == 0 {
                continue;
            }
            let collected = L::charge(charges, &batch.gateway, wallet, *class, *sum);
            *sum = sum.checked_sub(collected).unwrap_or_else(|| {
                defensive!("the ledger collected more than it was asked to");
                0
            });
            uncollected += *sum;
        }
    }
    uncollected
}

/// Where the shortfalls of one batch fall.
pub(crate) struct Attribution {
    /// Micro-credits per provider of [`Lines::providers`].
    pub(crate) per_provider: Vec<Credits>,
    /// Who owes them, each with the index of the provider; one more than [`SHORTFALLS_MAX`] if there
    /// are more than can be kept.
    pub(crate) rows: Vec<(usize, Shortfall)>,
}

/// Attributes shortfalls to receipts: a wallet covers its receipts in the order of their sequence, so
/// what is missing is missing for the last ones. Walks the records from the end, and no further than to
/// where everything is attributed. Takes what is missing of base costs off `bases` too.
pub(crate) fn attribute(
    batch: &Batch,
    lines: &Lines,
    shortfalls: &mut [Credits],
    bases: &mut [Credits],
    total: Credits,
) -> Attribution {
    let columns = lines.classes.len();
    let mut per_provider = vec![0; lines.providers.len()];
    let mut rows = BTreeMap::new();
    let mut left = total;
    for record in batch.records().rev() {
        if left == 0 {
            break;
        }
        let Some(priced) = lines.priced.get(usize::from(record.line)) else { continue };
        let row = usize::from(record.wallet) * columns;
        let base = &mut bases[priced.provider * columns + priced.slot];
        let charges = [
            (row + priced.slot, priced.coefficients.cost(&record.usage), true),
            (row + PRIORITY_SLOT, record.priority_fee.into(), false),
        ];
        for (at, charge, is_base) in charges {
            let missing = charge.min(shortfalls[at]);
            if missing == 0 {
                continue;
            }
            shortfalls[at] -= missing;
            left -= missing;
            per_provider[priced.provider] += missing;
            if is_base {
                base.defensive_saturating_reduce(missing);
            }
            let key = (priced.provider, at);
            if rows.len() <= SHORTFALLS_MAX as usize || rows.contains_key(&key) {
                *rows.entry(key).or_default() += missing;
            }
        }
    }
    if left > 0 {
        defensive!("a shortfall is larger than the charges it comes from");
    }
    let rows = rows.into_iter().map(|((provider, at), amount)| {
        let owner = batch.wallets[at / columns].clone();
        (provider, Shortfall { owner, class: lines.classes[at % columns], amount })
    });
    Attribution { per_provider, rows: rows.collect() }
}
