//! Sharing a wallet's last credits with other gateways.
//!
//! What one gateway has reserved no other can spend. While a wallet has credits that nobody reserved, that costs nothing:
//! whoever needs some reserves them. Once all are reserved, each gateway lets go what it does not need, so that a request
//! at another one finds it: all but twice what was held at a time lately, and all of what is too little for every request
//! that waits here. No message passes between gateways; the chain shows each what the others hold.

use std::{collections::HashSet, sync::Arc};

use stipend_primitives::AccountId;

use super::Follower;
use crate::{chain::Chain, credits::Micro, wallet::Account};

impl<C: Chain> Follower<C> {
    /// Whether requests wait for credits of an owner.
    pub(super) fn is_short(&self, owner: &AccountId) -> bool {
        let wallet = self.state.wallets.get(owner);
        wallet.is_some_and(|wallet| wallet.accounts().iter().any(|account| account.is_short()))
    }

    /// An account that cannot be topped up now: looked at again with every block while somebody waits for it.
    pub(super) fn set_aside(&mut self, account: Arc<Account>) {
        let wanted = account.take_wanted();
        if account.is_short() && self.short.iter().all(|other| !Arc::ptr_eq(other, &account)) {
            // It stays wanted, but out of the queue: a request that comes puts it there again.
            account.keep_wanted(wanted);
            self.short.push(account);
        }
    }

    /// The owners whose accounts requests wait for.
    pub(super) fn short_owners(&mut self) -> HashSet<AccountId> {
        self.short.retain(|account| {
            // In this order: a request that relies on what was wanted before it came waits by then.
            let wanted = account.take_wanted();
            let is_short = account.is_short();
            if is_short {
                account.keep_wanted(wanted);
            }
            is_short
        });
        self.short.iter().map(|account| account.owner.clone()).collect()
    }

    /// Looks at accounts at once that somebody waits for while credits are on their way for others.
    pub(super) async fn look_at_pending(&self) {
        if self.job.is_none() {
            // Beginning a job looks at them.
            return;
        }
        let owners: HashSet<AccountId> = self.pending.iter().map(|account| account.owner.clone()).collect();
        if let Err(error) = self.refresh(self.at.hash, owners.into_iter().collect()).await {
            tracing::warn!(%error, "cannot look at the wallets that need credits");
        }
    }

    /// Lets go what others may need, and asks again for what is there now.
    pub(super) fn share(&mut self) {
        for account in self.state.wallets.all().iter().flat_map(|wallet| wallet.accounts().to_vec()) {
            let peak = account.take_peak();
            if self.job.is_none() && !self.is_alone {
                let keep = kept(&account, peak);
                self.leaving.extend(keep.and_then(|keep| account.hold_above(keep)));
            }
        }
        let found = |account: &mut Arc<Account>| account.has_available();
        let found: Vec<Arc<Account>> = self.short.extract_if(.., found).collect();
        self.pending.extend(found);
    }
}

/// What to keep of an account's free credits; `None`: all.
fn kept(account: &Account, peak: Micro) -> Option<Micro> {
    let figures = account.figures();
    if figures.available > 0 || figures.free <= 0 || figures.reserved == 0 {
        return None;
    }
    let is_in_vain =
        account.is_short() && figures.held == 0 && figures.elsewhere.is_some_and(|there| there > 0);
    match is_in_vain {
        true => Some(0),
        false if account.is_short() => None,
        false => Some(peak.saturating_mul(2)),
    }
}
