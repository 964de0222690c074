//! What becomes of a validator that was caught.

use alloc::vec::Vec;

use frame_support::{
    ensure,
    pallet_prelude::{DispatchResult, Weight},
    traits::Get,
};
use sp_runtime::Perbill;
use sp_staking::{
    offence::{OffenceDetails, OnOffenceHandler},
    SessionIndex,
};
use stipend_primitives::AccountId;

use crate::{Config, Error, Event, Misconduct, Pallet, SessionKeys, Suspended, Validators};

impl<T: Config> Pallet<T> {
    /// Names a validator that was proven to have broken the rules of consensus, and suspends it if
    /// the chain can do without it. One that is suspended already is not named again.
    pub fn punish(who: &AccountId, misconduct: Misconduct) {
        let mut all = Suspended::<T>::get();
        let Err(at) = all.binary_search(who) else { return };
        let in_set = Validators::<T>::get().binary_search(who).is_ok();
        // An authority that left the set is disabled for the sessions that it still has.
        let disabled = T::SessionKeys::disable(who);
        let suspended = in_set && disabled && all.try_insert(at, who.clone()).is_ok();
        if suspended {
            Suspended::<T>::put(all);
        }
        Self::deposit_event(Event::ValidatorMisbehaved { who: who.clone(), misconduct, suspended: disabled });
    }

    pub(crate) fn do_reinstate(who: AccountId) -> DispatchResult {
        let mut all = Suspended::<T>::get();
        let at = all.binary_search(&who).map_err(|_| Error::<T>::NotSuspended)?;
        let _who = all.remove(at);
        Suspended::<T>::put(all);
        T::SessionKeys::enable(&who);
        Self::deposit_event(Event::ValidatorReinstated { who });
        Ok(())
    }

    /// The authorities of this session, in the order of their keys in every consensus pallet.
    pub fn authorities() -> Vec<AccountId> {
        T::SessionKeys::current()
    }

    /// The suspended validators.
    pub fn suspended() -> Vec<AccountId> {
        Suspended::<T>::get().into_inner()
    }

    /// Disables again who is suspended: a changed set of authorities makes `pallet-session` forget.
    pub(crate) fn renew_suspensions() {
        for who in Suspended::<T>::get() {
            let _in_this_session = T::SessionKeys::disable(&who);
        }
    }
}

/// GRANDPA's proven equivocations arrive here, by way of `pallet-offences`.
impl<T: Config> OnOffenceHandler<AccountId, (AccountId, ()), Weight> for Pallet<T> {
    fn on_offence(
        offenders: &[OffenceDetails<AccountId, (AccountId, ())>],
        _slash_fraction: &[Perbill],
        _session: SessionIndex,
    ) -> Weight {
        for details in offenders {
            Self::punish(&details.offender.0, Misconduct::TwoVotes);
        }
        // The list of suspended ones and pallet-session's, once for each offender.
        T::DbWeight::get().reads_writes(3, 3).saturating_mul(offenders.len() as u64)
    }
}

impl<T: Config> Pallet<T> {
    /// Checks that every suspended account is a validator, and sorted.
    #[cfg(any(test, feature = "std", feature = "try-runtime"))]
    pub(crate) fn check_suspended() -> Result<(), sp_runtime::TryRuntimeError> {
        let (validators, suspended) = (Validators::<T>::get(), Suspended::<T>::get());
        ensure!(
            suspended.windows(2).all(|pair| pair[0] < pair[1]),
            "roles: the suspended validators are not sorted, or one is there twice"
        );
        ensure!(
            suspended.iter().all(|who| validators.binary_search(who).is_ok()),
            "roles: somebody is suspended who is no validator"
        );
        Ok(())
    }
}
