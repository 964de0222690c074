//! How much energy the credits of a class may cost: set by the council, held when credits are reserved,
//! counted when receipts are settled.

use alloc::vec::Vec;

use frame_support::{ensure, traits::Time};
use sp_runtime::DispatchResult;
use stipend_primitives::{energy::EnergyBudget, view::ClassEnergy, ClassId, Credits};

use self::tally::Tally;
use crate::{types::EnergyAccount, Classes, Config, Energy, Error, Event, Pallet, Wallets};

pub(crate) mod account;
pub(crate) mod tally;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_energy_budget(class: ClassId, budget: Option<EnergyBudget>) -> DispatchResult {
        ensure!(Classes::<T>::contains_key(class), Error::<T>::ClassUnknown);
        let is_valid = |budget: &EnergyBudget| budget.period_ms > 0 && budget.mj_per_credit > 0;
        ensure!(budget.as_ref().is_none_or(is_valid), Error::<T>::EnergyBudgetInvalid);
        let now = T::Time::now();
        let mut account = Energy::<T>::get(class);
        account.advance(now);
        // Another budget does not undo what was used under the one before.
        if budget.is_none() {
            account.used_nj = 0;
        }
        account.budget = budget.clone();
        account.begin_period(now);
        Self::put_energy(class, account);
        Self::deposit_event(Event::EnergyBudgetSet { class, budget });
        Ok(())
    }

    pub(crate) fn do_settle_energy(parts: &[(ClassId, Credits)], energy_mj: Option<u64>) {
        let now = T::Time::now();
        let all = parts.iter().map(|(_, part)| *part).fold(0, Credits::saturating_add);
        for (class, part) in parts {
            let mut account = Energy::<T>::get(class);
            account.advance(now);
            if account.settle(*part, all, energy_mj) {
                let period_ends_at = account.period_ends_at;
                Self::deposit_event(Event::EnergyBudgetExceeded { class: *class, period_ends_at });
            }
            Self::put_energy(*class, account);
        }
    }

    /// Counts what all wallets have reserved, on a state of before that was counted. Returns how many wallets
    /// there are.
    pub fn count_reserved() -> u64 {
        let mut energy = Tally::<T>::open();
        let mut count = 0;
        for (_owner, class, wallet) in Wallets::<T>::iter() {
            energy.take_on(class, &wallet);
            count += 1;
        }
        energy.close();
        count
    }

    /// The energy of all classes that have a budget, by number.
    pub fn energy() -> Vec<ClassEnergy> {
        let now = T::Time::now();
        let view = |(class, mut account): (ClassId, EnergyAccount)| {
            account.advance(now);
            account.view(class, Classes::<T>::get(class)?.name)
        };
        let mut classes: Vec<ClassEnergy> = Energy::<T>::iter().filter_map(view).collect();
        classes.sort_unstable_by_key(|row| row.class);
        classes
    }

    /// The micro-credits of each class that were charged in batches that are not settled.
    pub(crate) fn unsettled_credits() -> Vec<(ClassId, Credits)> {
        let all = Energy::<T>::iter().map(|(class, account)| (class, account.unsettled));
        let mut unsettled: Vec<_> = all.filter(|(_, amount)| *amount > 0).collect();
        unsettled.sort_unstable();
        unsettled
    }
}
