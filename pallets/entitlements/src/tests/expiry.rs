//! Time takes effect when somebody looks, and nobody has to walk the wallets.

use frame_support::assert_ok;
use stipend_primitives::{ledger::Ledger, mint::Grant};

use crate::{mock::*, Programs};

fn charge(amount: u128) -> u128 {
    Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, amount * CREDIT) / CREDIT
}

#[test]
fn credits_expire_at_the_moment_named_and_not_before() {
    test(|| {
        mint(&ada(), 10, Some(START + DAY));
        wait(DAY - 1);
        assert_eq!(charge(1), 1);
        wait(1);
        assert_eq!(credits(&ada()), [0, 0, 1, 9, 0]);
        assert_eq!(charge(1), 0);
        assert!(!reserve(&gateway(), &ada(), 1, HOUR));
    });
}

#[test]
fn expired_credits_stay_granted_and_do_not_return_to_the_program() {
    test(|| {
        mint(&ada(), 10, Some(START + DAY));
        wait(DAY);
        mint(&ada(), 1, None);
        let program = Programs::<Test>::get(0).unwrap();
        assert_eq!(program.granted, 11 * CREDIT);
        assert_eq!(program.unminted, 999_989 * CREDIT);
    });
}

#[test]
fn reserved_credits_outlive_their_entitlement_until_the_reservation_ends() {
    test(|| {
        let id = mint(&ada(), 10, Some(START + DAY));
        wait(DAY - HOUR);
        reserve(&gateway(), &ada(), 6, 3 * HOUR);
        wait(2 * HOUR);
        assert_eq!(credits_of(id), [0, 6, 0, 4, 0]);
        assert_eq!(charge(2), 2, "what was admitted in time is charged");
        wait(HOUR);
        assert_eq!(credits_of(id), [0, 0, 2, 8, 0]);
        assert_eq!(charge(1), 0);
    });
}

#[test]
fn a_reservation_that_ended_is_available_again_and_late_receipts_are_still_covered() {
    test(|| {
        mint(&ada(), 10, None);
        reserve(&gateway(), &ada(), 10, HOUR);
        wait(HOUR);
        assert_eq!(credits(&ada()), [10, 0, 0, 0, 0]);
        assert_eq!(charge(4), 4);
        assert_eq!(credits(&ada()), [6, 0, 4, 0, 0]);
    });
}

#[test]
fn an_entitlement_cannot_be_used_before_its_time() {
    test(|| {
        let later =
            Grant::One { program: 0, amount: 10 * CREDIT, valid_from: Some(START + DAY), valid_until: None };
        assert_ok!(Entitlements::mint(signed(&hr()), ada(), later));
        Entitlements::endow_key(&ada());
        assert_eq!(charge(1), 0);
        assert!(!reserve(&gateway(), &ada(), 1, HOUR));
        assert_eq!(Entitlements::gateway_balances(gateway(), vec![ada()])[0].available, 0);
        wait(DAY);
        assert!(reserve(&gateway(), &ada(), 1, HOUR));
        assert_eq!(charge(10), 10);
    });
}

#[test]
fn a_wallet_tells_when_the_next_credits_expire() {
    test(|| {
        mint(&ada(), 10, None);
        mint(&ada(), 10, Some(START + 2 * DAY));
        mint(&ada(), 10, Some(START + DAY));
        let expires_next = || Entitlements::wallet(ada())[0].expires_next;
        assert_eq!(expires_next(), Some(START + DAY));
        charge(10);
        assert_eq!(expires_next(), Some(START + 2 * DAY));
        charge(10);
        assert_eq!(expires_next(), None);
    });
}
