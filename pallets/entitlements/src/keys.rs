//! API keys, known by hash only.

use frame_support::{
    ensure,
    traits::{Get, Time},
};
use sp_runtime::DispatchResult;
use stipend_primitives::{
    key::{ApiKey, KeyLimits},
    ledger::Roles,
    AccountId, KeyHash, Role,
};

use crate::{
    energy::tally::Tally, types::FirstReservation, Config, Error, Event, Keys, KeysOf, Owners, Pallet,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_register_key(
        owner: AccountId,
        hash: KeyHash,
        limits: KeyLimits,
        reserve: Option<FirstReservation>,
    ) -> DispatchResult {
        let now = T::Time::now();
        let known = Owners::<T>::get(&owner).ok_or(Error::<T>::OwnerUnknown)?;
        ensure!(known.held > 0, Error::<T>::NothingHeld);
        ensure!(!known.frozen, Error::<T>::OwnerFrozen);
        ensure!(limits.expires_at.is_none_or(|end| end > now), Error::<T>::KeyExpired);
        ensure!(!Keys::<T>::contains_key(hash), Error::<T>::KeyTaken);
        if let Some(policy) = Self::policy_of(&owner) {
            let keys = KeysOf::<T>::decode_len(&owner).unwrap_or_default();
            ensure!(keys < policy.keys_max as usize, Error::<T>::PolicyForbidsKey);
        }
        KeysOf::<T>::try_mutate(&owner, |hashes| hashes.try_push(hash))
            .map_err(|_| Error::<T>::TooManyKeys)?;
        Keys::<T>::insert(hash, ApiKey { owner: owner.clone(), limits });
        if let Some((gateway, rows)) = reserve {
            ensure!(T::Roles::has(&gateway, Role::Gateway), Error::<T>::NotGateway);
            let expires_at = now.saturating_add(T::FirstReservationLifetime::get());
            let mut energy = Tally::open();
            for (class, amount) in rows {
                Self::reserve(&mut energy, &gateway, &owner, class, amount, expires_at)?;
            }
            energy.close();
        }
        Self::deposit_event(Event::KeyRegistered { owner, hash });
        Ok(())
    }

    /// Whether the owner has asked for anything: without a key nothing is reserved, and nothing
    /// charged beyond what was reserved before.
    pub(crate) fn has_key(owner: &AccountId) -> bool {
        KeysOf::<T>::contains_key(owner)
    }

    pub(crate) fn do_revoke_key(who: &AccountId, hash: KeyHash) -> DispatchResult {
        let key = Keys::<T>::get(hash).ok_or(Error::<T>::KeyUnknown)?;
        ensure!(key.owner == *who || T::Roles::has(who, Role::Issuer), Error::<T>::NotKeyOwner);
        Keys::<T>::remove(hash);
        KeysOf::<T>::mutate_exists(&key.owner, |hashes| {
            *hashes = hashes.take().and_then(|mut kept| {
                kept.retain(|kept| *kept != hash);
                (!kept.is_empty()).then_some(kept)
            });
        });
        Self::deposit_event(Event::KeyRevoked { hash });
        Ok(())
    }

    pub(crate) fn do_set_limits(who: &AccountId, hash: KeyHash, limits: KeyLimits) -> DispatchResult {
        Keys::<T>::try_mutate(hash, |key| {
            let key = key.as_mut().ok_or(Error::<T>::KeyUnknown)?;
            ensure!(key.owner == *who, Error::<T>::NotKeyOwner);
            key.limits = limits;
            Ok::<_, Error<T>>(())
        })?;
        Self::deposit_event(Event::LimitsSet { hash });
        Ok(())
    }

    pub(crate) fn revoke_all_keys(owner: &AccountId) {
        for hash in KeysOf::<T>::take(owner) {
            Keys::<T>::remove(hash);
            Self::deposit_event(Event::KeyRevoked { hash });
        }
    }
}
