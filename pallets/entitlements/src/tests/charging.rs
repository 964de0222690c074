//! Charges: the reservation first, then what is available, earliest expiry first, never too much.

use stipend_primitives::{key::KeyLimits, ledger::Ledger, KeyHash};

use crate::{mock::*, Wallets};

fn charge(by: &stipend_primitives::AccountId, amount: u128) -> u128 {
    Entitlements::charge_alone(by, &ada(), INNOVATION, amount * CREDIT) / CREDIT
}

#[test]
fn a_charge_takes_the_gateways_reservation_before_what_is_available() {
    test(|| {
        mint(&ada(), 10, None);
        reserve(&gateway(), &ada(), 4, HOUR);
        assert_eq!(charge(&gateway(), 3), 3);
        assert_eq!(credits(&ada()), [6, 1, 3, 0, 0]);
        assert_eq!(charge(&gateway(), 3), 3);
        assert_eq!(credits(&ada()), [4, 0, 6, 0, 0]);
    });
}

#[test]
fn a_charge_never_touches_what_another_gateway_reserved() {
    test(|| {
        mint(&ada(), 10, None);
        reserve(&gateway(), &ada(), 4, HOUR);
        reserve(&other_gateway(), &ada(), 5, HOUR);
        assert_eq!(charge(&gateway(), 100), 5);
        assert_eq!(credits(&ada()), [0, 5, 5, 0, 0]);
        assert_eq!(charge(&gateway(), 1), 0);
        assert_eq!(charge(&other_gateway(), 100), 5);
        assert_eq!(credits(&ada()), [0, 0, 10, 0, 0]);
    });
}

#[test]
fn what_expires_first_is_spent_first() {
    test(|| {
        let never = mint(&ada(), 10, None);
        let late = mint(&ada(), 10, Some(START + 2 * DAY));
        let soon = mint(&ada(), 10, Some(START + DAY));
        assert_eq!(charge(&gateway(), 15), 15);
        assert_eq!([soon, late, never].map(|id| credits_of(id)[2]), [10, 5, 0]);
    });
}

#[test]
fn a_wallet_that_does_not_exist_collects_nothing_and_is_not_made() {
    test(|| {
        assert_eq!(charge(&gateway(), 1), 0);
        assert!(!Wallets::<Test>::contains_key(ada(), INNOVATION));
    });
}

#[test]
fn an_owner_who_never_asked_for_anything_is_not_charged() {
    test(|| {
        mint_without_key(&ada(), 10, None);
        assert!(!reserve(&gateway(), &ada(), 4, HOUR));
        assert_eq!(charge(&gateway(), 3), 0);
        assert_eq!(credits(&ada()), [10, 0, 0, 0, 0]);
    });
}

#[test]
fn once_the_last_key_is_revoked_only_what_was_reserved_before_is_charged() {
    test(|| {
        mint_without_key(&ada(), 10, None);
        let (first, second) = (KeyHash::repeat_byte(1), KeyHash::repeat_byte(2));
        for hash in [first, second] {
            Entitlements::register_key(signed(&ada()), hash, KeyLimits::default(), None).unwrap();
        }
        assert!(reserve(&gateway(), &ada(), 4, HOUR));
        Entitlements::revoke_key(signed(&ada()), first).unwrap();
        assert_eq!(charge(&gateway(), 5), 5);
        Entitlements::revoke_key(signed(&ada()), second).unwrap();
        assert!(!reserve(&gateway(), &ada(), 1, HOUR));
        assert_eq!(charge(&gateway(), 1), 0);
        assert_eq!(credits(&ada()), [5, 0, 5, 0, 0]);
    });
}

#[test]
fn what_was_reserved_before_the_last_key_was_revoked_stays_chargeable() {
    test(|| {
        mint(&ada(), 10, None);
        assert!(reserve(&gateway(), &ada(), 4, HOUR));
        let hash = Entitlements::api_keys_of(ada())[0];
        Entitlements::revoke_key(signed(&ada()), hash).unwrap();
        assert_eq!(charge(&gateway(), 100), 4);
    });
}

#[test]
fn classes_are_kept_apart() {
    test(|| {
        mint(&ada(), 10, None);
        assert_eq!(Entitlements::charge_alone(&gateway(), &ada(), PRIORITY, CREDIT), 0);
        assert_eq!(credits(&ada()), [10, 0, 0, 0, 0]);
    });
}

#[test]
fn owners_are_kept_apart() {
    test(|| {
        mint(&ada(), 10, None);
        mint(&bob(), 10, None);
        assert_eq!(charge(&gateway(), 50), 10);
        assert_eq!(credits(&bob()), [10, 0, 0, 0, 0]);
    });
}

#[test]
fn a_charge_for_which_nothing_is_collected_writes_nothing() {
    test(|| {
        mint(&ada(), 10, None);
        reserve(&gateway(), &ada(), 10, HOUR);
        let before = sp_io::storage::root(sp_runtime::StateVersion::V1);
        assert_eq!(charge(&other_gateway(), 5), 0);
        assert_eq!(charge(&gateway(), 0), 0);
        assert_eq!(sp_io::storage::root(sp_runtime::StateVersion::V1), before);
    });
}

#[test]
fn ten_thousand_wallets_are_charged_one_item_each() {
    test(|| {
        let owners: Vec<_> = (0..100_u8).flat_map(|a| (0..100_u8).map(move |b| [a, b])).collect();
        let account = |seed: &[u8; 2]| {
            let mut bytes = [7; 32];
            bytes[..2].copy_from_slice(seed);
            stipend_primitives::AccountId::new(bytes)
        };
        for owner in &owners {
            Entitlements::endow(&account(owner), INNOVATION, 5);
        }
        let collected: u128 = owners
            .iter()
            .map(|owner| Entitlements::charge_alone(&gateway(), &account(owner), INNOVATION, 3))
            .sum();
        assert_eq!(collected, 30_000);
        let wallet = Wallets::<Test>::get(account(&owners[0]), INNOVATION).unwrap();
        let len = codec::Encode::encode(&wallet).len();
        assert!(len <= 40, "a wallet of one entitlement is small: {len} bytes");
    });
}
