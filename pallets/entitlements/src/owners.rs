//! Who is admitted to the pool because of what was granted, and what stops an owner as a whole.

use frame_support::traits::{defensive_prelude::*, DefensiveSaturating};
use stipend_primitives::AccountId;

use crate::{types::Owner, Config, Owners, Pallet};

impl<T: Config> Pallet<T> {
    /// Counts one more entitlement; returns whether the owner is frozen.
    ///
    /// The first one ever also adds a self-sufficient reference that is never dropped: an account that
    /// loses its last provider must keep its nonce, or what it once signed could be sent again when it
    /// comes back.
    pub(crate) fn hold(who: &AccountId) -> bool {
        Owners::<T>::mutate(who, |entry| {
            let owner = entry.get_or_insert_with(|| {
                frame_system::Pallet::<T>::inc_sufficients(who);
                Owner::default()
            });
            owner.held.defensive_saturating_inc();
            if !owner.admitted {
                frame_system::Pallet::<T>::inc_providers(who);
                owner.admitted = true;
            }
            owner.frozen
        })
    }

    /// Counts `count` entitlements less; without any the account is no longer admitted.
    pub(crate) fn let_go(who: &AccountId, count: u32) {
        Owners::<T>::mutate(who, |owner| {
            let Some(owner) = owner.as_mut().defensive_proof("a holder has an entry") else {
                return;
            };
            owner.held.defensive_saturating_reduce(count);
            // Refused while something else (session keys, say) still needs the account. Then it stays
            // admitted, and the next time its count reaches zero is the next attempt.
            if owner.held == 0 && owner.admitted {
                owner.admitted = frame_system::Pallet::<T>::dec_providers(who).is_err();
            }
        });
    }
}
