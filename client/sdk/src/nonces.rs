//! Numbers of transactions, so that one signer's calls never get in each other's way.

use std::{collections::HashMap, sync::Arc, time::Duration};

use stipend_primitives::AccountId;
use tokio::{sync::Mutex, time::Instant};

/// How long a pool may take to count a transaction in its account's next nonce.
const MEMORY: Duration = Duration::from_secs(10);

/// The last nonce that each account used here, one lock per account.
#[derive(Default)]
pub(crate) struct Nonces(std::sync::Mutex<HashMap<AccountId, Arc<Mutex<LastUsed>>>>);

/// The last nonce that one account used here.
#[derive(Default)]
pub(crate) struct LastUsed(Option<(u32, Instant)>);

impl Nonces {
    /// The account's turn: whoever holds the lock may choose a nonce.
    pub(crate) fn of(&self, account: &AccountId) -> Arc<Mutex<LastUsed>> {
        let mut accounts = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        accounts.entry(account.clone()).or_default().clone()
    }
}

impl LastUsed {
    /// The nonce to use now, if the node says that `next` comes next: the node may not have counted
    /// what was sent a moment ago.
    pub(crate) fn after(&self, next: u32, now: Instant) -> u32 {
        match self.0 {
            Some((nonce, at)) if now.saturating_duration_since(at) < MEMORY => {
                next.max(nonce.saturating_add(1))
            }
            _ => next,
        }
    }

    /// Notes a nonce that was used.
    pub(crate) fn set(&mut self, nonce: u32) {
        self.0 = Some((nonce, Instant::now()));
    }

    /// Forgets: the transaction did not get in, so the node knows best.
    pub(crate) fn forget(&mut self) {
        self.0 = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_account_has_one_turn() {
        let nonces = Nonces::default();
        let account = AccountId::new([1; 32]);
        let first = nonces.of(&account);
        let _held = first.lock().await;
        assert!(nonces.of(&account).try_lock().is_err());
        assert!(nonces.of(&AccountId::new([2; 32])).try_lock().is_ok());
    }

    #[test]
    fn a_node_that_lags_never_makes_a_nonce_repeat() {
        let (mut last, now) = (LastUsed::default(), Instant::now());
        assert_eq!(last.after(7, now), 7);
        last.set(7);
        assert_eq!(last.after(7, now), 8);
        assert_eq!(last.after(9, now), 9);
        assert_eq!(last.after(7, Instant::now() + MEMORY), 7);
        last.forget();
        assert_eq!(last.after(7, now), 7);
    }
}
