//! API keys.

use frame_support::{assert_noop, assert_ok, BoundedVec};
use sp_core::H256;
use stipend_primitives::{
    key::{ApiKey, KeyLimits},
    AccountId, ClassId, Credits, ModelId,
};

use crate::{mock::*, types::KEYS_MAX, Error, Event};

fn hash(byte: u8) -> H256 {
    H256::repeat_byte(byte)
}

fn register(
    owner: &AccountId,
    byte: u8,
    reserve: Option<(AccountId, Vec<(ClassId, Credits)>)>,
) -> sp_runtime::DispatchResult {
    let reserve = reserve.map(|(gateway, rows)| (gateway, BoundedVec::truncate_from(rows)));
    Entitlements::register_key(signed(owner), hash(byte), KeyLimits::default(), reserve)
}

#[test]
fn a_key_is_bound_to_its_owner_and_found_by_its_whole_hash() {
    test(|| {
        mint_without_key(&ada(), 10, None);
        assert_ok!(register(&ada(), 1, None));
        System::assert_last_event(Event::KeyRegistered { owner: ada(), hash: hash(1) }.into());
        let expected = ApiKey { owner: ada(), limits: KeyLimits::default() };
        assert_eq!(Entitlements::api_key(hash(1)), Some(expected));
        assert_eq!(Entitlements::api_key(hash(2)), None);
        assert_eq!(Entitlements::api_keys_of(ada()), [hash(1)]);
    });
}

#[test]
fn a_key_comes_with_its_first_reservation_or_not_at_all() {
    test(|| {
        mint_without_key(&ada(), 10, None);
        let reserve = |credits| Some((gateway(), vec![(INNOVATION, credits * CREDIT)]));
        assert_noop!(register(&ada(), 1, reserve(11)), Error::<Test>::InsufficientAvailable);
        assert_ok!(register(&ada(), 1, reserve(6)));
        let row = &Entitlements::gateway_balances(gateway(), vec![ada()])[0];
        assert_eq!((row.reserved, row.expires_at, row.available), (6 * CREDIT, START + DAY, 4 * CREDIT));
    });
}

#[test]
fn a_first_reservation_is_made_for_gateways_only() {
    test(|| {
        mint_without_key(&ada(), 10, None);
        let reserve = Some((bob(), vec![(INNOVATION, CREDIT)]));
        assert_noop!(register(&ada(), 1, reserve), Error::<Test>::NotGateway);
    });
}

#[test]
fn a_hash_can_be_registered_once() {
    test(|| {
        mint_without_key(&ada(), 10, None);
        mint_without_key(&bob(), 10, None);
        assert_ok!(register(&ada(), 1, None));
        assert_noop!(register(&bob(), 1, None), Error::<Test>::KeyTaken);
    });
}

#[test]
fn only_who_holds_an_entitlement_registers_keys() {
    test(|| {
        assert_noop!(register(&ada(), 1, None), Error::<Test>::OwnerUnknown);
        let id = mint_without_key(&ada(), 10, None);
        assert_ok!(Entitlements::revoke(signed(&hr()), id, None));
        assert_noop!(register(&ada(), 1, None), Error::<Test>::NothingHeld);
    });
}

#[test]
fn an_owner_has_a_bounded_number_of_keys() {
    test(|| {
        mint_without_key(&ada(), 10, None);
        for byte in 0..KEYS_MAX as u8 {
            assert_ok!(register(&ada(), byte, None));
        }
        assert_noop!(register(&ada(), 0xFF, None), Error::<Test>::TooManyKeys);
        assert_ok!(Entitlements::revoke_key(signed(&ada()), hash(0)));
        assert_ok!(register(&ada(), 0xFF, None));
    });
}

#[test]
fn the_owner_and_issuers_revoke_a_key_and_nobody_else() {
    test(|| {
        mint_without_key(&ada(), 10, None);
        mint_without_key(&bob(), 10, None);
        assert_ok!(register(&ada(), 1, None));
        assert_ok!(register(&ada(), 2, None));
        assert_noop!(Entitlements::revoke_key(signed(&bob()), hash(1)), Error::<Test>::NotKeyOwner);
        assert_ok!(Entitlements::revoke_key(signed(&ada()), hash(1)));
        assert_ok!(Entitlements::revoke_key(signed(&hr()), hash(2)));
        System::assert_last_event(Event::KeyRevoked { hash: hash(2) }.into());
        assert_noop!(Entitlements::revoke_key(signed(&ada()), hash(1)), Error::<Test>::KeyUnknown);
        assert!(Entitlements::api_keys_of(ada()).is_empty());
    });
}

#[test]
fn only_the_owner_sets_limits() {
    test(|| {
        mint_without_key(&ada(), 10, None);
        assert_ok!(register(&ada(), 1, None));
        let limits = KeyLimits {
            models: BoundedVec::truncate_from(vec![ModelId(3)]),
            request_cost_max: Some(CREDIT),
            requests_per_minute_max: Some(60),
            expires_at: Some(START + DAY),
            credits_per_day_max: Some(20 * CREDIT),
            credits_per_minute_max: Some(2 * CREDIT),
            tokens_per_minute_max: Some(10_000),
            model_credits_per_day_max: BoundedVec::truncate_from(vec![(ModelId(3), 5 * CREDIT)]),
        };
        assert_noop!(
            Entitlements::set_limits(signed(&hr()), hash(1), limits.clone()),
            Error::<Test>::NotKeyOwner
        );
        assert_ok!(Entitlements::set_limits(signed(&ada()), hash(1), limits.clone()));
        System::assert_last_event(Event::LimitsSet { hash: hash(1) }.into());
        assert_eq!(Entitlements::api_key(hash(1)).unwrap().limits, limits);
        assert_noop!(Entitlements::set_limits(signed(&ada()), hash(2), limits), Error::<Test>::KeyUnknown);
    });
}

#[test]
fn a_key_that_would_be_expired_from_the_start_is_refused() {
    test(|| {
        mint_without_key(&ada(), 10, None);
        // Seconds instead of milliseconds.
        let limits = KeyLimits { expires_at: Some((START + DAY) / 1_000), ..KeyLimits::default() };
        assert_noop!(
            Entitlements::register_key(signed(&ada()), hash(1), limits, None),
            Error::<Test>::KeyExpired
        );
    });
}

#[test]
fn all_keys_can_be_read_page_by_page() {
    test(|| {
        mint_without_key(&ada(), 10, None);
        for byte in 0..20 {
            assert_ok!(register(&ada(), byte, None));
        }
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let page = Entitlements::api_keys(after, 7);
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            seen.extend(page.into_iter().map(|(hash, _)| hash));
            // A page continues where it should even if its last key is gone.
            assert_ok!(Entitlements::revoke_key(signed(&ada()), *seen.last().unwrap()));
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..20).map(hash).collect::<Vec<_>>());
    });
}
