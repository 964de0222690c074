//! What must hold of kinds and policies.

use frame_support::{ensure, traits::Time};
use stipend_primitives::{policy::EMPLOYEE, AccountId};

use super::{Kind, Member, KINDS_MAX};
use crate::{
    try_state::Check, types::KEYS_MAX, Classes, Config, Entitlements, KindOf, Kinds, NextEntitlementId,
    OwnedBy, Pallet,
};

impl<T: Config> Pallet<T> {
    /// Policies are sound, and nothing was granted under one that it forbids.
    pub(crate) fn check_kinds() -> Check {
        let next = NextEntitlementId::<T>::get();
        let mut count = 0;
        for (number, kind) in Kinds::<T>::iter() {
            ensure!(number != EMPLOYEE, "entitlements: employees have a policy");
            let policy = &kind.policy;
            ensure!(
                policy.is_sound() && policy.keys_max <= KEYS_MAX,
                "entitlements: a policy that nobody could have set"
            );
            ensure!(
                policy.classes.iter().all(|terms| Classes::<T>::contains_key(terms.class)),
                "entitlements: a policy names a class that there is not"
            );
            ensure!(kind.since <= next, "entitlements: a policy was set after grants to come");
            count += 1;
        }
        ensure!(
            count == Kinds::<T>::count() && count <= KINDS_MAX,
            "entitlements: the kinds of wallets are miscounted"
        );
        for (owner, member) in KindOf::<T>::iter() {
            let kind =
                Kinds::<T>::get(member.kind).ok_or("entitlements: a wallet of a kind that there is not")?;
            ensure!(member.since <= next, "entitlements: an owner got a kind after grants to come");
            Self::check_granted_under(&owner, &member, &kind)?;
        }
        Ok(())
    }

    fn check_granted_under(owner: &AccountId, member: &Member, kind: &Kind) -> Check {
        let now = T::Time::now();
        let since = member.since.max(kind.since);
        for id in OwnedBy::<T>::iter_key_prefix(owner).filter(|id| *id >= since) {
            let granted =
                Entitlements::<T>::get(id).ok_or("entitlements: an owner's list names what there is not")?;
            let terms = kind.policy.terms(granted.class);
            ensure!(
                terms.is_some_and(|terms| granted.granted <= terms.holding_max),
                "entitlements: more was granted of a class than the owner's policy allows"
            );
            ensure!(
                kind.policy.permits_end(now, granted.valid_until),
                "entitlements: a grant lasts longer than the owner's policy allows"
            );
        }
        Ok(())
    }
}
