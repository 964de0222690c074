//! Refunds: to the wallet they came from, the last charge undone first.

use frame_support::assert_ok;
use stipend_primitives::ledger::Ledger;

use crate::mock::*;

fn charge(amount: u128) -> u128 {
    Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, amount * CREDIT) / CREDIT
}

fn refund(amount: u128) -> u128 {
    Entitlements::refund(&ada(), INNOVATION, amount * CREDIT) / CREDIT
}

#[test]
fn a_refund_makes_spent_credits_available_again() {
    test(|| {
        mint(&ada(), 10, None);
        charge(6);
        assert_eq!(refund(2), 2);
        assert_eq!(credits(&ada()), [6, 0, 4, 0, 0]);
    });
}

#[test]
fn a_refund_never_exceeds_what_the_wallet_has_spent() {
    test(|| {
        mint(&ada(), 10, None);
        charge(6);
        assert_eq!(refund(7), 6);
        assert_eq!(refund(1), 0);
        assert_eq!(credits(&ada()), [10, 0, 0, 0, 0]);
        assert_eq!(Entitlements::refund(&bob(), INNOVATION, CREDIT), 0);
    });
}

#[test]
fn a_refund_undoes_the_last_charge_first() {
    test(|| {
        let never = mint(&ada(), 10, None);
        let soon = mint(&ada(), 10, Some(START + DAY));
        charge(15);
        assert_eq!(refund(7), 7);
        assert_eq!([soon, never].map(|id| credits_of(id)[2]), [8, 0]);
    });
}

#[test]
fn a_refund_to_an_expired_entitlement_expires_at_once() {
    test(|| {
        mint(&ada(), 10, Some(START + DAY));
        charge(10);
        wait(DAY);
        assert_eq!(refund(10), 10);
        assert_eq!(credits(&ada()), [0, 0, 0, 10, 0]);
    });
}

#[test]
fn a_refund_prefers_entitlements_that_were_not_withdrawn() {
    test(|| {
        let kept = mint(&ada(), 10, Some(START + DAY));
        let withdrawn = mint(&ada(), 10, None);
        charge(20);
        assert_ok!(Entitlements::revoke(signed(&hr()), withdrawn, None));
        assert_eq!(refund(12), 12);
        assert_eq!(credits_of(kept), [10, 0, 0, 0, 0]);
        assert_eq!(credits_of(withdrawn), [0, 0, 8, 0, 2]);
    });
}
