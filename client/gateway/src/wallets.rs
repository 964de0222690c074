//! All wallets that this gateway knows.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use stipend_primitives::{AccountId, ClassId, Credits};

use crate::wallet::Wallet;

/// Wallets by owner. The hot path does not come here: a key points at its wallet.
#[derive(Default)]
pub(crate) struct Wallets(Mutex<HashMap<AccountId, Arc<Wallet>>>);

impl Wallets {
    pub(crate) fn get(&self, owner: &AccountId) -> Option<Arc<Wallet>> {
        self.0.lock().get(owner).cloned()
    }

    pub(crate) fn get_or_new(&self, owner: &AccountId) -> Arc<Wallet> {
        let mut wallets = self.0.lock();
        if let Some(wallet) = wallets.get(owner) {
            return wallet.clone();
        }
        let wallet = Arc::new(Wallet::new(owner.clone()));
        wallets.insert(owner.clone(), wallet.clone());
        wallet
    }

    pub(crate) fn all(&self) -> Vec<Arc<Wallet>> {
        self.0.lock().values().cloned().collect()
    }

    /// Takes charges off that no hold covers: receipts of an earlier run.
    pub(crate) fn take(&self, owner: &AccountId, class: ClassId, cost: Credits) {
        if cost > 0 {
            self.get_or_new(owner).account_or_new(class).take_unheld(cost);
        }
    }

    /// Charges that were counted in one way are counted in another.
    pub(crate) fn take_instead(
        &self,
        before: &[(AccountId, ClassId, Credits)],
        after: &[(AccountId, ClassId, Credits)],
    ) {
        for (owner, class, cost) in before {
            self.get_or_new(owner).account_or_new(*class).give_unheld(*cost);
        }
        for (owner, class, cost) in after {
            self.take(owner, *class, *cost);
        }
    }

    /// Finalised blocks have charged this.
    pub(crate) fn count_charged(&self, charges: &[(AccountId, ClassId, Credits)]) {
        for (owner, class, cost) in charges {
            self.get_or_new(owner).account_or_new(*class).count_charged(*cost);
        }
    }
}
