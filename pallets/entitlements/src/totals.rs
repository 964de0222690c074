//! Sums over all wallets, for those who watch the chain.

use alloc::{collections::BTreeMap, vec::Vec};

use frame_support::traits::Time;
use stipend_primitives::{AccountId, ClassId, Credits};

use crate::{Config, Pallet, Wallets};

/// Wallets in one page at most: some 20 ms of a node's time.
const TOTALS_PAGE_MAX: u32 = 2_048;

/// Available and reserved micro-credits per class, and the wallet to go on after, if there are more.
type Totals = (Vec<(ClassId, Credits, Credits)>, Option<(AccountId, ClassId)>);

impl<T: Config> Pallet<T> {
    /// Up to `limit` wallets in storage order, after `after`, summed by class as of now.
    pub fn wallet_totals(after: Option<(AccountId, ClassId)>, limit: u32) -> Totals {
        let now = T::Time::now();
        let limit = limit.clamp(1, TOTALS_PAGE_MAX) as usize;
        let wallets = match after {
            Some((owner, class)) => Wallets::<T>::iter_from(Wallets::<T>::hashed_key_for(owner, class)),
            None => Wallets::<T>::iter(),
        };
        let mut totals: BTreeMap<ClassId, (Credits, Credits)> = BTreeMap::new();
        let (mut count, mut last) = (0, None);
        for (owner, class, mut wallet) in wallets.take(limit) {
            wallet.advance(now);
            let amounts = wallet.amounts();
            let (available, reserved) = totals.entry(class).or_default();
            *available = available.saturating_add(amounts.available);
            *reserved = reserved.saturating_add(amounts.reserved);
            count += 1;
            last = Some((owner, class));
        }
        let rows = totals.into_iter().map(|(class, (available, reserved))| (class, available, reserved));
        (rows.collect(), last.filter(|_| count == limit))
    }
}
