//! Kinds of wallets: what people who are not employees may be granted, and how many API keys they may have.
//!
//! A policy binds what is done from now on. It takes nothing back: what a wallet holds when a stricter policy
//! reaches it stays, counts, and ends when it would have ended.

use alloc::vec::Vec;

use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{ensure, traits::defensive_prelude::*};
use scale_info::TypeInfo;
use sp_runtime::DispatchResult;
use stipend_primitives::{
    policy::{KindId, Policy, WalletKind, EMPLOYEE, POLICY_CLASSES_MAX},
    AccountId, ClassId, Credits, EntitlementId, Moment, Name,
};

use crate::{
    types::{CLASSES_MAX, KEYS_MAX},
    Classes, Config, Error, Event, KindOf, Kinds, NextEntitlementId, Pallet,
};

#[cfg(any(test, feature = "std", feature = "try-runtime"))]
mod try_state;

/// Kinds of wallets on the chain, beside employees': contractors, creators, students, each perhaps in a few
/// grades; and all of them are shown in one answer.
pub const KINDS_MAX: u32 = 64;

const _: () = assert!(POLICY_CLASSES_MAX == CLASSES_MAX, "a policy has room for every class");

/// A kind of wallet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Kind {
    /// Its name.
    pub name: Name,
    /// What binds its wallets.
    pub policy: Policy,
    /// Entitlements below this number were granted before the policy was set.
    #[codec(compact)]
    pub since: EntitlementId,
}

/// Of which kind an owner's wallets are. Never an employee's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Member {
    /// The kind.
    #[codec(compact)]
    pub kind: KindId,
    /// Entitlements below this number were granted before the owner was of this kind.
    #[codec(compact)]
    pub since: EntitlementId,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_policy(kind: KindId, name: Name, policy: Policy) -> DispatchResult {
        Self::ensure_name(&name)?;
        let sound = kind != EMPLOYEE && policy.is_sound() && policy.keys_max <= KEYS_MAX;
        ensure!(sound, Error::<T>::PolicyInvalid);
        let known = policy.classes.iter().all(|terms| Classes::<T>::contains_key(terms.class));
        ensure!(known, Error::<T>::ClassUnknown);
        let has_room = Kinds::<T>::contains_key(kind) || Kinds::<T>::count() < KINDS_MAX;
        ensure!(has_room, Error::<T>::TooManyKinds);
        let since = NextEntitlementId::<T>::get();
        Kinds::<T>::insert(kind, Kind { name, policy, since });
        Self::deposit_event(Event::PolicySet { kind });
        Ok(())
    }

    pub(crate) fn do_set_kind(issuer: AccountId, owner: AccountId, kind: KindId) -> DispatchResult {
        ensure!(kind == EMPLOYEE || Kinds::<T>::contains_key(kind), Error::<T>::KindUnknown);
        if kind == EMPLOYEE {
            KindOf::<T>::remove(&owner);
        } else if KindOf::<T>::get(&owner).is_none_or(|member| member.kind != kind) {
            let since = NextEntitlementId::<T>::get();
            KindOf::<T>::insert(&owner, Member { kind, since });
        }
        Self::deposit_event(Event::KindSet { owner, kind, issuer });
        Ok(())
    }

    /// What binds an owner's grants and keys; `None`: nothing, as with employees.
    pub(crate) fn policy_of(owner: &AccountId) -> Option<Policy> {
        let Member { kind, .. } = KindOf::<T>::get(owner)?;
        // Were a kind gone, its wallets would rather get nothing than anything.
        Some(Kinds::<T>::get(kind).map(|kind| kind.policy).defensive_unwrap_or_default())
    }

    /// How many micro-credits of the class an owner may hold with a grant that ends at `valid_until`, if that
    /// may be granted at all.
    pub(crate) fn holding_max(
        owner: &AccountId,
        class: ClassId,
        valid_until: Option<Moment>,
        now: Moment,
    ) -> Result<Credits, Error<T>> {
        let Some(policy) = Self::policy_of(owner) else { return Ok(Credits::MAX) };
        let terms = policy.terms(class).ok_or(Error::<T>::PolicyForbidsClass)?;
        ensure!(policy.permits_end(now, valid_until), Error::<T>::PolicyForbidsValidity);
        Ok(terms.holding_max)
    }

    /// All kinds of wallets by number, employees' first.
    pub fn kinds() -> Vec<WalletKind> {
        let mut kinds: Vec<_> = Kinds::<T>::iter()
            .map(|(kind, Kind { name, policy, .. })| WalletKind { kind, name, policy: Some(policy) })
            .collect();
        kinds.sort_unstable_by_key(|row| row.kind);
        kinds.insert(0, WalletKind::employee());
        kinds
    }

    /// Of which kind the wallets of each of these owners are, in the same order.
    pub fn kinds_of(owners: Vec<AccountId>) -> Vec<KindId> {
        owners.iter().map(|owner| KindOf::<T>::get(owner).map_or(EMPLOYEE, |member| member.kind)).collect()
    }
}
