//! Mint requests that an issuer signs off-chain and anybody carries to the chain.

use ed25519_dalek::{Signer, SigningKey};
use frame_support::{
    assert_noop, assert_ok,
    pallet_prelude::{InvalidTransaction, TransactionSource, TransactionValidityError, ValidTransaction},
    traits::Authorize,
};
use frame_system::RawOrigin;
use sp_core::H256;
use stipend_primitives::{mint::MintRequest, AccountId, Role, Signature};

use crate::{mock::*, Call, Error};

fn key() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

fn issuer() -> AccountId {
    AccountId::new(key().verifying_key().to_bytes())
}

/// A request of an issuer who owns program 2 (1,000 credits), signed.
fn request(credits: u128) -> (MintRequest, Signature) {
    if Entitlements::programs().len() == 2 {
        RoleHolders::mutate(|holders| holders.push((issuer(), Role::Issuer)));
        assert_ok!(Entitlements::delegate_program(signed(&hr()), 0, name("Lab"), issuer(), 1_000 * CREDIT));
    }
    let request = MintRequest {
        issuer: issuer(),
        idempotency_key: [7; 16],
        owner: ada(),
        grant: one(2, credits, None),
    };
    let signature = sign(&request);
    (request, signature)
}

fn sign(request: &MintRequest) -> Signature {
    key().sign(&request.signing_payload(&System::block_hash(0))).to_bytes()
}

fn authorize(
    (request, signature): (MintRequest, Signature),
) -> Result<ValidTransaction, TransactionValidityError> {
    Call::<Test>::mint_signed { request, signature, cosignature: None }
        .authorize(TransactionSource::External)
        .unwrap()
        .map(|(validity, _)| validity)
}

/// What the extension `AuthorizeCall` and the dispatch do.
fn carry((request, signature): (MintRequest, Signature)) -> Result<(), TransactionValidityError> {
    authorize((request.clone(), signature))?;
    Entitlements::mint_signed(RawOrigin::Authorized.into(), request, signature, None).unwrap();
    Ok(())
}

#[test]
fn a_signed_request_mints_once() {
    test(|| {
        assert_ok!(carry(request(10)));
        assert_eq!(credits(&ada()), [10, 0, 0, 0, 0]);
        let ids = Entitlements::minted(issuer(), [7; 16]).unwrap();
        assert_eq!(Entitlements::entitlement(ids[0]).unwrap().issuer, issuer());
        assert_eq!(carry(request(10)), Err(InvalidTransaction::Stale.into()));
        assert_eq!(credits(&ada()), [10, 0, 0, 0, 0]);
    });
}

#[test]
fn a_used_idempotency_key_mints_nothing_else_either() {
    test(|| {
        assert_ok!(carry(request(10)));
        assert_eq!(carry(request(20)), Err(InvalidTransaction::Stale.into()));
        let (request, signature) = request(20);
        assert_noop!(
            Entitlements::mint_signed(RawOrigin::Authorized.into(), request, signature, None),
            Error::<Test>::AlreadyMinted
        );
    });
}

#[test]
fn a_request_changed_after_signing_is_refused() {
    test(|| {
        let (honest, signature) = request(10);
        for changed in [
            MintRequest { owner: bob(), ..honest.clone() },
            MintRequest { idempotency_key: [8; 16], ..honest.clone() },
            MintRequest { grant: one(2, 11, None), ..honest.clone() },
        ] {
            assert_eq!(authorize((changed, signature)), Err(InvalidTransaction::BadProof.into()));
        }
        assert_ok!(authorize((honest, signature)));
    });
}

#[test]
fn a_request_signed_for_another_chain_is_refused() {
    test(|| {
        let (request, _) = request(10);
        let elsewhere = key().sign(&request.signing_payload(&H256::repeat_byte(1))).to_bytes();
        assert_eq!(authorize((request, elsewhere)), Err(InvalidTransaction::BadProof.into()));
    });
}

#[test]
fn a_request_of_somebody_who_is_no_issuer_is_refused() {
    test(|| {
        let signed_request = request(10);
        RoleHolders::mutate(|holders| holders.retain(|(who, _)| *who != issuer()));
        assert_eq!(authorize(signed_request), Err(InvalidTransaction::BadSigner.into()));
    });
}

#[test]
fn a_request_that_would_fail_never_gets_into_a_block_and_says_why() {
    test(|| {
        let refusal = authorize(request(1_001)).unwrap_err();
        let sp_runtime::DispatchError::Module(expected) = Error::<Test>::BudgetExhausted.into() else {
            unreachable!("an error of a pallet")
        };
        assert_eq!(refusal, InvalidTransaction::Custom(expected.error[0]).into());
    });
}

#[test]
fn looking_at_a_request_changes_nothing() {
    test(|| {
        let signed_request = request(10);
        let before = sp_io::storage::root(sp_runtime::StateVersion::V1);
        assert_ok!(authorize(signed_request));
        assert_eq!(sp_io::storage::root(sp_runtime::StateVersion::V1), before);
    });
}

#[test]
fn the_pool_knows_a_request_by_issuer_and_key_and_forgets_it_in_time() {
    test(|| {
        let (first, second) = (authorize(request(10)).unwrap(), authorize(request(20)).unwrap());
        assert_eq!(first.provides, second.provides, "the second of the two waits or goes");
        let (mut other, _) = request(10);
        other.idempotency_key = [8; 16];
        let signature = sign(&other);
        assert_ne!(authorize((other, signature)).unwrap().provides, first.provides);
        assert!(first.longevity < 1_000 && first.propagate);
    });
}

#[test]
fn nobody_signs_or_sends_the_call_as_an_ordinary_transaction() {
    test(|| {
        let (request, signature) = request(10);
        assert_noop!(
            Entitlements::mint_signed(signed(&issuer()), request.clone(), signature, None),
            sp_runtime::DispatchError::BadOrigin
        );
        assert_noop!(
            Entitlements::mint_signed(RawOrigin::None.into(), request, signature, None),
            sp_runtime::DispatchError::BadOrigin
        );
    });
}
