//! The validators' settlement keys follow the sessions.

use alloc::vec::Vec;

use frame_support::{traits::OneSessionHandler, BoundedVec};
use stipend_primitives::AccountId;

use crate::{
    crypto::AuthorityId,
    pallet::{Accounts, Authorities, Config, Pallet},
    types::AUTHORITIES_MAX,
    LOG_TARGET,
};

impl<T: Config> Pallet<T> {
    fn set_authorities(validators: Vec<(AccountId, AuthorityId)>) {
        let (accounts, authorities): (Vec<_>, Vec<_>) = validators.into_iter().unzip();
        if authorities.len() > AUTHORITIES_MAX as usize {
            log::error!(
                target: LOG_TARGET,
                "there are {} validators and votes are kept for {AUTHORITIES_MAX}: those beyond have no vote \
                 on settlements; remove validators",
                authorities.len(),
            );
        }
        Authorities::<T>::put(BoundedVec::truncate_from(authorities));
        Accounts::<T>::put(BoundedVec::truncate_from(accounts));
    }
}

impl<T: Config> sp_runtime::BoundToRuntimeAppPublic for Pallet<T> {
    type Public = AuthorityId;
}

impl<T: Config> OneSessionHandler<T::AccountId> for Pallet<T> {
    type Key = AuthorityId;

    fn on_genesis_session<'a, I>(validators: I)
    where
        I: Iterator<Item = (&'a T::AccountId, AuthorityId)> + 'a,
    {
        Self::set_authorities(validators.map(|(who, key)| (who.clone(), key)).collect());
        Self::begin_turnout();
    }

    fn on_new_session<'a, I>(changed: bool, validators: I, _queued_validators: I)
    where
        I: Iterator<Item = (&'a T::AccountId, AuthorityId)> + 'a,
    {
        Self::report_absent();
        if changed {
            Self::set_authorities(validators.map(|(who, key)| (who.clone(), key)).collect());
        }
        Self::begin_turnout();
    }

    // A validator that is disabled makes no blocks; its votes on settlements count until it leaves the
    // set, like those of any other that can be trusted as little as the quorum allows for.
    fn on_disabled(_validator_index: u32) {}
}
