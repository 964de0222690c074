//! What must hold in every state that this pallet leaves behind.

use alloc::collections::BTreeMap;

use frame_support::{ensure, traits::Time};
use sp_runtime::TryRuntimeError;
use stipend_primitives::{view::Amounts, AccountId, ClassId, Credits, EntitlementId, ProgramId};

use crate::{
    allowances::period,
    energy::account::{ByDay, DAY_MS},
    types::{ArchiveTotals, EnergyAccount, Wallet, PROGRAM_DEPTH_MAX},
    Archive, Classes, Config, Energy, Entitlements, Issuers, Keys, KeysOf, Minted, NextEntitlementId,
    NextProgramId, OwnedBy, Owners, Pallet, Programs, Wallets,
};

/// What a look at one entitlement tells about it.
struct Found {
    amounts: Amounts,
    closing: bool,
}

pub(crate) type Check = Result<(), TryRuntimeError>;

impl<T: Config> Pallet<T> {
    /// Checks the invariants of README.md.
    pub fn do_try_state() -> Check {
        let mut found = BTreeMap::new();
        for (owner, class, wallet) in Wallets::<T>::iter() {
            Self::check_wallet(&owner, class, &wallet, &mut found)?;
        }
        Self::check_archive(&mut found)?;
        Self::check_entitlements(&found)?;
        Self::check_programs(&found)?;
        Self::check_owners(&found)?;
        Self::check_issuers()?;
        Self::check_energy()?;
        Self::check_kinds()?;
        Self::check_keys()
    }

    fn check_wallet(
        owner: &AccountId,
        class: ClassId,
        wallet: &Wallet,
        found: &mut BTreeMap<EntitlementId, Found>,
    ) -> Check {
        ensure!(
            wallet.slices.windows(2).all(|pair| pair[0].order() < pair[1].order()),
            "entitlements: a wallet's slices are not in their order of use"
        );
        let in_slices: Credits = wallet.slices.iter().map(|slice| slice.reserved).sum();
        let in_reservations: Credits = wallet.reservations.iter().map(|reservation| reservation.amount).sum();
        ensure!(
            in_slices == in_reservations,
            "entitlements: gateways can charge more or less than what a wallet has reserved"
        );
        for (at, reservation) in wallet.reservations.iter().enumerate() {
            ensure!(reservation.amount > 0, "entitlements: a reservation of nothing");
            ensure!(
                wallet.reservations[..at].iter().all(|other| other.gateway != reservation.gateway),
                "entitlements: a gateway has two reservations on one wallet"
            );
        }
        let frozen = Owners::<T>::get(owner).is_some_and(|owner| owner.frozen);
        ensure!(
            wallet.frozen == frozen,
            "entitlements: a wallet is frozen when its owner is not, or not when"
        );
        for slice in &wallet.slices {
            let entitlement =
                Entitlements::<T>::get(slice.id).ok_or("entitlements: a slice of no entitlement")?;
            ensure!(
                entitlement.owner == *owner && entitlement.class == class,
                "entitlements: an entitlement moved to another owner or class"
            );
            ensure!(
                entitlement.program == slice.program
                    && entitlement.valid_from == slice.valid_from
                    && entitlement.valid_until == slice.valid_until,
                "entitlements: a slice is not what was granted"
            );
            let before = found.insert(slice.id, Found { amounts: slice.amounts(), closing: slice.closing });
            ensure!(before.is_none(), "entitlements: an entitlement stands in wallets twice");
        }
        Ok(())
    }

    fn check_archive(found: &mut BTreeMap<EntitlementId, Found>) -> Check {
        let mut totals = BTreeMap::<(AccountId, ClassId), (ArchiveTotals, usize)>::new();
        for (id, archived) in Archive::<T>::iter() {
            let entitlement =
                Entitlements::<T>::get(id).ok_or("entitlements: the archive of no entitlement")?;
            let wallet = Wallets::<T>::get(&entitlement.owner, entitlement.class)
                .ok_or("entitlements: an archived entitlement without a wallet")?;
            let (sum, refundable) = totals.entry((entitlement.owner, entitlement.class)).or_default();
            sum.spent += archived.spent;
            sum.expired += archived.expired;
            sum.revoked += archived.revoked;
            *refundable += usize::from(archived.spent > 0);
            let closing = archived.closing || id < wallet.closed_before;
            let before = found.insert(id, Found { amounts: archived.amounts(), closing });
            ensure!(before.is_none(), "entitlements: an entitlement is in its wallet and in the archive");
        }
        for (owner, class, wallet) in Wallets::<T>::iter() {
            let (sum, refundable) = totals.remove(&(owner, class)).unwrap_or_default();
            ensure!(
                sum == ArchiveTotals { newest: None, ..wallet.archive.clone() },
                "entitlements: a wallet's archive does not add up"
            );
            let mut next = wallet.archive.newest;
            for _ in 0..refundable {
                let archived = next.and_then(Archive::<T>::get);
                let archived = archived.ok_or("entitlements: a refund cannot reach all that was spent")?;
                ensure!(archived.spent > 0, "entitlements: nothing is there for a refund to undo");
                next = archived.below;
            }
            ensure!(next.is_none(), "entitlements: the archive's stack is too high");
        }
        Ok(())
    }

    fn check_entitlements(found: &BTreeMap<EntitlementId, Found>) -> Check {
        let mut count = 0;
        for (id, entitlement) in Entitlements::<T>::iter() {
            let found = found.get(&id).ok_or("entitlements: an entitlement without its credits")?;
            ensure!(
                found.amounts.granted == entitlement.granted,
                "entitlements: available + reserved + spent + expired + revoked is not what was granted"
            );
            ensure!(
                OwnedBy::<T>::contains_key(&entitlement.owner, id),
                "entitlements: an entitlement is not in its owner's list"
            );
            ensure!(id < NextEntitlementId::<T>::get(), "entitlements: a number could be used again");
            count += 1;
        }
        ensure!(
            OwnedBy::<T>::iter_keys().count() == count && found.len() == count,
            "entitlements: an owner's list names an entitlement that there is not"
        );
        let minted = Minted::<T>::iter_values().flatten().all(Entitlements::<T>::contains_key);
        ensure!(minted, "entitlements: a mint request names an entitlement that there is not");
        Ok(())
    }

    fn check_programs(found: &BTreeMap<EntitlementId, Found>) -> Check {
        let mut granted = BTreeMap::<ProgramId, Credits>::new();
        for (id, entitlement) in Entitlements::<T>::iter() {
            let revoked = found.get(&id).map_or(0, |found| found.amounts.revoked);
            *granted.entry(entitlement.program).or_default() += entitlement.granted - revoked;
        }
        let mut delegated = BTreeMap::<ProgramId, Credits>::new();
        for program in Programs::<T>::iter_values() {
            if let Some(parent) = program.parent {
                *delegated.entry(parent).or_default() += program.budget;
            }
        }
        let mut below_next = 0;
        for (id, program) in Programs::<T>::iter() {
            ensure!(
                program.budget == program.unminted + program.granted + program.delegated,
                "entitlements: unminted + granted + delegated is not a program's budget"
            );
            ensure!(
                program.granted == granted.remove(&id).unwrap_or_default(),
                "entitlements: a program's entitlements do not add up to what it granted"
            );
            ensure!(
                program.delegated == delegated.remove(&id).unwrap_or_default(),
                "entitlements: the programs below do not add up to what was delegated"
            );
            let above = program.parent.and_then(Programs::<T>::get);
            ensure!(
                program.parent.is_some() == above.is_some()
                    && above.is_none_or(|above| above.class == program.class),
                "entitlements: a program's class is not that of the program above"
            );
            ensure!(
                Self::line(id).take(PROGRAM_DEPTH_MAX as usize + 1).count() <= PROGRAM_DEPTH_MAX as usize,
                "entitlements: programs nest too deep"
            );
            below_next += u32::from(id < NextProgramId::<T>::get());
        }
        ensure!(below_next == NextProgramId::<T>::get(), "entitlements: a program is missing");
        ensure!(granted.is_empty(), "entitlements: an entitlement of no program");
        Ok(())
    }

    fn check_owners(found: &BTreeMap<EntitlementId, Found>) -> Check {
        let mut held = BTreeMap::<AccountId, u32>::new();
        for (id, entitlement) in Entitlements::<T>::iter() {
            let closing = found.get(&id).is_some_and(|found| found.closing);
            *held.entry(entitlement.owner).or_default() += u32::from(!closing);
        }
        for (who, owner) in Owners::<T>::iter() {
            ensure!(held.remove(&who) == Some(owner.held), "entitlements: what an owner holds is miscounted");
            ensure!(owner.held == 0 || owner.admitted, "entitlements: an owner is not admitted");
            ensure!(
                !owner.admitted || frame_system::Pallet::<T>::providers(&who) > 0,
                "entitlements: an owner has no provider reference, so it is not admitted"
            );
            ensure!(
                frame_system::Pallet::<T>::sufficients(&who) > 0,
                "entitlements: nothing keeps the nonce of an account that was granted something"
            );
        }
        ensure!(held.is_empty(), "entitlements: an entitlement of no owner");
        Ok(())
    }

    /// What an issuer minted in its period is within what it was allowed, and part of what it ever
    /// granted.
    fn check_issuers() -> Check {
        let mut granted = BTreeMap::<(AccountId, ClassId), Credits>::new();
        for entitlement in Entitlements::<T>::iter_values() {
            *granted.entry((entitlement.issuer, entitlement.class)).or_default() += entitlement.granted;
        }
        let now = period::<T>(T::Time::now());
        for (who, issuer) in Issuers::<T>::iter() {
            ensure!(issuer.period <= now, "entitlements: an issuer minted in a period to come");
            ensure!(!issuer.classes.is_empty(), "entitlements: nothing is stored of an issuer");
            ensure!(
                issuer.classes.windows(2).all(|pair| pair[0].class < pair[1].class),
                "entitlements: an issuer's classes are not in their order"
            );
            for issuance in &issuer.classes {
                ensure!(
                    Classes::<T>::contains_key(issuance.class),
                    "entitlements: an allowance in a class that there is not"
                );
                ensure!(
                    issuance.minted <= issuance.ceiling,
                    "entitlements: an issuer minted more in a period than it was allowed"
                );
                let ever = granted.get(&(who.clone(), issuance.class)).copied().unwrap_or_default();
                ensure!(
                    issuance.minted <= ever,
                    "entitlements: an issuer is said to have minted more than it granted"
                );
            }
        }
        Ok(())
    }

    /// What classes have reserved is what their wallets have, day by day.
    fn check_energy() -> Check {
        let now = T::Time::now();
        let mut reserved = BTreeMap::<ClassId, BTreeMap<u64, Credits>>::new();
        for (_, class, wallet) in Wallets::<T>::iter() {
            for (day, amount) in ByDay::of(&wallet.reservations).lapsing_since(now / DAY_MS) {
                *reserved.entry(class).or_default().entry(day).or_default() += amount;
            }
        }
        for (class, mut account) in Energy::<T>::iter() {
            ensure!(Classes::<T>::contains_key(class), "entitlements: energy of a class that there is not");
            ensure!(account != EnergyAccount::default(), "entitlements: nothing is stored of a class");
            ensure!(
                account.budget.is_some() || (account.used_nj, account.period_ends_at) == (0, 0),
                "entitlements: energy is counted without a budget"
            );
            account.advance(now);
            let days: BTreeMap<_, _> = account.reserved.iter().map(|row| (row.day, row.amount)).collect();
            ensure!(
                days.len() == account.reserved.len() && days == reserved.remove(&class).unwrap_or_default(),
                "entitlements: a class has not reserved what its wallets have"
            );
        }
        ensure!(reserved.is_empty(), "entitlements: a class does not know what its wallets have reserved");
        Ok(())
    }

    fn check_keys() -> Check {
        let mut listed = 0;
        for (owner, hashes) in KeysOf::<T>::iter() {
            ensure!(!hashes.is_empty(), "entitlements: an empty list of keys is stored");
            for hash in &hashes {
                let key = Keys::<T>::get(hash).ok_or("entitlements: a list names a key that there is not")?;
                ensure!(key.owner == owner, "entitlements: a key is in another owner's list");
            }
            listed += hashes.len();
        }
        ensure!(Keys::<T>::iter_keys().count() == listed, "entitlements: a key is in no list, or in two");
        Ok(())
    }
}
