//! The validator set as `pallet-session` asks for it.

use alloc::vec::Vec;
use core::marker::PhantomData;

use frame_system::RawOrigin;
use sp_runtime::traits::Convert;
use sp_staking::{offence::OffenceSeverity, SessionIndex};
use stipend_primitives::AccountId;

use crate::{Config, Pallet, Suspended, Validators};

/// What this pallet must know of session keys, and the one thing it does to them.
pub trait SessionKeys {
    /// Whether a validator has published its session keys.
    fn registered(who: &AccountId) -> bool;

    /// The validators of the session that is in force or just beginning.
    fn current() -> Vec<AccountId>;

    /// Forgets the keys of a validator that leaves. Sessions already planned keep them.
    fn forget(who: &AccountId);

    /// Keeps an authority of this session from making blocks. Answers whether it does: never for an
    /// account that is no authority, nor where too many are disabled already.
    fn disable(who: &AccountId) -> bool;

    /// Lets a disabled authority of this session make blocks again.
    fn enable(who: &AccountId);

    /// Publishes keys for `who` without proof, as the most expensive case of [`Self::forget`].
    #[cfg(feature = "runtime-benchmarks")]
    fn register_for_benchmark(who: &AccountId);
}

/// The session keys that `pallet-session` keeps.
pub struct PalletSession<T>(PhantomData<T>);

impl<T> SessionKeys for PalletSession<T>
where
    T: pallet_session::Config<ValidatorId = AccountId> + frame_system::Config<AccountId = AccountId>,
{
    fn registered(who: &AccountId) -> bool {
        pallet_session::NextKeys::<T>::contains_key(who)
    }

    fn current() -> Vec<AccountId> {
        pallet_session::Validators::<T>::get()
    }

    fn forget(who: &AccountId) {
        // The only refusal is that there are no keys, which is what is wanted.
        let _no_keys = pallet_session::Pallet::<T>::purge_keys(RawOrigin::Signed(who.clone()).into());
    }

    fn disable(who: &AccountId) -> bool {
        let Some(index) = pallet_session::Pallet::<T>::validator_id_to_index(who) else { return false };
        pallet_session::Pallet::<T>::report_offence(who.clone(), OffenceSeverity::max_severity());
        pallet_session::Pallet::<T>::disabled_validators().contains(&index)
    }

    fn enable(who: &AccountId) {
        if let Some(index) = pallet_session::Pallet::<T>::validator_id_to_index(who) {
            let _was_disabled = pallet_session::Pallet::<T>::reenable_index(index);
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn register_for_benchmark(who: &AccountId) {
        use codec::{Decode, Encode};
        use sp_runtime::traits::{OpaqueKeys, TrailingZeroInput};

        let seed = who.using_encoded(sp_io::hashing::blake2_256);
        let keys = T::Keys::decode(&mut TrailingZeroInput::new(&seed)).expect("public keys are plain bytes");
        for id in T::Keys::key_ids() {
            pallet_session::KeyOwner::<T>::insert((*id, keys.get_raw(*id)), who);
        }
        pallet_session::NextKeys::<T>::insert(who, keys);
        frame_system::Pallet::<T>::inc_consumers(who).expect("a validator's role provides for it");
    }
}

/// An account is its own validator id, as long as it is in the validator set: nobody else can
/// publish session keys.
pub struct ValidatorIdOf<T>(PhantomData<T>);

impl<T: Config> Convert<AccountId, Option<AccountId>> for ValidatorIdOf<T> {
    fn convert(who: AccountId) -> Option<AccountId> {
        Validators::<T>::get().binary_search(&who).is_ok().then_some(who)
    }
}

impl<T: Config> pallet_session::SessionManager<AccountId> for Pallet<T> {
    /// The validators with session keys that are not suspended, or `None` where nothing changes.
    ///
    /// An answer makes GRANDPA change its authority set even if it is the same again, so an
    /// unchanged set is not answered. An empty set would stop the chain for good, so it is not
    /// answered either.
    fn new_session(_index: SessionIndex) -> Option<Vec<AccountId>> {
        let suspended = Suspended::<T>::get();
        let next: Vec<AccountId> = Validators::<T>::get()
            .into_iter()
            .filter(|who| T::SessionKeys::registered(who) && suspended.binary_search(who).is_err())
            .collect();
        (!next.is_empty() && next != T::SessionKeys::current()).then_some(next)
    }

    fn start_session(_index: SessionIndex) {
        Self::renew_suspensions();
    }

    fn end_session(_index: SessionIndex) {}
}

/// The same for `pallet-session`'s record of past sessions, which proves whose key it was that broke
/// a rule. A validator is fully named by its account.
impl<T: Config> pallet_session::historical::SessionManager<AccountId, ()> for Pallet<T> {
    fn new_session(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
        let next = <Self as pallet_session::SessionManager<AccountId>>::new_session(index)?;
        Some(next.into_iter().map(|who| (who, ())).collect())
    }

    fn start_session(index: SessionIndex) {
        <Self as pallet_session::SessionManager<AccountId>>::start_session(index);
    }

    fn end_session(index: SessionIndex) {
        <Self as pallet_session::SessionManager<AccountId>>::end_session(index);
    }
}
