//! Who gets a transaction in, through the runtime's own entry points.

use frame_support::{assert_ok, traits::Get};
use pallet_roles::{NOT_ADMITTED, TOO_LONG};
use sp_keyring::Ed25519Keyring::{self, Alice, Eve, Ferdie};
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError, UnknownTransaction};
use stipend_primitives::{ledger::Ledger, ClassId, Role};
use stipend_runtime::{authorized_extrinsic, Entitlements, Runtime, RuntimeCall, System, UncheckedExtrinsic};

use crate::chain::{
    apply, begin_block, council_of_one, empty_blocks, end_block, new_chain, signed, validate,
};

const CREDIT: u128 = 1_000_000;

fn remark(length: usize) -> RuntimeCall {
    frame_system::Call::remark { remark: vec![0; length] }.into()
}

fn invalid(reason: InvalidTransaction) -> TransactionValidityError {
    TransactionValidityError::Invalid(reason)
}

fn not_admitted() -> TransactionValidityError {
    invalid(InvalidTransaction::Custom(NOT_ADMITTED))
}

/// Gives `who` a wallet, and so an entitlement.
fn endow(who: Ed25519Keyring) {
    Entitlements::endow(&who.to_account_id(), ClassId::INNOVATION, CREDIT);
}

fn grant(who: Ed25519Keyring, role: Role, allowance: Option<u32>) -> RuntimeCall {
    pallet_roles::Call::grant_role { who: who.to_account_id(), role, allowance }.into()
}

#[test]
fn an_account_with_neither_role_nor_entitlement_does_not_get_into_the_pool() {
    new_chain("development").execute_with(|| {
        empty_blocks(1, 1);
        assert_eq!(validate(signed(Eve, 0, remark(1))), Err(not_admitted()));
        begin_block(2);
        assert_eq!(apply(signed(Eve, 0, remark(1))), Err(not_admitted()));
    });
}

#[test]
fn a_role_admits_until_it_is_revoked() {
    new_chain("development").execute_with(|| {
        begin_block(1);
        council_of_one(Alice, 0, grant(Eve, Role::Auditor, None));
        assert_ok!(validate(signed(Eve, 0, remark(1))));
        assert_ok!(apply(signed(Eve, 0, remark(1))).unwrap());
        let revoke = pallet_roles::Call::revoke_role { who: Eve.to_account_id(), role: Role::Auditor };
        council_of_one(Alice, 1, revoke);
        assert_eq!(validate(signed(Eve, 1, remark(1))), Err(not_admitted()));
    });
}

#[test]
fn what_was_signed_under_an_earlier_grant_cannot_be_sent_again() {
    new_chain("development").execute_with(|| {
        begin_block(1);
        council_of_one(Alice, 0, grant(Eve, Role::Auditor, None));
        let first = signed(Eve, 0, remark(1));
        assert_ok!(apply(first.clone()).unwrap());
        let revoke = pallet_roles::Call::revoke_role { who: Eve.to_account_id(), role: Role::Auditor };
        council_of_one(Alice, 1, revoke);
        council_of_one(Alice, 2, grant(Eve, Role::Auditor, None));
        assert_eq!(validate(first), Err(invalid(InvalidTransaction::Stale)));
    });
}

#[test]
fn an_entitlement_admits() {
    new_chain("development").execute_with(|| {
        begin_block(1);
        endow(Ferdie);
        assert_ok!(validate(signed(Ferdie, 0, remark(1))));
        assert_ok!(apply(signed(Ferdie, 0, remark(1))).unwrap());
    });
}

#[test]
fn an_account_over_its_allowance_waits_for_the_next_block() {
    new_chain("development").execute_with(|| {
        begin_block(1);
        endow(Ferdie);
        let allowance: u32 = <Runtime as pallet_roles::Config>::OwnerAllowance::get();
        for nonce in 0..allowance {
            assert_ok!(apply(signed(Ferdie, nonce, remark(1))).unwrap());
        }
        let over = signed(Ferdie, allowance, remark(1));
        assert_eq!(apply(over.clone()), Err(invalid(InvalidTransaction::ExhaustsResources)));
        end_block();

        // The pool keeps it, the next block takes it.
        assert_ok!(validate(over.clone()));
        begin_block(2);
        assert_ok!(apply(over).unwrap());
    });
}

#[test]
fn an_owner_cannot_fill_the_chain_with_long_transactions() {
    new_chain("development").execute_with(|| {
        begin_block(1);
        endow(Ferdie);
        let too_long = invalid(InvalidTransaction::Custom(TOO_LONG));
        assert_eq!(validate(signed(Ferdie, 0, remark(5_000))), Err(too_long));
        assert_ok!(validate(signed(Alice, 0, remark(5_000))));
    });
}

#[test]
fn a_transaction_without_a_signer_needs_a_call_with_its_own_authority() {
    new_chain("development").execute_with(|| {
        empty_blocks(1, 1);
        let refusal = validate(authorized_extrinsic(remark(1))).unwrap_err();
        assert!(
            matches!(
                refusal,
                TransactionValidityError::Invalid(_)
                    | TransactionValidityError::Unknown(UnknownTransaction::NoUnsignedValidator)
            ),
            "{refusal:?}"
        );
        assert!(validate(UncheckedExtrinsic::new_bare(remark(1))).is_err());
    });
}

#[test]
fn a_seat_on_the_council_admits() {
    new_chain("development").execute_with(|| {
        begin_block(1);
        council_of_one(Alice, 0, grant(Eve, Role::Council, None));
        assert_ok!(validate(signed(Eve, 0, remark(1))));
        assert_ok!(apply(signed(Eve, 0, remark(1))).unwrap());
    });
}

#[test]
fn a_validator_cannot_throw_its_session_keys_away() {
    new_chain("development").execute_with(|| {
        begin_block(1);
        let purge = signed(Alice, 0, pallet_session::Call::purge_keys {});
        assert_eq!(apply(purge), Ok(Err(frame_system::Error::<Runtime>::CallFiltered.into())));
        assert_eq!(System::account_nonce(Alice.to_account_id()), 1);
    });
}
