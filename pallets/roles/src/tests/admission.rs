use frame_support::{
    assert_ok,
    dispatch::{DispatchInfo, PostDispatchInfo},
    traits::Get,
    weights::Weight,
};
use frame_system::RawOrigin;
use sp_runtime::{
    traits::{DispatchTransaction, TransactionExtension},
    transaction_validity::{
        InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction,
    },
};
use stipend_primitives::{AccountId, Role};

use super::{advance_to, signed};
use crate::{
    mock::{new_chain, Roles, RuntimeCall, RuntimeOrigin, System, Test, COUNCIL, MEMBER, STRANGER},
    CheckAdmission, Config, Sent, WeightInfo, NOT_ADMITTED, ROLE_PRIORITY, TOO_LONG,
};

fn call() -> RuntimeCall {
    frame_system::Call::remark { remark: vec![] }.into()
}

/// What the pool says of a transaction with this origin.
fn pool(origin: RuntimeOrigin) -> Result<ValidTransaction, TransactionValidityError> {
    pool_with_length(origin, 0)
}

fn pool_with_length(origin: RuntimeOrigin, len: usize) -> Result<ValidTransaction, TransactionValidityError> {
    CheckAdmission::<Test>::new()
        .validate_only(origin, &call(), &DispatchInfo::default(), len, TransactionSource::External, 0)
        .map(|(valid, _, _)| valid)
}

/// What a block says of a transaction with this origin.
fn block(origin: RuntimeOrigin) -> Result<PostDispatchInfo, TransactionValidityError> {
    let info = DispatchInfo {
        extension_weight: CheckAdmission::<Test>::new().weight(&call()),
        ..Default::default()
    };
    CheckAdmission::<Test>::new()
        .test_run(origin, &call(), &info, 0, 0, |_| {
            Ok(PostDispatchInfo { actual_weight: Some(Weight::zero()), ..Default::default() })
        })
        .map(|result| result.unwrap())
}

fn exhausted() -> TransactionValidityError {
    InvalidTransaction::ExhaustsResources.into()
}

/// An account with a wallet: `pallet-entitlements` holds a provider reference for it.
fn owner() -> AccountId {
    System::inc_providers(&MEMBER);
    MEMBER
}

#[test]
fn a_stranger_does_not_get_into_the_pool() {
    new_chain().execute_with(|| {
        let refusal = Err(InvalidTransaction::Custom(NOT_ADMITTED).into());
        assert_eq!(pool(signed(&STRANGER)), refusal);
        assert_eq!(block(signed(&STRANGER)).map(|_| ValidTransaction::default()), refusal);
    });
}

#[test]
fn an_account_whose_last_role_is_revoked_is_a_stranger() {
    new_chain().execute_with(|| {
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Issuer, None));
        assert_ok!(pool(signed(&MEMBER)));
        assert_ok!(Roles::revoke_role(signed(&COUNCIL), MEMBER, Role::Issuer));
        assert_eq!(pool(signed(&MEMBER)), Err(InvalidTransaction::Custom(NOT_ADMITTED).into()));
    });
}

#[test]
fn roles_come_before_mere_owners_when_the_pool_is_full() {
    new_chain().execute_with(|| {
        assert_eq!(pool(signed(&COUNCIL)).unwrap().priority, ROLE_PRIORITY);
        assert_eq!(pool(signed(&owner())).unwrap().priority, 0);
    });
}

#[test]
fn only_an_account_with_a_role_sends_long_transactions() {
    new_chain().execute_with(|| {
        let limit: u32 = <Test as Config>::OwnerLengthMax::get();
        let limit = limit as usize;
        let owner = owner();
        assert_ok!(pool_with_length(signed(&owner), limit));
        assert_eq!(
            pool_with_length(signed(&owner), limit + 1),
            Err(InvalidTransaction::Custom(TOO_LONG).into())
        );
        assert_ok!(pool_with_length(signed(&COUNCIL), limit + 1));
    });
}

#[test]
fn an_owner_sends_its_few_transactions_per_block_and_again_in_the_next() {
    new_chain().execute_with(|| {
        let owner = owner();
        let allowance: u32 = <Test as Config>::OwnerAllowance::get();
        for _ in 0..allowance {
            assert_ok!(block(signed(&owner)));
        }
        assert_eq!(block(signed(&owner)), Err(exhausted()));
        advance_to(2);
        assert_ok!(block(signed(&owner)));
    });
}

#[test]
fn an_allowance_is_counted_per_account() {
    new_chain().execute_with(|| {
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Gateway, Some(2)));
        assert_ok!(block(signed(&MEMBER)));
        assert_ok!(block(signed(&MEMBER)));
        assert_eq!(block(signed(&MEMBER)), Err(exhausted()));
        assert_ok!(block(signed(&COUNCIL)));
    });
}

#[test]
fn the_pool_keeps_what_the_next_block_may_take() {
    new_chain().execute_with(|| {
        assert_ok!(Roles::grant_role(signed(&COUNCIL), MEMBER, Role::Gateway, Some(1)));
        assert_ok!(block(signed(&MEMBER)));
        assert_ok!(pool(signed(&MEMBER)));
    });
}

#[test]
fn nothing_is_counted_between_blocks() {
    new_chain().execute_with(|| {
        assert_ok!(block(signed(&COUNCIL)));
        assert_eq!(Sent::<Test>::get(COUNCIL), 1);
        advance_to(2);
        assert_eq!(Sent::<Test>::iter().count(), 0);
    });
}

#[test]
fn transactions_authorised_by_their_content_pass_and_give_the_weight_back() {
    new_chain().execute_with(|| {
        let authorized: RuntimeOrigin = RawOrigin::Authorized.into();
        assert_ok!(pool(authorized.clone()));
        assert_eq!(block(authorized).unwrap().actual_weight, Some(Weight::zero()));
        assert_eq!(
            block(signed(&COUNCIL)).unwrap().actual_weight,
            Some(<Test as Config>::WeightInfo::check_admission())
        );
        assert_eq!(Sent::<Test>::iter().count(), 1);
    });
}
