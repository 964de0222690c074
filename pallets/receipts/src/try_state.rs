//! What must hold of the pallet's storage after every block.

use alloc::{collections::BTreeMap, vec::Vec};

use frame_support::ensure;
use sp_runtime::TryRuntimeError;
use stipend_primitives::{ledger::Ledger, AccountId, ClassId, Credits, Sequence};

use crate::*;

impl<T: Config> Pallet<T> {
    /// Checks the invariants of the README.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        ensure!(!Authorised::<T>::exists(), "receipts: an authorisation outlived its block");
        for (gateway, progress) in Gateways::<T>::iter() {
            Self::check_gateway(&gateway, &progress)?;
        }
        for (gateway, _) in Batches::<T>::iter_keys() {
            ensure!(Gateways::<T>::contains_key(&gateway), "receipts: a batch has no gateway");
        }
        for (gateway, key) in Open::<T>::iter_keys() {
            let record = Batches::<T>::get(gateway, key);
            ensure!(record.is_some_and(|record| !record.is_settled()), "receipts: an open batch is settled");
        }
        for (gateway, key) in Owing::<T>::iter_keys() {
            ensure!(Open::<T>::contains_key(gateway, key), "receipts: a settled batch is still owed");
        }
        Self::check_bases()
    }

    /// What paid for open items is what the ledger holds energy for.
    fn check_bases() -> Result<(), TryRuntimeError> {
        let mut unsettled = BTreeMap::<ClassId, Credits>::new();
        for (gateway, key, rows) in Bases::<T>::iter() {
            let record = Batches::<T>::get(&gateway, key).ok_or("receipts: base costs of no batch")?;
            ensure!(!rows.is_empty(), "receipts: no base costs are stored");
            let places = rows.windows(2).all(|pair| pair[0].provider <= pair[1].provider);
            ensure!(places, "receipts: base costs are not sorted by provider");
            for row in rows {
                let part = record.providers.get(usize::from(row.provider));
                let is_open = part.is_some_and(|part| part.settled.is_none());
                ensure!(is_open && row.collected > 0, "receipts: base costs of a settled item, or none");
                *unsettled.entry(row.class).or_default() += row.collected;
            }
        }
        let expected: Vec<_> = unsettled.into_iter().collect();
        ensure!(T::Ledger::unsettled() == expected, "receipts: energy is not held for what is unsettled");
        Ok(())
    }

    fn check_gateway(gateway: &AccountId, progress: &Progress) -> Result<(), TryRuntimeError> {
        let (mut remembered, mut unsettled) = (0, 0);
        let mut uncollected: Credits = 0;
        let mut next_seq = None;
        for (key, record) in Batches::<T>::iter_prefix(gateway) {
            let last_seq = Sequence::from(key);
            ensure!(next_seq.is_none_or(|next| next <= record.first_seq), "receipts: two batches overlap");
            Self::check_batch(&record, last_seq)?;
            Self::check_owed(gateway, key, &record)?;
            next_seq = Some(last_seq + 1);
            remembered += 1;
            if !record.is_settled() {
                unsettled += 1;
                ensure!(Open::<T>::contains_key(gateway, key), "receipts: an unsettled batch is not open");
            }
            uncollected += record.uncollected;
        }
        let ends_here = next_seq.is_none_or(|next| next == progress.next_seq);
        ensure!(ends_here, "receipts: the next number does not follow the last batch");
        ensure!(remembered == progress.remembered, "receipts: the count of batches is wrong");
        ensure!(unsettled == progress.unsettled, "receipts: the count of unsettled batches is wrong");
        ensure!(unsettled <= UNSETTLED_MAX, "receipts: too many batches are unsettled");
        ensure!(remembered - unsettled <= HISTORY_MAX, "receipts: the history is too long");
        ensure!(uncollected <= progress.uncollected, "receipts: batches lack more than their gateway");
        Ok(())
    }

    fn check_batch(record: &BatchRecord, last_seq: Sequence) -> Result<(), TryRuntimeError> {
        let receipts: u64 = record.providers.iter().map(|part| u64::from(part.count)).sum();
        ensure!(receipts > 0, "receipts: a batch is empty");
        let ends_at = record.first_seq.checked_add(receipts - 1);
        ensure!(ends_at == Some(last_seq), "receipts: a batch's counts do not fill its range");
        let collected: Credits = record.providers.iter().map(|part| part.collected).sum();
        let adds_up = collected.checked_add(record.uncollected) == Some(record.charged);
        ensure!(adds_up, "receipts: a batch's credits do not add up");
        for part in &record.providers {
            let refunded = part.settled.as_ref().map_or(0, |settled| settled.refunded);
            ensure!(refunded <= part.collected, "receipts: more was refunded than collected");
        }
        let sorted = record.providers.windows(2).all(|pair| pair[0].provider < pair[1].provider);
        ensure!(sorted, "receipts: a batch's providers are not sorted");
        Ok(())
    }

    fn check_owed(
        gateway: &AccountId,
        key: SequenceKey,
        record: &BatchRecord,
    ) -> Result<(), TryRuntimeError> {
        let owed = match Owing::<T>::get(gateway, key) {
            Some(Owed::TooMany) => return Ok(()),
            Some(Owed::Rows(rows)) => rows.iter().map(|row| row.shortfall.amount).sum(),
            None => 0,
        };
        let open = Open::<T>::contains_key(gateway, key);
        ensure!(!open || owed == record.uncollected, "receipts: what is owed is not what is uncollected");
        Ok(())
    }
}
