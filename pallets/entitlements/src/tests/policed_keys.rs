//! How many API keys owners of a kind may have.

use frame_support::{assert_noop, assert_ok, BoundedVec};
use sp_core::H256;
use stipend_primitives::{key::KeyLimits, policy::EMPLOYEE};

use crate::{mock::*, types::KEYS_MAX, Error, Keys};

fn register(number: u8) -> sp_runtime::DispatchResult {
    let hash = H256::repeat_byte(number);
    Entitlements::register_key(signed(&ada()), hash, KeyLimits::default(), None)
}

/// Ada holds credits and is of a kind that may have so many keys.
fn test_with_keys(keys_max: u32, body: impl FnOnce()) {
    test(|| {
        set_policy(policy(&[(INNOVATION, 10)], None, keys_max));
        set_kind(&ada(), CONTRACTOR);
        mint_without_key(&ada(), 10, None);
        body();
    });
}

#[test]
fn an_owner_has_as_many_keys_as_its_kind_may_have_at_a_time() {
    test_with_keys(2, || {
        assert_ok!(register(1));
        assert_ok!(register(2));
        assert_noop!(register(3), Error::<Test>::PolicyForbidsKey);
        assert_ok!(Entitlements::revoke_key(signed(&ada()), H256::repeat_byte(1)));
        assert_ok!(register(3));
    });
}

#[test]
fn a_kind_without_keys_registers_none_and_so_spends_nothing() {
    test_with_keys(0, || {
        assert_noop!(register(1), Error::<Test>::PolicyForbidsKey);
        assert!(!reserve(&gateway(), &ada(), 1, HOUR));
    });
}

#[test]
fn a_key_that_is_refused_reserves_nothing() {
    test_with_keys(1, || {
        assert_ok!(register(1));
        let reserve = (gateway(), BoundedVec::truncate_from(vec![(INNOVATION, CREDIT)]));
        let hash = H256::repeat_byte(2);
        let second = Entitlements::register_key(signed(&ada()), hash, KeyLimits::default(), Some(reserve));
        assert_noop!(second, Error::<Test>::PolicyForbidsKey);
        assert!(!Keys::<Test>::contains_key(hash));
    });
}

#[test]
fn keys_from_before_a_stricter_kind_work_on_and_count() {
    test(|| {
        mint_without_key(&ada(), 10, None);
        for number in 1..=3 {
            assert_ok!(register(number));
        }
        set_policy(policy(&[], None, 2));
        set_kind(&ada(), CONTRACTOR);
        assert_eq!(Entitlements::api_keys_of(ada()).len(), 3);
        assert!(reserve(&gateway(), &ada(), 1, HOUR));
        let limits = KeyLimits { request_cost_max: Some(1), ..KeyLimits::default() };
        assert_ok!(Entitlements::set_limits(signed(&ada()), H256::repeat_byte(1), limits));
        assert_noop!(register(4), Error::<Test>::PolicyForbidsKey);
        assert_ok!(Entitlements::revoke_key(signed(&hr()), H256::repeat_byte(1)));
        assert_noop!(register(4), Error::<Test>::PolicyForbidsKey);
        assert_ok!(Entitlements::revoke_key(signed(&hr()), H256::repeat_byte(2)));
        assert_ok!(register(4));
    });
}

#[test]
fn an_employee_has_as_many_keys_as_anybody() {
    test_with_keys(1, || {
        set_kind(&ada(), EMPLOYEE);
        for number in 1..=KEYS_MAX as u8 {
            assert_ok!(register(number));
        }
        assert_noop!(register(200), Error::<Test>::TooManyKeys);
    });
}
