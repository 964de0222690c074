//! What wallets of a kind may be granted, in every way to grant.

use ed25519_dalek::{Signer, SigningKey};
use frame_support::{
    assert_noop, assert_ok,
    pallet_prelude::{InvalidTransaction, TransactionSource, TransactionValidityError},
    traits::Authorize,
    BoundedVec,
};
use frame_system::RawOrigin;
use sp_runtime::{DispatchError, ModuleError};
use stipend_primitives::{
    ledger::Ledger,
    mint::{Grant, MintRequest},
    AccountId, Credits, Moment, Role,
};

use crate::{mock::*, types::BasketLine, Call, Error, Programs};

/// Ada is a contractor: 10 credits of Innovation, for 30 days at most.
fn test_with_contractor(body: impl FnOnce()) {
    test(|| {
        set_policy(policy(&[(INNOVATION, 10)], Some(30 * DAY), 1));
        set_kind(&ada(), CONTRACTOR);
        body();
    });
}

fn mint_to(owner: &AccountId, grant: Grant) -> Result<(), DispatchError> {
    Entitlements::mint(signed(&hr()), owner.clone(), grant).map(|_| ()).map_err(|error| error.error)
}

fn grant(credits: Credits, valid_until: Option<Moment>) -> Result<(), DispatchError> {
    mint_to(&ada(), one(0, credits, valid_until))
}

fn month() -> Option<Moment> {
    Some(Now::get() + 30 * DAY)
}

fn set_basket(lines: Vec<BasketLine>) -> Grant {
    let lines = BoundedVec::truncate_from(lines);
    assert_ok!(Entitlements::set_basket(signed(&hr()), 1, name("package"), lines));
    Grant::Basket { basket: 1 }
}

#[test]
fn a_class_that_the_policy_does_not_name_is_not_granted() {
    test_with_contractor(|| {
        assert_noop!(mint_to(&ada(), one(1, 1, month())), Error::<Test>::PolicyForbidsClass);
        assert_ok!(mint_to(&bob(), one(1, 1, None)));
        assert_ok!(grant(1, month()));
    });
}

#[test]
fn a_grant_ends_within_the_longest_validity_to_the_millisecond() {
    test_with_contractor(|| {
        let last = START + 30 * DAY;
        for wrong in [None, Some(last + 1)] {
            assert_noop!(grant(1, wrong), Error::<Test>::PolicyForbidsValidity);
        }
        assert_ok!(grant(1, Some(last)));
        wait(1);
        assert_ok!(grant(1, Some(last + 1)));
    });
}

#[test]
fn what_begins_later_ends_within_the_same_time_from_the_grant_on() {
    test_with_contractor(|| {
        let part = |from, until| {
            let (valid_from, valid_until) = (Some(START + from), Some(START + until));
            mint_to(&ada(), Grant::One { program: 0, amount: 1, valid_from, valid_until })
        };
        assert_ok!(part(20 * DAY, 30 * DAY));
        assert_noop!(part(20 * DAY, 31 * DAY), Error::<Test>::PolicyForbidsValidity);
    });
}

#[test]
fn a_wallet_holds_no_more_than_its_kind_may_to_the_micro_credit() {
    test_with_contractor(|| {
        assert_ok!(grant(6, month()));
        assert_noop!(grant(5, month()), Error::<Test>::PolicyForbidsHolding);
        assert_ok!(grant(4, month()));
        let least = Grant::One { program: 0, amount: 1, valid_from: None, valid_until: month() };
        assert_noop!(mint_to(&ada(), least), Error::<Test>::PolicyForbidsHolding);
        assert_eq!(credits(&ada()), [10, 0, 0, 0, 0]);
    });
}

#[test]
fn what_is_reserved_is_held_and_what_is_spent_expired_or_revoked_is_not() {
    test_with_contractor(|| {
        Entitlements::endow_key(&ada());
        assert_ok!(grant(6, Some(START + DAY)));
        assert_ok!(grant(4, month()));
        assert!(reserve(&gateway(), &ada(), 5, HOUR));
        assert_noop!(grant(1, month()), Error::<Test>::PolicyForbidsHolding);
        assert_eq!(Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, 5 * CREDIT), 5 * CREDIT);
        assert_ok!(grant(5, month()));
        assert_noop!(grant(1, month()), Error::<Test>::PolicyForbidsHolding);
        wait(DAY);
        assert_eq!(credits(&ada()), [9, 0, 5, 1, 0], "nothing was written since one of them expired");
        assert_ok!(grant(1, month()));
        assert_ok!(Entitlements::revoke(signed(&hr()), 1, Some(2 * CREDIT)));
        assert_noop!(grant(3, month()), Error::<Test>::PolicyForbidsHolding);
        assert_ok!(grant(2, month()));
    });
}

#[test]
fn a_refund_is_never_refused_and_counts_from_then_on() {
    test_with_contractor(|| {
        Entitlements::endow_key(&ada());
        assert_ok!(grant(10, month()));
        assert_eq!(Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, 8 * CREDIT), 8 * CREDIT);
        assert_ok!(grant(8, month()));
        assert_eq!(Entitlements::refund(&ada(), INNOVATION, 5 * CREDIT), 5 * CREDIT);
        assert_eq!(credits(&ada()), [15, 0, 3, 0, 0]);
        assert_noop!(grant(1, month()), Error::<Test>::PolicyForbidsHolding);
    });
}

#[test]
fn each_line_of_a_basket_is_bound_and_one_that_is_refused_refuses_all() {
    test_with_contractor(|| {
        let cases = [
            (vec![(0, CREDIT, Some(DAY)), (1, CREDIT, Some(DAY))], Error::<Test>::PolicyForbidsClass),
            (vec![(0, CREDIT, Some(DAY)), (0, CREDIT, None)], Error::<Test>::PolicyForbidsValidity),
            (vec![(0, CREDIT, Some(30 * DAY + 1))], Error::<Test>::PolicyForbidsValidity),
            (
                vec![(0, 9 * CREDIT, Some(DAY)), (0, 2 * CREDIT, Some(DAY))],
                Error::<Test>::PolicyForbidsHolding,
            ),
        ];
        for (lines, refusal) in cases {
            let package = set_basket(lines);
            assert_noop!(mint_to(&ada(), package), refusal);
        }
        let package = set_basket(vec![(0, 9 * CREDIT, Some(30 * DAY)), (0, CREDIT, Some(DAY))]);
        assert_ok!(mint_to(&ada(), package));
        assert_eq!(credits(&ada()), [10, 0, 0, 0, 0]);
    });
}

#[test]
fn grants_of_one_call_count_together_and_one_that_is_refused_refuses_all() {
    test_with_contractor(|| {
        let many = |credits: [Credits; 2]| {
            let to = |owner: AccountId, credits, until| (owner, one(0, credits, until));
            let [first, second] = credits;
            let grants = vec![
                to(bob(), 1_000, None),
                to(ada(), first, Some(START + DAY)),
                to(ada(), second, Some(START + DAY)),
            ];
            Entitlements::mint_many(signed(&hr()), BoundedVec::truncate_from(grants))
        };
        let unminted = || Programs::<Test>::get(0).unwrap().unminted;
        let before = unminted();
        assert_noop!(many([6, 5]), Error::<Test>::PolicyForbidsHolding);
        assert_eq!(unminted(), before);
        assert_ok!(many([6, 4]));
        assert_eq!(unminted(), before - 1_010 * CREDIT);
    });
}

#[test]
fn a_signed_request_is_refused_by_the_pool_with_the_errors_number() {
    test_with_contractor(|| {
        let key = SigningKey::from_bytes(&[5; 32]);
        let issuer = AccountId::new(key.verifying_key().to_bytes());
        RoleHolders::mutate(|holders| holders.push((issuer.clone(), Role::Issuer)));
        assert_ok!(Entitlements::delegate_program(
            signed(&hr()),
            0,
            name("Lab"),
            issuer.clone(),
            100 * CREDIT
        ));
        let carry = |number: u8, credits, until| -> Result<(), TransactionValidityError> {
            let grant = one(2, credits, until);
            let issuer = issuer.clone();
            let request = MintRequest { issuer, idempotency_key: [number; 16], owner: ada(), grant };
            let signature = key.sign(&request.signing_payload(&System::block_hash(0))).to_bytes();
            let call = Call::<Test>::mint_signed { request: request.clone(), signature, cosignature: None };
            call.authorize(TransactionSource::External).unwrap()?;
            Entitlements::mint_signed(RawOrigin::Authorized.into(), request, signature, None).unwrap();
            Ok(())
        };
        let number = |error: Error<Test>| match DispatchError::from(error) {
            DispatchError::Module(ModuleError { error: [index, ..], .. }) => index,
            other => panic!("{other:?}"),
        };
        for (credits, until, error) in
            [(11, month(), Error::PolicyForbidsHolding), (1, None, Error::PolicyForbidsValidity)]
        {
            let refusal = InvalidTransaction::Custom(number(error)).into();
            assert_eq!(carry(1, credits, until), Err(refusal));
        }
        assert_ok!(carry(1, 10, month()));
    });
}

#[test]
fn an_employee_is_bound_by_no_policy() {
    test_with_contractor(|| {
        assert_ok!(mint_to(&bob(), one(0, 100_000, None)));
        assert_ok!(mint_to(&bob(), one(1, 100_000, Some(START + 10_000 * DAY))));
    });
}
