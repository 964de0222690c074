//! What a call changes of the classes' energy, in memory: each class is read when it is first needed and
//! written once, however many wallets the call touches.

use alloc::vec::Vec;
use core::marker::PhantomData;

use frame_support::traits::{DefensiveSaturating, Time};
use stipend_primitives::{AccountId, ClassId, Credits, Moment};

use super::account::{ByDay, DAY_MS};
use crate::{
    types::{Burns, EnergyAccount, Wallet},
    Config, Energy, Pallet, Wallets,
};

/// The energy of the classes while a call works.
#[must_use = "what was changed is written when the tally is closed"]
pub struct Tally<T> {
    /// The moment of the call.
    now: Moment,
    classes: Vec<Entry>,
    _runtime: PhantomData<T>,
}

struct Entry {
    class: ClassId,
    account: EnergyAccount,
    /// [`EnergyAccount::credits_max`], divided once.
    credits_max: Credits,
    /// Micro-credits charged since the tally was opened: their reservations are gone, and what of them is
    /// unsettled is said when it is closed.
    charged: Credits,
    is_changed: bool,
}

impl Entry {
    fn shift(&mut self, before: &ByDay, after: &ByDay, today: u64) {
        if before != after {
            self.account.shift(before, after, today);
            self.is_changed = true;
        }
    }

    /// Micro-credits that can be reserved or charged beyond what is reserved.
    fn room(&self) -> Credits {
        self.credits_max.saturating_sub(self.account.held()).saturating_sub(self.charged)
    }
}

impl<T: Config> Tally<T> {
    pub(crate) fn open() -> Self {
        Tally { now: T::Time::now(), classes: Vec::new(), _runtime: PhantomData }
    }

    pub(crate) fn now(&self) -> Moment {
        self.now
    }

    fn entry(&mut self, class: ClassId) -> &mut Entry {
        let found = self.classes.iter().position(|entry| entry.class == class);
        let at = found.unwrap_or_else(|| {
            let mut account = Energy::<T>::get(class);
            account.advance(self.now);
            let credits_max = account.credits_max();
            self.classes.push(Entry { class, account, credits_max, charged: 0, is_changed: false });
            self.classes.len() - 1
        });
        &mut self.classes[at]
    }

    /// Micro-credits that can be reserved in a wallet, as far as its class's energy goes. Takes in what time has
    /// done to the wallet, for whoever only looks at it.
    pub(crate) fn room_for(&mut self, class: ClassId, wallet: &mut Wallet) -> Credits {
        let (now, today) = (self.now, self.now / DAY_MS);
        let entry = self.entry(class);
        let stored = ByDay::of(&wallet.reservations);
        wallet.advance(now);
        let advanced = ByDay::of(&wallet.reservations);
        entry.shift(&stored, &advanced, today);
        let room = entry.room();
        entry.shift(&advanced, &stored, today);
        room
    }

    /// Counts a charge of `collected` micro-credits.
    pub(crate) fn charged(&mut self, class: ClassId, collected: Credits) {
        self.entry(class).charged.defensive_saturating_accrue(collected);
    }

    /// Holds energy for credits whose receipts are not settled.
    pub(crate) fn unsettle(&mut self, class: ClassId, amount: Credits) {
        if amount > 0 {
            let entry = self.entry(class);
            entry.account.unsettled.defensive_saturating_accrue(amount);
            entry.is_changed = true;
        }
    }

    /// Counts what a wallet has reserved for the first time.
    pub(crate) fn take_on(&mut self, class: ClassId, wallet: &Wallet) {
        let today = self.now / DAY_MS;
        self.entry(class).shift(&ByDay::of(&[]), &ByDay::of(&wallet.reservations), today);
    }

    /// Writes what was changed.
    pub(crate) fn close(self) {
        for entry in self.classes.into_iter().filter(|entry| entry.is_changed) {
            Pallet::<T>::put_energy(entry.class, entry.account);
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn put_energy(class: ClassId, account: EnergyAccount) {
        if account == EnergyAccount::default() {
            Energy::<T>::remove(class);
        } else {
            Energy::<T>::insert(class, account);
        }
    }

    /// Changes a wallet, and with it what its class has reserved: nothing else writes reservations. Takes
    /// in first what time has done. `change` also gets the list of what goes back to programs, to add to, and
    /// how many micro-credits the class's energy budget has room for; if it fails, nothing is written.
    ///
    /// The caller burns what is returned and closes the tally.
    pub(crate) fn change_wallet<R, E>(
        energy: &mut Tally<T>,
        owner: &AccountId,
        class: ClassId,
        mut wallet: Wallet,
        change: impl FnOnce(&mut Wallet, &mut Burns, Credits) -> Result<R, E>,
    ) -> Result<(R, Burns), E> {
        let (now, today) = (energy.now, energy.now / DAY_MS);
        let entry = energy.entry(class);
        let stored = ByDay::of(&wallet.reservations);
        let mut burns = wallet.advance(now);
        let advanced = ByDay::of(&wallet.reservations);
        entry.shift(&stored, &advanced, today);
        match change(&mut wallet, &mut burns, entry.room()) {
            Ok(result) => {
                entry.shift(&advanced, &ByDay::of(&wallet.reservations), today);
                burns.extend(wallet.sweep(now));
                Wallets::<T>::insert(owner, class, wallet);
                Ok((result, burns))
            }
            Err(refusal) => {
                entry.shift(&advanced, &stored, today);
                Err(refusal)
            }
        }
    }
}
