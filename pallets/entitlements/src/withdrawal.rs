//! Taking credits out of use: revoke, give back, freeze, offboard.

use alloc::{collections::BTreeMap, vec::Vec};

use frame_support::{ensure, traits::DefensiveSaturating};
use sp_runtime::{DispatchError, DispatchResult};
use stipend_primitives::{AccountId, ClassId, Credits, EntitlementId, ProgramId};

use crate::{
    energy::tally::Tally,
    types::{Entitlement, Wallet},
    Archive, Config, Entitlements, Error, Event, KindOf, NextEntitlementId, Owners, Pallet, Wallets,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_revoke(
        issuer: &AccountId,
        id: EntitlementId,
        amount: Option<Credits>,
    ) -> DispatchResult {
        let entitlement = Entitlements::<T>::get(id).ok_or(Error::<T>::EntitlementUnknown)?;
        ensure!(Self::manages(issuer, entitlement.program), Error::<T>::NotProgramOwner);
        let (taken, whole) = match amount {
            Some(amount) => (amount, Self::withdraw(id, &entitlement, amount)?),
            None => (Self::withdraw_whole(id, &entitlement)?, true),
        };
        if whole {
            Self::let_go(&entitlement.owner, 1);
        }
        Self::deposit_event(Event::Revoked { id, owner: entitlement.owner, amount: taken, whole });
        Ok(())
    }

    pub(crate) fn do_give_back(who: AccountId, id: EntitlementId, amount: Credits) -> DispatchResult {
        let entitlement = Entitlements::<T>::get(id).ok_or(Error::<T>::EntitlementUnknown)?;
        ensure!(entitlement.owner == who, Error::<T>::NotOwner);
        let frozen = Owners::<T>::get(&who).is_some_and(|owner| owner.frozen);
        ensure!(!frozen, Error::<T>::OwnerFrozen);
        if Self::withdraw(id, &entitlement, amount)? {
            Self::let_go(&who, 1);
        }
        Self::deposit_event(Event::GivenBack { id, owner: who, amount });
        Ok(())
    }

    /// Returns how many wallets it took.
    pub(crate) fn do_freeze(owner: AccountId, frozen: bool) -> Result<u32, DispatchError> {
        Owners::<T>::try_mutate(&owner, |entry| {
            entry.as_mut().ok_or(Error::<T>::OwnerUnknown).map(|entry| entry.frozen = frozen)
        })?;
        let wallets: Vec<(ClassId, Wallet)> = Wallets::<T>::iter_prefix(&owner).collect();
        let count = wallets.len() as u32;
        for (class, mut wallet) in wallets {
            wallet.frozen = frozen;
            Wallets::<T>::insert(&owner, class, wallet);
        }
        Self::deposit_event(Event::Frozen { owner, frozen });
        Ok(count)
    }

    /// Returns how many slices it took.
    pub(crate) fn do_offboard(owner: AccountId) -> Result<u32, DispatchError> {
        let held = Owners::<T>::get(&owner).ok_or(Error::<T>::OwnerUnknown)?.held;
        let closed_before = NextEntitlementId::<T>::get();
        let wallets: Vec<(ClassId, Wallet)> = Wallets::<T>::iter_prefix(&owner).collect();
        let mut returned = BTreeMap::<ProgramId, Credits>::new();
        let mut energy = Tally::<T>::open();
        let mut slices = 0;
        for (class, wallet) in wallets {
            let ((), burns) = Self::change_wallet(&mut energy, &owner, class, wallet, |wallet, _, _| {
                for slice in wallet.slices.iter_mut() {
                    slice.closing = true;
                    slices += 1;
                }
                wallet.closed_before = closed_before;
                Ok::<_, Error<T>>(())
            })?;
            for (program, amount) in burns {
                returned.entry(program).or_default().defensive_saturating_accrue(amount);
            }
        }
        energy.close();
        Self::burn(returned.into_iter().collect());
        Self::revoke_all_keys(&owner);
        // Whoever comes back is an employee until an issuer says otherwise.
        KindOf::<T>::remove(&owner);
        Self::let_go(&owner, held);
        Self::deposit_event(Event::Offboarded { owner });
        Ok(slices)
    }

    /// Burns `amount` of what is available of an entitlement. Returns whether that was the last of all
    /// that was granted: then the entitlement is no longer held.
    pub(crate) fn withdraw(
        id: EntitlementId,
        entitlement: &Entitlement,
        amount: Credits,
    ) -> Result<bool, DispatchError> {
        ensure!(amount > 0, Error::<T>::ZeroAmount);
        let Entitlement { owner, class, .. } = entitlement;
        let wallet = Wallets::<T>::get(owner, class).ok_or(Error::<T>::InsufficientAvailable)?;
        let mut energy = Tally::<T>::open();
        let (whole, burns) = Self::change_wallet(&mut energy, owner, *class, wallet, |wallet, burns, _| {
            let slice = wallet.slice_mut(id).ok_or(Error::<T>::InsufficientAvailable)?;
            slice.available = slice.available.checked_sub(amount).ok_or(Error::<T>::InsufficientAvailable)?;
            slice.revoked.defensive_saturating_accrue(amount);
            burns.push((slice.program, amount));
            slice.closing = slice.is_all_revoked();
            Ok::<_, Error<T>>(slice.closing)
        })?;
        energy.close();
        Self::burn(burns);
        Ok(whole)
    }

    /// Burns what is available of an entitlement now and all that becomes available later. Returns
    /// how much that is now.
    fn withdraw_whole(id: EntitlementId, entitlement: &Entitlement) -> Result<Credits, DispatchError> {
        let Entitlement { owner, class, .. } = entitlement;
        let wallet = Wallets::<T>::get(owner, class).ok_or(Error::<T>::EntitlementUnknown)?;
        let mut energy = Tally::<T>::open();
        let (taken, burns) = Self::change_wallet(&mut energy, owner, *class, wallet, |wallet, _, _| {
            let closed_before = wallet.closed_before;
            match wallet.slice_mut(id) {
                Some(slice) => {
                    ensure!(!slice.closing, Error::<T>::AlreadyWithdrawn);
                    slice.closing = true;
                    Ok(slice.available)
                }
                None => Self::withdraw_archived(id, closed_before).map(|()| 0),
            }
        })?;
        energy.close();
        Self::burn(burns);
        Ok(taken)
    }

    fn withdraw_archived(id: EntitlementId, closed_before: EntitlementId) -> Result<(), Error<T>> {
        Archive::<T>::try_mutate(id, |archived| {
            let archived = archived.as_mut().ok_or(Error::<T>::EntitlementUnknown)?;
            ensure!(!archived.closing && id >= closed_before, Error::<T>::AlreadyWithdrawn);
            archived.closing = true;
            Ok(())
        })
    }
}
