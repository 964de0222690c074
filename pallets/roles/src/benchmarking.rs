//! Benchmarks of the calls and of the admission check.

use frame_benchmarking::v2::*;
use frame_support::{
    dispatch::{DispatchInfo, PostDispatchInfo},
    traits::EnsureOrigin,
};
use frame_system::RawOrigin;
use sp_runtime::traits::{
    AsSystemOriginSigner, AsTransactionAuthorizedOrigin, DispatchTransaction, Dispatchable, Get,
};
use stipend_primitives::{AccountId, Role};

use crate::{Call, CheckAdmission, Config, Pallet, Seats, Sent, SessionKeys, Suspended, Validators};

const ALL_ROLES: [Role; 7] = [
    Role::Council,
    Role::Issuer,
    Role::Gateway,
    Role::Provider,
    Role::Validator,
    Role::Evaluator,
    Role::Auditor,
];

/// An account with every role but `missing`.
fn account_without<T: Config>(missing: Role) -> AccountId {
    let who: AccountId = account("member", 0, 0);
    for role in ALL_ROLES.into_iter().filter(|role| *role != missing && *role != Role::Validator) {
        Pallet::<T>::put_role(&who, role, None);
    }
    who
}

/// Fills the validator set up to `room` places.
fn fill_validators<T: Config>(room: u32) {
    let taken = Validators::<T>::get().len() as u32;
    for index in taken..T::ValidatorsMax::get() - room {
        let who: AccountId = account("validator", index, 0);
        Pallet::<T>::put_validator(&who).expect("there is room and the account is new");
        T::SessionKeys::register_for_benchmark(&who);
    }
}

#[benchmarks(
    where
        T: Send + Sync,
        T::RuntimeCall: Dispatchable<Info = DispatchInfo, PostInfo = PostDispatchInfo>,
        <T::RuntimeCall as Dispatchable>::RuntimeOrigin:
            AsSystemOriginSigner<AccountId> + AsTransactionAuthorizedOrigin + Clone,
)]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn grant_role() -> Result<(), BenchmarkError> {
        let council = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        let who = account_without::<T>(Role::Council);
        T::Seats::fill_for_benchmark();
        #[extrinsic_call]
        _(council as T::RuntimeOrigin, who.clone(), Role::Council, Some(1_000));
        assert!(Pallet::<T>::holds(&who, Role::Council));
        Ok(())
    }

    #[benchmark]
    fn revoke_role() -> Result<(), BenchmarkError> {
        let council = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        T::Seats::fill_for_benchmark();
        let who: AccountId = account("member", 0, 0);
        Pallet::<T>::put_role(&who, Role::Council, None);
        #[extrinsic_call]
        _(council as T::RuntimeOrigin, who.clone(), Role::Council);
        assert!(!Pallet::<T>::holds(&who, Role::Council));
        Ok(())
    }

    #[benchmark]
    fn add_validator() -> Result<(), BenchmarkError> {
        let council = T::ValidatorsOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        fill_validators::<T>(1);
        let who: AccountId = account("newcomer", 0, 0);
        #[extrinsic_call]
        _(council as T::RuntimeOrigin, who.clone());
        assert!(Validators::<T>::get().contains(&who));
        Ok(())
    }

    #[benchmark]
    fn remove_validator() -> Result<(), BenchmarkError> {
        let council = T::ValidatorsOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        fill_validators::<T>(0);
        let who: AccountId = account("validator", T::ValidatorsMax::get() - 1, 0);
        #[extrinsic_call]
        _(council as T::RuntimeOrigin, who.clone());
        assert!(!Validators::<T>::get().contains(&who));
        Ok(())
    }

    #[benchmark]
    fn reinstate_validator() -> Result<(), BenchmarkError> {
        let council = T::ValidatorsOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        fill_validators::<T>(0);
        let all = Validators::<T>::get();
        let who = all.last().cloned().expect("the set is full");
        Suspended::<T>::put(all);
        #[extrinsic_call]
        _(council as T::RuntimeOrigin, who.clone());
        assert!(!Suspended::<T>::get().contains(&who));
        Ok(())
    }

    #[benchmark]
    fn check_admission() -> Result<(), BenchmarkError> {
        let who = account_without::<T>(Role::Validator);
        let call: T::RuntimeCall = frame_system::Call::remark { remark: alloc::vec![] }.into();
        let info = DispatchInfo::default();
        #[block]
        {
            CheckAdmission::<T>::new()
                .test_run(RawOrigin::Signed(who.clone()).into(), &call, &info, 0, 0, |_| Ok(().into()))
                .expect("the account is admitted")
                .expect("the substitute succeeds");
            let _all_removed = Sent::<T>::clear(u32::MAX, None);
        }
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_chain(), crate::mock::Test);
}
