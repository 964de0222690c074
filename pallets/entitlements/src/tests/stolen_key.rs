//! A thief with one issuer's key tries all that the key can do, for days.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer, SigningKey};
use frame_support::{assert_ok, pallet_prelude::TransactionSource, traits::Authorize, BoundedVec};
use frame_system::RawOrigin;
use stipend_primitives::{
    mint::{Cosignature, Grant, MintRequest},
    policy::EMPLOYEE,
    AccountId, ClassId, Credits, Role,
};

use crate::{
    mock::*, Call, Entitlements as Granted, Error, Event, NextEntitlementId, NextProgramId,
    PROGRAMS_FOR_COUNCIL, PROGRAMS_MAX,
};

const ALLOWANCE: Credits = 1_000 * CREDIT;
const LARGE: Credits = 100 * CREDIT;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

/// The issuer whose key is stolen.
fn victim() -> AccountId {
    AccountId::new(key().verifying_key().to_bytes())
}

/// An account of the thief.
fn thief() -> AccountId {
    account(0x66)
}

/// An honest issuer with programs below the victim's.
fn colleague() -> AccountId {
    account(0x77)
}

fn accomplice() -> AccountId {
    account(0x88)
}

/// A company whose HR key owns 1,000,000 credits of two classes, and a colleague with a basket.
fn company() {
    MintAllowance::set(ALLOWANCE);
    LargeMint::set(LARGE);
    for issuer in [victim(), colleague()] {
        RoleHolders::mutate(|holders| holders.push((issuer, Role::Issuer)));
    }
    for class in [INNOVATION, PRIORITY] {
        assert_ok!(Entitlements::create_program(council(), name("Big"), class, victim(), 1_000_000 * CREDIT));
    }
    assert_ok!(Entitlements::delegate_program(
        signed(&victim()),
        2,
        name("Lab"),
        colleague(),
        5_000 * CREDIT
    ));
    let lines = BoundedVec::truncate_from(vec![(4, 10 * CREDIT, None)]);
    assert_ok!(Entitlements::set_basket(signed(&colleague()), 9, name("lab"), lines));
}

/// All that was ever minted, per issuer and class.
fn minted() -> BTreeMap<(AccountId, ClassId), Credits> {
    let mut sums = BTreeMap::new();
    for entitlement in Granted::<Test>::iter_values() {
        *sums.entry((entitlement.issuer, entitlement.class)).or_default() += entitlement.granted;
    }
    sums
}

fn signed_request(key_number: u8, grant: Grant) -> Call<Test> {
    let request = MintRequest { issuer: victim(), idempotency_key: [key_number; 16], owner: thief(), grant };
    let payload = request.signing_payload(&System::block_hash(0));
    let signature = key().sign(&payload).to_bytes();
    // The thief has no second key: an own one and the stolen one again are all there is to try.
    let own = SigningKey::from_bytes(&[6; 32]);
    let cosignature = match key_number % 3 {
        0 => None,
        1 => Some((own.verifying_key().to_bytes(), own.sign(&payload).to_bytes())),
        _ => Some((key().verifying_key().to_bytes(), signature)),
    };
    let cosignature =
        cosignature.map(|(issuer, signature)| Cosignature { issuer: AccountId::new(issuer), signature });
    Call::mint_signed { request, signature, cosignature }
}

/// Puts credits back into the budgets and makes room in the wallet, to mint them again.
fn withdraw() {
    let _ = Entitlements::revoke(signed(&victim()), NextEntitlementId::<Test>::get().saturating_sub(1), None);
    let _ = Entitlements::offboard(signed(&victim()), thief());
}

/// Tries every way to mint with the key, in amounts from all there is down to a hundredth of the
/// allowance.
fn plunder(round: u8) {
    let programs = NextProgramId::<Test>::get();
    for program in 0..programs {
        for part in [1, 2, 5, 10, 20, 100] {
            let amount = ALLOWANCE / part;
            let grant = || Grant::One { program, amount, valid_from: None, valid_until: None };
            let _ = Entitlements::mint(signed(&victim()), thief(), grant());
            let many = BoundedVec::truncate_from(vec![(thief(), grant()); 3]);
            let _ = Entitlements::mint_many(signed(&victim()), many);
            let lines = BoundedVec::truncate_from(vec![(program, amount / 2, None); 2]);
            let _ = Entitlements::set_basket(signed(&victim()), 1, name("loot"), lines);
            for basket in [1, 9] {
                let _ = Entitlements::mint(signed(&victim()), thief(), Grant::Basket { basket });
            }
            let call = signed_request(round ^ (part as u8) ^ ((program as u8) << 4), grant());
            if let (Some(Ok(_)), Call::mint_signed { request, signature, cosignature }) =
                (call.authorize(TransactionSource::External), call.clone())
            {
                let authorized = RawOrigin::Authorized.into();
                assert_ok!(Entitlements::mint_signed(authorized, request, signature, cosignature));
            }
            withdraw();
        }
        // And the rest in small change.
        let change = Grant::One { program, amount: ALLOWANCE / 100, valid_from: None, valid_until: None };
        while Entitlements::mint(signed(&victim()), thief(), change.clone()).is_ok() {
            withdraw();
        }
        if program == 2 || program == 3 {
            let to = if round.is_multiple_of(2) { accomplice() } else { victim() };
            let moved =
                Entitlements::delegate_program(signed(&victim()), program, name("Cave"), to, 10 * CREDIT);
            assert_ok!(moved);
        }
        let all = Grant::One { program, amount: CREDIT, valid_from: None, valid_until: None };
        assert!(Entitlements::mint(signed(&accomplice()), thief(), all).is_err(), "an accomplice minted");
    }
    let raise = Entitlements::set_mint_allowance(signed(&victim()), victim(), INNOVATION, Some(u128::MAX));
    assert!(raise.is_err(), "an issuer raised its own allowance");
}

#[test]
fn a_stolen_key_mints_its_allowance_per_class_and_period_and_no_more() {
    test(|| {
        company();
        let mut before = minted();
        for day in 0..3_u8 {
            for hour in 0..3_u8 {
                plunder(day * 3 + hour);
                let now = minted();
                for class in [INNOVATION, PRIORITY] {
                    let of = |sums: &BTreeMap<_, Credits>| {
                        sums.get(&(victim(), class)).copied().unwrap_or_default()
                    };
                    assert_eq!(of(&now) - of(&before), ALLOWANCE, "day {day}, hour {hour}, {class:?}");
                }
                let others: Vec<_> = now.keys().filter(|(issuer, _)| *issuer != victim()).collect();
                assert!(others.is_empty(), "somebody else's allowance was used: {others:?}");
            }
            before = minted();
            Now::mutate(|now| *now = (*now / DAY + 1) * DAY);
        }
    });
}

#[test]
fn a_thief_who_comes_just_before_midnight_gets_two_allowances_and_not_three() {
    test(|| {
        company();
        Now::set((START / DAY + 1) * DAY - 1);
        plunder(0);
        Now::mutate(|now| *now += 1);
        plunder(1);
        Now::mutate(|now| *now += DAY - 1);
        plunder(2);
        assert_eq!(minted()[&(victim(), INNOVATION)], 2 * ALLOWANCE);
    });
}

#[test]
fn a_revoked_role_stops_requests_that_the_thief_signed_in_advance() {
    test(|| {
        company();
        let grant = || Grant::One { program: 2, amount: CREDIT, valid_from: None, valid_until: None };
        let in_advance: Vec<_> = (0..10).map(|number| signed_request(number * 3, grant())).collect();
        assert!(matches!(in_advance[0].authorize(TransactionSource::External), Some(Ok(_))));
        RoleHolders::mutate(|holders| holders.retain(|(who, _)| *who != victim()));
        for call in in_advance {
            assert!(matches!(call.authorize(TransactionSource::External), Some(Err(_))));
        }
    });
}

#[test]
fn whatever_a_thief_writes_into_baskets_an_honest_issuer_mints_none_of_it() {
    test(|| {
        company();
        // The victim owns the program above the colleague's, and still cannot touch the colleague's basket.
        let lines = BoundedVec::truncate_from(vec![(4, LARGE, None)]);
        let changed = Entitlements::set_basket(signed(&victim()), 9, name("lab"), lines);
        assert_eq!(changed, Err(Error::<Test>::NotBasketIssuer.into()));
        assert_ok!(Entitlements::mint(signed(&colleague()), ada(), Grant::Basket { basket: 9 }));
        assert_eq!(credits(&ada()), [10, 0, 0, 0, 0]);
    });
}

#[test]
fn budgets_that_a_thief_moves_down_stay_within_reach_of_those_above() {
    test(|| {
        company();
        let unminted = Entitlements::programs()[2].1.unminted;
        let moved =
            Entitlements::delegate_program(signed(&victim()), 2, name("Cave"), accomplice(), unminted);
        assert_ok!(moved);
        let grant = Grant::One { program: 5, amount: CREDIT, valid_from: None, valid_until: None };
        assert!(Entitlements::mint(signed(&accomplice()), thief(), grant.clone()).is_err());
        assert_ok!(Entitlements::mint(signed(&victim()), ada(), grant));
    });
}

#[test]
fn a_thief_cannot_use_up_the_numbers_of_the_councils_programs() {
    test(|| {
        company();
        NextProgramId::<Test>::put(PROGRAMS_MAX - PROGRAMS_FOR_COUNCIL - 1);
        let delegate = || Entitlements::delegate_program(signed(&victim()), 2, name("x"), thief(), 0);
        assert_ok!(delegate());
        assert_eq!(delegate(), Err(Error::<Test>::TooManyPrograms.into()));
        assert_ok!(Entitlements::create_program(council(), name("Next"), INNOVATION, hr(), CREDIT));
        // The numbers in between were skipped by hand: put the state in order for what follows the test.
        let first_free: u32 = 5;
        for (at, id) in (PROGRAMS_MAX - PROGRAMS_FOR_COUNCIL - 1..).take(2).enumerate() {
            let program = crate::Programs::<Test>::take(id).unwrap();
            crate::Programs::<Test>::insert(first_free + at as u32, program);
        }
        NextProgramId::<Test>::put(first_free + 2);
    });
}

#[test]
fn a_policy_that_the_key_lifts_yields_no_more_than_the_allowance() {
    test(|| {
        company();
        set_policy(policy(&[(INNOVATION, 5)], Some(DAY), 1));
        set_kind(&thief(), CONTRACTOR);
        let mint = |credits| Entitlements::mint(signed(&victim()), thief(), one(2, credits, None));
        assert!(mint(1).is_err(), "the policy wants an end");
        assert_ok!(Entitlements::set_kind(signed(&victim()), thief(), EMPLOYEE));
        let lifted = Event::KindSet { owner: thief(), kind: EMPLOYEE, issuer: victim() };
        System::assert_has_event(lifted.into());
        while mint(100).is_ok() {}
        assert_eq!(minted()[&(victim(), INNOVATION)], ALLOWANCE);
    });
}
