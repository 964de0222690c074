//! Finding batches again, and closing their items.

use alloc::vec::Vec;
use frame_support::defensive;
use stipend_primitives::{
    attestation::GpuUse,
    ledger::{Ledger, OpenItem, Shortfall, Unsettled},
    settlement::{Item, VerdictKind},
    view::{BatchView, Settled},
    AccountId, ClassId, Credits, Sequence,
};

use crate::*;

impl<T: Config> Pallet<T> {
    /// The number that a gateway's next batch begins with.
    pub fn next_seq(gateway: &AccountId) -> Sequence {
        Gateways::<T>::get(gateway).next_seq
    }

    /// Micro-credits that a gateway let through and nobody covered.
    pub fn uncollected(gateway: &AccountId) -> Credits {
        Gateways::<T>::get(gateway).uncollected
    }

    /// Each gateway's batches with an open item.
    pub fn unsettled() -> Vec<(AccountId, u32)> {
        Gateways::<T>::iter().map(|(gateway, progress)| (gateway, progress.unsettled)).collect()
    }

    /// The batch that holds a receipt, while the chain remembers it.
    pub fn batch(gateway: &AccountId, seq: Sequence) -> Option<BatchView> {
        let (key, record) = Self::locate(gateway, seq)?;
        Some(record.into_view(gateway.clone(), key.into()))
    }

    /// The first batch that ends at `seq` or later, if it begins no later than that.
    fn locate(gateway: &AccountId, seq: Sequence) -> Option<(SequenceKey, BatchRecord)> {
        let mut batches = match seq.checked_sub(1) {
            Some(before) => {
                let before = Batches::<T>::hashed_key_for(gateway, SequenceKey::from(before));
                Batches::<T>::iter_prefix_from(gateway, before)
            }
            None => Batches::<T>::iter_prefix(gateway),
        };
        batches.next().filter(|(_, record)| record.first_seq <= seq)
    }

    fn locate_item(item: &Item) -> Option<(SequenceKey, BatchRecord)> {
        Self::locate(&item.gateway, item.first_seq).filter(|(_, record)| record.first_seq == item.first_seq)
    }

    /// Closes a batch whose items are all settled.
    fn close_batch(gateway: &AccountId, key: SequenceKey) {
        Open::<T>::remove(gateway, key);
        Owing::<T>::remove(gateway, key);
        Gateways::<T>::mutate(gateway, |progress| {
            progress.unsettled = progress.unsettled.checked_sub(1).unwrap_or_else(|| {
                defensive!("a gateway had fewer unsettled batches than were settled");
                0
            });
            if progress.remembered.saturating_sub(progress.unsettled) > HISTORY_MAX {
                Self::forget_oldest(gateway);
                progress.remembered -= 1;
            }
        });
    }

    /// Takes out what paid for one provider's part of a batch, by class.
    fn take_bases(gateway: &AccountId, key: SequenceKey, place: Option<usize>) -> Vec<(ClassId, Credits)> {
        Bases::<T>::mutate_exists(gateway, key, |rows| {
            let mut taken = Vec::new();
            // A batch of before there were any has none.
            let Some(kept) = rows else { return taken };
            kept.retain(|row| {
                let is_taken = place == Some(row.provider.into());
                if is_taken {
                    taken.push((row.class, row.collected));
                }
                !is_taken
            });
            if kept.is_empty() {
                *rows = None;
            }
            taken
        })
    }

    /// Forgets the oldest settled batch. The unsettled ones that stand before it are few.
    fn forget_oldest(gateway: &AccountId) {
        let oldest =
            Batches::<T>::iter_key_prefix(gateway).find(|key| !Open::<T>::contains_key(gateway, key));
        match oldest {
            Some(key) => Batches::<T>::remove(gateway, key),
            None => {
                defensive!("a gateway with a full history has no settled batch");
            }
        }
    }
}

impl<T: Config> Unsettled for Pallet<T> {
    fn open_item(item: &Item) -> Option<OpenItem> {
        let (key, record) = Self::locate_item(item)?;
        let mut open = record.open_items(&item.gateway, key.into());
        open.find(|open| open.item.provider == item.provider)
    }

    /// Takes one batch of each gateway in turn, so that no gateway keeps another's from being settled.
    fn open_items(limit: usize) -> Vec<OpenItem> {
        let busy = Gateways::<T>::iter().filter(|(_, progress)| progress.unsettled > 0);
        let mut queues: Vec<_> =
            busy.map(|(gateway, _)| (Open::<T>::iter_key_prefix(&gateway), gateway)).collect();
        let mut items = Vec::new();
        while items.len() < limit && !queues.is_empty() {
            queues.retain_mut(|(keys, gateway)| {
                let Some(key) = keys.next().filter(|_| items.len() < limit) else { return false };
                if let Some(record) = Batches::<T>::get(&*gateway, key) {
                    items.extend(record.open_items(gateway, key.into()));
                }
                true
            });
        }
        items.truncate(limit);
        items
    }

    fn shortfalls(item: &Item) -> Option<Vec<Shortfall>> {
        let Some((key, record)) = Self::locate_item(item) else { return Some(Vec::new()) };
        match Owing::<T>::get(&item.gateway, key) {
            None => Some(Vec::new()),
            Some(Owed::TooMany) => None,
            Some(Owed::Rows(rows)) => {
                let of_item = |row: &OwedRow| {
                    let part = record.providers.get(usize::from(row.provider));
                    part.is_some_and(|part| part.provider == item.provider)
                };
                Some(rows.into_iter().filter(of_item).map(|row| row.shortfall).collect())
            }
        }
    }

    fn close_item(item: &Item, verdict: VerdictKind, refunded: Credits, gpu: GpuUse) {
        let Some((key, mut record)) = Self::locate_item(item) else {
            defensive!("an item is settled whose batch does not exist");
            return;
        };
        let mut open = record.providers.iter_mut().filter(|part| part.settled.is_none());
        let Some(part) = open.find(|part| part.provider == item.provider) else {
            defensive!("an item is settled that is not open");
            return;
        };
        part.settled = Some(Settled { verdict, refunded, gpu, at: Self::now() });
        let place = record.providers.iter().position(|part| part.provider == item.provider);
        T::Ledger::settle_energy(&Self::take_bases(&item.gateway, key, place), gpu.energy_mj);
        let is_settled = record.is_settled();
        Batches::<T>::insert(&item.gateway, key, record);
        if is_settled {
            Self::close_batch(&item.gateway, key);
        }
    }

    #[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
    fn submit_for_test(signed: stipend_primitives::batch::SignedBatch) {
        let submitted = Self::do_submit(&signed.batch, signed.batch.hash());
        assert!(submitted.is_ok(), "the test's batch is refused: {submitted:?}");
    }
}
