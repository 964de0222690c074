//! Charges and refunds: what `pallet-receipts` and `pallet-settlement` see of the wallets.

use alloc::vec::Vec;

#[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
use frame_support::traits::Time;
use stipend_primitives::{ledger::Ledger, settlement::UnattestedPolicy, AccountId, ClassId, Credits};
#[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
use stipend_primitives::{view::Program, ProgramId};

#[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
use crate::mint::Line;
use crate::{energy::tally::Tally, Classes, Config, Pallet, Wallets};

impl<T: Config> Ledger for Pallet<T> {
    type Charges = Tally<T>;

    fn begin_charges() -> Self::Charges {
        Tally::open()
    }

    fn charge(
        charges: &mut Self::Charges,
        gateway: &AccountId,
        owner: &AccountId,
        class: ClassId,
        amount: Credits,
    ) -> Credits {
        if amount == 0 {
            return 0;
        }
        let Some(wallet) = Wallets::<T>::get(owner, class) else {
            return 0;
        };
        let now = charges.now();
        let charged = Self::change_wallet(charges, owner, class, wallet, |wallet, _, room| {
            match wallet.charge(gateway, amount, room, now, || Self::has_key(owner)) {
                // Nothing to write: what time has done is found again by whoever reads next.
                0 => Err(()),
                collected => Ok(collected),
            }
        });
        let Ok((collected, burns)) = charged else {
            return 0;
        };
        charges.charged(class, collected);
        Self::burn(burns);
        collected
    }

    fn end_charges(mut charges: Self::Charges, unsettled: &[(ClassId, Credits)]) {
        for (class, amount) in unsettled {
            charges.unsettle(*class, *amount);
        }
        charges.close();
    }

    fn settle_energy(parts: &[(ClassId, Credits)], energy_mj: Option<u64>) {
        Self::do_settle_energy(parts, energy_mj);
    }

    fn unsettled() -> Vec<(ClassId, Credits)> {
        Self::unsettled_credits()
    }

    fn refund(owner: &AccountId, class: ClassId, amount: Credits) -> Credits {
        if amount == 0 {
            return 0;
        }
        let Some(wallet) = Wallets::<T>::get(owner, class) else {
            return 0;
        };
        let mut energy = Tally::<T>::open();
        let now = energy.now();
        let given = Self::change_wallet(&mut energy, owner, class, wallet, |wallet, burns, _| {
            let mut refunded = wallet.refund(amount);
            while refunded < amount {
                if !wallet.has_room() {
                    burns.extend(wallet.sweep(now));
                    Self::archive_closed(wallet);
                }
                if !Self::reopen_newest(wallet) {
                    break;
                }
                refunded += wallet.refund(amount - refunded);
            }
            if refunded == 0 {
                return Err(());
            }
            Ok(refunded)
        });
        let Ok((refunded, burns)) = given else {
            return 0;
        };
        energy.close();
        Self::burn(burns);
        refunded
    }

    fn unattested_policy(class: ClassId) -> UnattestedPolicy {
        Classes::<T>::get(class).map(|class| class.unattested).unwrap_or_default()
    }

    #[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
    fn endow(owner: &AccountId, class: ClassId, amount: Credits) {
        let issuer = AccountId::new([0xE0; 32]);
        // One program per class, at the far end of the numbers so that it is in nobody's way.
        let program = ProgramId::MAX - ProgramId::from(class.0);
        Self::endow_program(&issuer, program, class, amount);
        let now = T::Time::now();
        let line = Line { program, amount, valid_from: now, valid_until: None };
        Self::endow_key(owner);
        // Past every allowance: what a test endows is no issuer's.
        Self::mint_line(&issuer, owner, line, now).expect("a wallet has room for what a test endows it with");
    }
}

#[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
impl<T: Config> Pallet<T> {
    /// Gives an owner without a key one, so that it can be charged.
    pub(crate) fn endow_key(owner: &AccountId) {
        use stipend_primitives::key::{self, ApiKey, KeyLimits};
        if Self::has_key(owner) {
            return;
        }
        let hash = key::hash(&alloc::format!("{owner:?}"));
        crate::Keys::<T>::insert(hash, ApiKey { owner: owner.clone(), limits: KeyLimits::default() });
        crate::KeysOf::<T>::mutate(owner, |hashes| hashes.try_push(hash)).expect("there is room for one");
    }

    /// Lets `owner` mint `budget` more in `class`, out of `program`; registers the class if need be.
    pub(crate) fn endow_program(owner: &AccountId, program: ProgramId, class: ClassId, budget: Credits) {
        use stipend_primitives::{view::Class, Name};
        if !Classes::<T>::contains_key(class) {
            let name = Name::truncate_from(alloc::format!("class {}", class.0).into_bytes());
            Classes::<T>::insert(class, Class { name, unattested: UnattestedPolicy::Refund });
        }
        crate::Programs::<T>::mutate(program, |entry| {
            let entry = entry.get_or_insert_with(|| Program {
                owner: owner.clone(),
                name: Name::truncate_from(b"endowment".to_vec()),
                class,
                parent: None,
                budget: 0,
                unminted: 0,
                granted: 0,
                delegated: 0,
            });
            entry.budget += budget;
            entry.unminted += budget;
        });
    }
}
