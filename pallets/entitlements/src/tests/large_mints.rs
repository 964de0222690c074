//! Grants that take the signatures of two issuers.

use ed25519_dalek::{Signer, SigningKey};
use frame_support::{
    assert_noop, assert_ok,
    pallet_prelude::{InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction},
    traits::Authorize,
    BoundedVec,
};
use frame_system::RawOrigin;
use stipend_primitives::{
    mint::{Cosignature, Grant, MintRequest},
    AccountId, Role,
};

use crate::{mock::*, Call, Error, Event};

fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn holder(number: u8) -> AccountId {
    AccountId::new(key(number).verifying_key().to_bytes())
}

/// Runs a test in which grants above 10 credits are large, keys 1 and 2 are issuers', and key 1 owns
/// program 2.
fn test_with_two_issuers(body: impl FnOnce()) {
    test(|| {
        LargeMint::set(10 * CREDIT);
        MintAllowance::set(100 * CREDIT);
        RoleHolders::mutate(|holders| holders.extend([1, 2].map(|number| (holder(number), Role::Issuer))));
        assert_ok!(Entitlements::delegate_program(signed(&hr()), 0, name("Lab"), holder(1), 1_000 * CREDIT));
        body();
    });
}

fn request(grant: Grant) -> MintRequest {
    MintRequest { issuer: holder(1), idempotency_key: [7; 16], owner: ada(), grant }
}

fn sign(number: u8, request: &MintRequest) -> [u8; 64] {
    key(number).sign(&request.signing_payload(&System::block_hash(0))).to_bytes()
}

fn cosign(number: u8, request: &MintRequest) -> Option<Cosignature> {
    Some(Cosignature { issuer: holder(number), signature: sign(number, request) })
}

fn authorize(
    request: &MintRequest,
    cosignature: Option<Cosignature>,
) -> Result<ValidTransaction, TransactionValidityError> {
    let signature = sign(1, request);
    Call::<Test>::mint_signed { request: request.clone(), signature, cosignature }
        .authorize(TransactionSource::External)
        .unwrap()
        .map(|(validity, _)| validity)
}

fn carry(request: &MintRequest, cosignature: Option<Cosignature>) -> Result<(), TransactionValidityError> {
    authorize(request, cosignature.clone())?;
    let signature = sign(1, request);
    Entitlements::mint_signed(RawOrigin::Authorized.into(), request.clone(), signature, cosignature).unwrap();
    Ok(())
}

fn custom(error: Error<Test>) -> TransactionValidityError {
    let sp_runtime::DispatchError::Module(error) = error.into() else { unreachable!("an error of a pallet") };
    InvalidTransaction::Custom(error.error[0]).into()
}

#[test]
fn one_issuer_grants_up_to_the_threshold_alone() {
    test_with_two_issuers(|| {
        assert_ok!(carry(&request(one(2, 10, None)), None));
        assert_eq!(credits(&ada()), [10, 0, 0, 0, 0]);
    });
}

#[test]
fn a_larger_grant_takes_a_second_issuer_whatever_the_call() {
    test_with_two_issuers(|| {
        let issuer = signed(&holder(1));
        assert_noop!(
            Entitlements::mint(issuer.clone(), ada(), one(2, 11, None)),
            Error::<Test>::SecondIssuerNeeded
        );
        let grants = BoundedVec::truncate_from(vec![(bob(), one(2, 1, None)), (ada(), one(2, 11, None))]);
        assert_noop!(Entitlements::mint_many(issuer, grants), Error::<Test>::SecondIssuerNeeded);
        let large = request(one(2, 11, None));
        assert_eq!(carry(&large, None), Err(custom(Error::SecondIssuerNeeded)));
        assert_ok!(carry(&large, cosign(2, &large)));
        assert_eq!(credits(&ada()), [11, 0, 0, 0, 0]);
    });
}

#[test]
fn who_signed_second_stands_in_the_events() {
    test_with_two_issuers(|| {
        let large = request(one(2, 11, None));
        assert_ok!(carry(&large, cosign(2, &large)));
        System::assert_last_event(
            Event::MintCosigned { issuer: holder(1), second: holder(2), idempotency_key: [7; 16] }.into(),
        );
    });
}

#[test]
fn a_cosigned_grant_counts_against_the_allowance_of_its_own_issuer() {
    test_with_two_issuers(|| {
        let large = request(one(2, 60, None));
        assert_ok!(carry(&large, cosign(2, &large)));
        let left = |number| Entitlements::mint_allowance(holder(number)).unwrap().classes[0].left;
        assert_eq!((left(1), left(2)), (40 * CREDIT, 100 * CREDIT));
        let mut more = request(one(2, 41, None));
        more.idempotency_key = [8; 16];
        assert_eq!(carry(&more, cosign(2, &more)), Err(custom(Error::AllowanceExhausted)));
    });
}

#[test]
fn nobody_is_a_second_issuer_to_himself() {
    test_with_two_issuers(|| {
        let large = request(one(2, 11, None));
        assert_eq!(carry(&large, cosign(1, &large)), Err(custom(Error::NotSecondIssuer)));
    });
}

#[test]
fn somebody_who_is_no_issuer_is_no_second_one() {
    test_with_two_issuers(|| {
        let large = request(one(2, 11, None));
        assert_eq!(carry(&large, cosign(3, &large)), Err(custom(Error::NotSecondIssuer)));
        let cosignature = cosign(2, &large);
        RoleHolders::mutate(|holders| holders.retain(|(who, _)| *who != holder(2)));
        assert_eq!(carry(&large, cosignature), Err(custom(Error::NotSecondIssuer)));
    });
}

#[test]
fn a_second_signature_over_anything_else_is_refused() {
    test_with_two_issuers(|| {
        let large = request(one(2, 11, None));
        let seen = request(one(2, 10, None));
        assert_eq!(carry(&large, cosign(2, &seen)), Err(InvalidTransaction::BadProof.into()));
        let forged = Cosignature { issuer: holder(2), signature: sign(1, &large) };
        assert_eq!(carry(&large, Some(forged)), Err(InvalidTransaction::BadProof.into()));
    });
}

#[test]
fn a_second_signature_that_is_not_needed_must_be_right_all_the_same() {
    test_with_two_issuers(|| {
        let small = request(one(2, 1, None));
        let wrong = cosign(2, &request(one(2, 2, None)));
        assert_eq!(carry(&small, wrong), Err(InvalidTransaction::BadProof.into()));
        assert_ok!(carry(&small, cosign(2, &small)));
    });
}

#[test]
fn a_second_signature_gives_its_signer_no_mint_of_his_own() {
    test_with_two_issuers(|| {
        let large = request(one(2, 11, None));
        let turned = MintRequest { issuer: holder(2), ..large.clone() };
        let call = Call::<Test>::mint_signed {
            request: turned,
            signature: sign(2, &large),
            cosignature: cosign(1, &large),
        };
        let answer = call.authorize(TransactionSource::External).unwrap().map(|_| ());
        assert_eq!(answer, Err(InvalidTransaction::BadProof.into()));
    });
}

#[test]
fn with_and_without_its_second_signature_a_request_is_one_to_the_pool() {
    test_with_two_issuers(|| {
        let small = request(one(2, 1, None));
        let (alone, together) =
            (authorize(&small, None).unwrap(), authorize(&small, cosign(2, &small)).unwrap());
        assert_eq!(alone.provides, together.provides);
        assert_ok!(carry(&small, None));
        assert_eq!(carry(&small, cosign(2, &small)), Err(InvalidTransaction::Stale.into()));
    });
}

#[test]
fn a_basket_is_never_large() {
    test_with_two_issuers(|| {
        let lines = |each| BoundedVec::truncate_from(vec![(2, each, None), (2, each, None)]);
        let issuer = signed(&holder(1));
        assert_noop!(
            Entitlements::set_basket(issuer.clone(), 7, name("b"), lines(5 * CREDIT + 1)),
            Error::<Test>::BasketTooLarge
        );
        assert_ok!(Entitlements::set_basket(issuer.clone(), 7, name("b"), lines(5 * CREDIT)));
        assert_ok!(Entitlements::mint(issuer.clone(), ada(), Grant::Basket { basket: 7 }));
        // An upgrade may lower the threshold below what a basket holds already.
        LargeMint::set(CREDIT);
        assert_noop!(
            Entitlements::mint(issuer, ada(), Grant::Basket { basket: 7 }),
            Error::<Test>::BasketTooLarge
        );
        let asked = request(Grant::Basket { basket: 7 });
        assert_eq!(carry(&asked, cosign(2, &asked)), Err(custom(Error::BasketTooLarge)));
    });
}
