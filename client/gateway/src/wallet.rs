//! What a wallet may still spend at this gateway.
//!
//! Per wallet and class: `free = reserved on the chain - receipts that the chain has not counted yet -
//! holds`. The hot path moves `free` by atomic steps and takes no lock. Only the task that follows the
//! chain raises it, by the difference to what it granted before ([`Account::grant`]), so a block and a
//! request never race for an absolute value.

use std::sync::{
    atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering},
    Arc,
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use stipend_primitives::{AccountId, ClassId, Credits, Moment};
use tokio::sync::Notify;

use crate::credits::{credits, micro, Micro, MICRO_MAX};

/// One wallet in one class, at this gateway.
pub(crate) struct Account {
    pub(crate) owner: AccountId,
    pub(crate) class: ClassId,
    /// What can be held. Below zero only where an engine counted more than the bound of a request.
    free: AtomicI64,
    /// What requests in flight hold.
    held: AtomicI64,
    /// First moment at which the reservation is too near its end for a new request.
    usable_until_ms: AtomicU64,
    /// What nobody had reserved when the chain was last looked at.
    available: AtomicI64,
    /// What other gateways had reserved in the same block; below zero: nobody looked.
    elsewhere: AtomicI64,
    /// When that was; 0: never.
    looked_at_ms: AtomicU64,
    /// The largest hold that somebody waits for; 0: nobody waits.
    wanted: AtomicI64,
    /// Whether the account is in the queue for a top-up.
    queued: AtomicBool,
    /// Whether it was held against since the last top-up: an idle reservation is left to expire.
    active: AtomicBool,
    /// Whether more were available if the class's energy budget covered it.
    energy_bound: AtomicBool,
    /// The most that was held at a time since the last block, and in the block before.
    peak: AtomicI64,
    peak_before: AtomicI64,
    /// Requests that wait for credits; the hot path wakes somebody only if there is somebody.
    waiting: AtomicU32,
    changed: Notify,
    ledger: Mutex<Granted>,
}

/// What the task that follows the chain remembers.
#[derive(Default)]
struct Granted {
    /// All that was ever added to `free` for reservations.
    granted: i128,
    /// Costs of this gateway's receipts that finalised blocks have charged.
    charged: u128,
    /// What the chain showed last.
    reserved: Credits,
    expires_at: Moment,
}

/// A row of the chain, as of one finalised block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) reserved: Credits,
    pub(crate) expires_at: Moment,
    pub(crate) available: Credits,
    /// What other gateways have reserved, if somebody looked.
    pub(crate) elsewhere: Option<Credits>,
}

/// Figures of an account for a decision that is not on the hot path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) free: Micro,
    pub(crate) held: Micro,
    pub(crate) available: Micro,
    pub(crate) elsewhere: Option<Micro>,
    pub(crate) looked_at_ms: Moment,
    pub(crate) reserved: Credits,
    pub(crate) expires_at: Moment,
}

impl Account {
    pub(crate) fn new(owner: AccountId, class: ClassId) -> Self {
        Account {
            owner,
            class,
            free: AtomicI64::new(0),
            held: AtomicI64::new(0),
            usable_until_ms: AtomicU64::new(0),
            available: AtomicI64::new(0),
            elsewhere: AtomicI64::new(-1),
            looked_at_ms: AtomicU64::new(0),
            wanted: AtomicI64::new(0),
            queued: AtomicBool::new(false),
            active: AtomicBool::new(false),
            energy_bound: AtomicBool::new(false),
            peak: AtomicI64::new(0),
            peak_before: AtomicI64::new(0),
            waiting: AtomicU32::new(0),
            changed: Notify::new(),
            ledger: Mutex::default(),
        }
    }

    /// Moves `amount` from free to held; `None` if that is not covered. The second value is what
    /// stays free.
    pub(crate) fn try_hold(self: &Arc<Self>, amount: Micro, now_ms: Moment) -> Option<(Hold, Micro)> {
        if amount > 0 && now_ms >= self.usable_until_ms.load(Ordering::Acquire) {
            return None;
        }
        let take = |free: Micro| (free >= amount).then(|| free - amount);
        let before = match amount {
            0 => self.free.load(Ordering::Acquire),
            _ => self.free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).ok()?,
        };
        let held = self.held.fetch_add(amount, Ordering::AcqRel) + amount;
        // Nearly always it was higher before: then nothing is written.
        if held > self.peak.load(Ordering::Relaxed) {
            self.peak.fetch_max(held, Ordering::Relaxed);
        }
        if !self.active.load(Ordering::Relaxed) {
            self.active.store(true, Ordering::Relaxed);
        }
        Some((Hold { account: self.clone(), amount }, before - amount))
    }

    /// A hold of nothing, for what costs nothing.
    pub(crate) fn hold_nothing(self: &Arc<Self>) -> Hold {
        Hold { account: self.clone(), amount: 0 }
    }

    /// Holds all that is free; `None` if nothing is.
    pub(crate) fn hold_all_free(self: &Arc<Self>) -> Option<Hold> {
        self.hold_of(|free| free)
    }

    /// Holds what is free above `keep`; `None` if nothing is.
    pub(crate) fn hold_above(self: &Arc<Self>, keep: Micro) -> Option<Hold> {
        let more = |free: Micro| (free > keep).then_some(keep);
        let before = self.free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).ok()?;
        let amount = before - keep;
        self.held.fetch_add(amount, Ordering::AcqRel);
        Some(Hold { account: self.clone(), amount })
    }

    /// Holds one micro-credit, however near the reservation's end is.
    pub(crate) fn hold_one(self: &Arc<Self>) -> Option<Hold> {
        self.hold_of(|_| 1)
    }

    fn hold_of(self: &Arc<Self>, share: impl Fn(Micro) -> Micro) -> Option<Hold> {
        let take = |free: Micro| (free > 0).then(|| free - share(free));
        let before = self.free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).ok()?;
        let amount = share(before);
        self.held.fetch_add(amount, Ordering::AcqRel);
        Some(Hold { account: self.clone(), amount })
    }

    /// Holds for a request of an earlier run what it held then, covered or not: it may have begun.
    pub(crate) fn hold_again(self: &Arc<Self>, amount: Micro) -> Hold {
        self.free.fetch_sub(amount, Ordering::SeqCst);
        let held = self.held.fetch_add(amount, Ordering::AcqRel) + amount;
        self.peak.fetch_max(held, Ordering::Relaxed);
        Hold { account: self.clone(), amount }
    }

    /// Whether the reservation lasts long enough for a receipt that is made now.
    pub(crate) fn takes_requests(&self, now_ms: Moment) -> bool {
        now_ms < self.usable_until_ms.load(Ordering::Acquire)
    }

    /// Says whether it is the class's energy budget that bounds what is available.
    pub(crate) fn set_energy_bound(&self, energy_bound: bool) {
        self.energy_bound.store(energy_bound, Ordering::Release);
    }

    /// Whether it is the class's energy budget that bounds what is available.
    pub(crate) fn is_energy_bound(&self) -> bool {
        self.energy_bound.load(Ordering::Acquire)
    }

    /// Takes off a receipt of an earlier run, which no hold covers any more.
    pub(crate) fn take_unheld(&self, cost: Credits) {
        self.free.fetch_sub(micro(cost), Ordering::AcqRel);
    }

    /// Takes [`Account::take_unheld`] back.
    pub(crate) fn give_unheld(&self, cost: Credits) {
        self.free.fetch_add(micro(cost), Ordering::AcqRel);
    }

    /// Counts a cost that a finalised block has charged. [`Account::grant`] must follow or have
    /// followed for the same block.
    pub(crate) fn count_charged(&self, cost: Credits) {
        let mut ledger = self.ledger.lock();
        ledger.charged = ledger.charged.saturating_add(cost);
        // The charge came out of the reservation: what was granted for it is used up, and `free` lost
        // it when the receipt was made.
        ledger.reserved = ledger.reserved.saturating_sub(cost);
    }

    /// Takes in what a finalised block shows. `margin_ms` before its end a reservation takes no new
    /// request, so that every receipt is on the chain before it ends.
    pub(crate) fn grant(&self, row: Row, margin_ms: u64, now_ms: Moment) {
        let mut ledger = self.ledger.lock();
        let granted = i128::from(micro(row.reserved))
            .saturating_add(i128::try_from(ledger.charged).unwrap_or(i128::MAX));
        let more = granted.saturating_sub(ledger.granted);
        let more = Micro::try_from(more).unwrap_or(if more < 0 { -MICRO_MAX } else { MICRO_MAX });
        ledger.granted = ledger.granted.saturating_add(i128::from(more));
        ledger.reserved = row.reserved;
        ledger.expires_at = row.expires_at;
        self.free.fetch_add(more, Ordering::AcqRel);
        self.usable_until_ms.store(row.expires_at.saturating_sub(margin_ms), Ordering::Release);
        self.available.store(micro(row.available), Ordering::Release);
        self.elsewhere.store(row.elsewhere.map_or(-1, micro), Ordering::Release);
        self.looked_at_ms.store(now_ms, Ordering::Release);
        drop(ledger);
        self.changed.notify_waiters();
    }

    pub(crate) fn figures(&self) -> Figures {
        let ledger = self.ledger.lock();
        Figures {
            free: self.free.load(Ordering::Acquire),
            held: self.held.load(Ordering::Acquire),
            available: self.available.load(Ordering::Acquire),
            elsewhere: Some(self.elsewhere.load(Ordering::Acquire)).filter(|amount| *amount >= 0),
            looked_at_ms: self.looked_at_ms.load(Ordering::Acquire),
            reserved: ledger.reserved,
            expires_at: ledger.expires_at,
        }
    }

    /// What can be held now.
    pub(crate) fn free(&self) -> Micro {
        self.free.load(Ordering::Acquire)
    }

    /// Whether nobody had reserved some of it when the chain was last looked at.
    pub(crate) fn has_available(&self) -> bool {
        self.available.load(Ordering::Acquire) > 0
    }

    /// When the chain was last looked at; 0: never.
    pub(crate) fn looked_at_ms(&self) -> Moment {
        self.looked_at_ms.load(Ordering::Acquire)
    }

    /// What could be held after a top-up of all that is available.
    pub(crate) fn within_reach(&self) -> Micro {
        self.free().max(0).saturating_add(self.available.load(Ordering::Acquire))
    }

    /// Whether requests wait for credits.
    pub(crate) fn is_short(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0
    }

    /// The most that was held at a time in the last two blocks. Called once with every block.
    pub(crate) fn take_peak(&self) -> Micro {
        let peak = self.peak.swap(self.held.load(Ordering::Acquire), Ordering::Relaxed);
        peak.max(self.peak_before.swap(peak, Ordering::Relaxed))
    }

    /// Announces that somebody waits for credits, before it looks at them: what is given back from
    /// now on wakes it.
    pub(crate) fn waiter(&self) -> Waiter<'_> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Waiter { account: self }
    }

    /// Notes that somebody needs `amount`; whether the account must be put into the queue for that.
    pub(crate) fn want(&self, amount: Micro) -> bool {
        self.wanted.fetch_max(amount, Ordering::AcqRel);
        !self.queued.swap(true, Ordering::AcqRel)
    }

    /// The largest hold that is wanted.
    pub(crate) fn wanted(&self) -> Micro {
        self.wanted.load(Ordering::Acquire)
    }

    /// Takes the account out of the queue; returns the largest hold that was wanted.
    pub(crate) fn take_wanted(&self) -> Micro {
        self.queued.store(false, Ordering::Release);
        self.wanted.swap(0, Ordering::AcqRel)
    }

    /// Remembers what is wanted while nothing can be done for it.
    pub(crate) fn keep_wanted(&self, amount: Micro) {
        self.wanted.fetch_max(amount, Ordering::AcqRel);
    }

    /// Whether the account was held against since this was asked last.
    pub(crate) fn take_active(&self) -> bool {
        self.active.swap(false, Ordering::AcqRel)
    }

    fn release(&self, held: Micro, cost: Micro) {
        self.held.fetch_sub(held, Ordering::AcqRel);
        self.free.fetch_add(held - cost, Ordering::SeqCst);
        if held > cost && self.waiting.load(Ordering::SeqCst) > 0 {
            self.changed.notify_waiters();
        }
    }
}

/// Somebody who waits for credits.
pub(crate) struct Waiter<'a> {
    account: &'a Account,
}

impl Waiter<'_> {
    /// Resolves when free credits may have become more since this was called. Call it, then look at
    /// them, then wait.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.account.changed.notified()
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.account.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Credits set aside for one request in flight. Dropping it gives them back.
pub(crate) struct Hold {
    account: Arc<Account>,
    amount: Micro,
}

impl Hold {
    pub(crate) fn account(&self) -> &Arc<Account> {
        &self.account
    }

    pub(crate) fn amount(&self) -> Credits {
        credits(self.amount)
    }

    /// Replaces the hold by what the request did cost.
    pub(crate) fn settle(mut self, cost: Credits) {
        let held = std::mem::take(&mut self.amount);
        self.account.release(held, micro(cost));
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if self.amount > 0 {
            self.account.release(self.amount, 0);
        }
    }
}

/// All accounts of one owner at this gateway.
pub(crate) struct Wallet {
    pub(crate) owner: AccountId,
    frozen: AtomicBool,
    /// Few, and a new one is rare.
    accounts: ArcSwap<Vec<Arc<Account>>>,
}

impl Wallet {
    pub(crate) fn new(owner: AccountId) -> Self {
        Wallet { owner, frozen: AtomicBool::new(false), accounts: ArcSwap::default() }
    }

    pub(crate) fn account(&self, class: ClassId) -> Option<Arc<Account>> {
        self.accounts.load().iter().find(|account| account.class == class).cloned()
    }

    /// The account, made if it is not there.
    pub(crate) fn account_or_new(&self, class: ClassId) -> Arc<Account> {
        if let Some(account) = self.account(class) {
            return account;
        }
        let account = Arc::new(Account::new(self.owner.clone(), class));
        self.accounts.rcu(|accounts| {
            let mut accounts = accounts.as_ref().clone();
            if accounts.iter().all(|other| other.class != class) {
                accounts.push(account.clone());
            }
            accounts
        });
        self.account(class).unwrap_or(account)
    }

    pub(crate) fn accounts(&self) -> Arc<Vec<Arc<Account>>> {
        self.accounts.load_full()
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen.load(Ordering::Acquire)
    }

    pub(crate) fn set_frozen(&self, frozen: bool) {
        self.frozen.store(frozen, Ordering::Release);
    }
}
