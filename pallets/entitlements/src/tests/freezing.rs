//! A frozen owner: only what gateways have reserved already can be charged.

use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use stipend_primitives::{key::KeyLimits, ledger::Ledger};

use crate::{mock::*, Error};

#[test]
fn nothing_new_is_reserved_or_charged_while_frozen() {
    test(|| {
        mint(&ada(), 10, None);
        reserve(&gateway(), &ada(), 4, HOUR);
        assert_ok!(Entitlements::freeze(signed(&hr()), ada(), true));
        assert!(!reserve(&gateway(), &ada(), 1, HOUR));
        assert_eq!(Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, 10 * CREDIT), 4 * CREDIT);
        assert_eq!(credits(&ada()), [6, 0, 4, 0, 0]);
        let row = &Entitlements::gateway_balances(gateway(), vec![ada()])[0];
        assert_eq!((row.available, row.reserved), (0, 0));
        assert!(Entitlements::wallet(ada())[0].frozen);
    });
}

#[test]
fn nothing_is_given_back_and_no_key_is_registered_while_frozen() {
    test(|| {
        let id = mint(&ada(), 10, None);
        assert_ok!(Entitlements::freeze(signed(&hr()), ada(), true));
        assert_noop!(Entitlements::give_back(signed(&ada()), id, 1), Error::<Test>::OwnerFrozen);
        assert_noop!(
            Entitlements::register_key(signed(&ada()), H256::repeat_byte(1), KeyLimits::default(), None),
            Error::<Test>::OwnerFrozen
        );
    });
}

#[test]
fn lifting_a_freeze_restores_the_wallet() {
    test(|| {
        mint(&ada(), 10, None);
        assert_ok!(Entitlements::freeze(signed(&hr()), ada(), true));
        assert_ok!(Entitlements::freeze(signed(&hr()), ada(), false));
        assert!(reserve(&gateway(), &ada(), 10, HOUR));
    });
}

#[test]
fn a_class_granted_while_frozen_is_frozen_too() {
    test(|| {
        mint(&ada(), 10, None);
        assert_ok!(Entitlements::freeze(signed(&hr()), ada(), true));
        assert_ok!(Entitlements::mint(signed(&hr()), ada(), one(1, 5, None)));
        assert_eq!(Entitlements::charge_alone(&gateway(), &ada(), PRIORITY, CREDIT), 0);
    });
}

#[test]
fn issuers_take_back_and_refunds_arrive_while_frozen() {
    test(|| {
        let id = mint(&ada(), 10, None);
        Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, 5 * CREDIT);
        assert_ok!(Entitlements::freeze(signed(&hr()), ada(), true));
        assert_ok!(Entitlements::revoke(signed(&hr()), id, Some(2 * CREDIT)));
        assert_eq!(Entitlements::refund(&ada(), INNOVATION, CREDIT), CREDIT);
        assert_eq!(credits(&ada()), [4, 0, 4, 0, 2]);
    });
}

#[test]
fn only_issuers_freeze_and_only_owners_can_be_frozen() {
    test(|| {
        mint(&ada(), 10, None);
        assert_noop!(Entitlements::freeze(signed(&ada()), ada(), false), Error::<Test>::NotIssuer);
        assert_noop!(Entitlements::freeze(signed(&hr()), bob(), true), Error::<Test>::OwnerUnknown);
    });
}
