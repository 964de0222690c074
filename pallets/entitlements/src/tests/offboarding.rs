//! Leaving the company.

use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use stipend_primitives::{key::KeyLimits, ledger::Ledger};

use crate::{mock::*, Error, Event, Programs};

fn charge(amount: u128) -> u128 {
    Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, amount * CREDIT) / CREDIT
}

#[test]
fn everything_available_returns_to_the_programs_and_all_keys_are_gone() {
    test(|| {
        mint(&ada(), 10, None);
        mint(&ada(), 5, Some(START + DAY));
        assert_ok!(Entitlements::mint(signed(&hr()), ada(), one(1, 3, None)));
        let hash = H256::repeat_byte(1);
        assert_ok!(Entitlements::register_key(signed(&ada()), hash, KeyLimits::default(), None));
        assert_ok!(Entitlements::offboard(signed(&hr()), ada()));
        System::assert_has_event(Event::KeyRevoked { hash }.into());
        System::assert_last_event(Event::Offboarded { owner: ada() }.into());
        assert_eq!(credits(&ada()), [0, 0, 0, 0, 15]);
        assert_eq!(Entitlements::api_key(hash), None);
        for program in [0, 1] {
            assert_eq!(Programs::<Test>::get(program).unwrap().granted, 0);
        }
    });
}

#[test]
fn receipts_in_flight_are_charged_and_the_rest_of_the_reservation_is_revoked_when_it_ends() {
    test(|| {
        mint(&ada(), 10, None);
        reserve(&gateway(), &ada(), 6, HOUR);
        assert_ok!(Entitlements::offboard(signed(&hr()), ada()));
        assert_eq!(credits(&ada()), [0, 6, 0, 0, 4]);
        assert_eq!(charge(2), 2);
        assert!(!reserve(&gateway(), &ada(), 1, DAY), "it cannot be prolonged");
        wait(HOUR);
        assert_eq!(credits(&ada()), [0, 0, 2, 0, 8]);
        assert_eq!(charge(1), 0);
    });
}

#[test]
fn what_a_gateway_releases_returns_to_the_program_at_once() {
    test(|| {
        mint(&ada(), 10, None);
        reserve(&gateway(), &ada(), 6, HOUR);
        assert_ok!(Entitlements::offboard(signed(&hr()), ada()));
        release(&gateway(), &ada(), 5 * CREDIT);
        System::assert_has_event(Event::ReturnedToProgram { id: 0, amount: 5 * CREDIT }.into());
        assert_eq!(credits(&ada()), [0, 1, 0, 0, 9]);
        assert_eq!(Programs::<Test>::get(0).unwrap().granted, CREDIT);
    });
}

#[test]
fn a_refund_after_offboarding_goes_to_the_program_archived_or_not() {
    test(|| {
        mint(&ada(), 10, None);
        charge(10);
        mint(&ada(), 10, None);
        charge(5);
        assert_ok!(Entitlements::offboard(signed(&hr()), ada()));
        assert_eq!(Entitlements::refund(&ada(), INNOVATION, 15 * CREDIT), 15 * CREDIT);
        assert_eq!(credits(&ada()), [0, 0, 0, 0, 20]);
        assert_eq!(Programs::<Test>::get(0).unwrap().granted, 0);
    });
}

#[test]
fn an_offboarded_account_is_no_longer_admitted_and_keeps_its_nonce() {
    test(|| {
        mint(&ada(), 10, None);
        System::inc_account_nonce(ada());
        assert_ok!(Entitlements::offboard(signed(&hr()), ada()));
        assert_eq!(System::providers(&ada()), 0);
        mint(&ada(), 10, None);
        assert_eq!(System::providers(&ada()), 1);
        assert_eq!(System::account_nonce(ada()), 1, "old transactions cannot be sent again");
    });
}

#[test]
fn who_comes_back_uses_new_entitlements_and_none_of_the_old() {
    test(|| {
        mint(&ada(), 10, None);
        charge(4);
        assert_ok!(Entitlements::offboard(signed(&hr()), ada()));
        assert_ok!(Entitlements::offboard(signed(&hr()), ada()));
        mint(&ada(), 3, None);
        assert_eq!(charge(100), 3);
        assert_eq!(credits(&ada()), [0, 0, 7, 0, 6]);
    });
}

#[test]
fn session_keys_that_still_need_the_account_do_not_stop_offboarding() {
    test(|| {
        mint(&ada(), 10, None);
        assert_ok!(System::inc_consumers(&ada()));
        assert_ok!(Entitlements::offboard(signed(&hr()), ada()));
        assert_eq!(credits(&ada()), [0, 0, 0, 0, 10]);
        System::dec_consumers(&ada());
        assert_ok!(Entitlements::offboard(signed(&hr()), ada()));
        assert_eq!(System::providers(&ada()), 0);
    });
}

#[test]
fn only_issuers_offboard_and_only_owners_can_be_offboarded() {
    test(|| {
        mint(&ada(), 10, None);
        assert_noop!(Entitlements::offboard(signed(&ada()), ada()), Error::<Test>::NotIssuer);
        assert_noop!(Entitlements::offboard(signed(&hr()), bob()), Error::<Test>::OwnerUnknown);
    });
}
