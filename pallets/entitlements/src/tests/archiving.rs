//! Used-up entitlements leave the wallet, and refunds still find them.

use frame_support::{assert_noop, assert_ok};
use stipend_primitives::ledger::Ledger;

use crate::{mock::*, types::SLICES_MAX, Archive, Error, Wallets};

fn charge(amount: u128) -> u128 {
    Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, amount * CREDIT) / CREDIT
}

fn refund(amount: u128) -> u128 {
    Entitlements::refund(&ada(), INNOVATION, amount * CREDIT) / CREDIT
}

fn slices() -> usize {
    Wallets::<Test>::get(ada(), INNOVATION).unwrap().slices.len()
}

#[test]
fn a_mint_moves_what_is_used_up_out_of_the_wallet_and_no_figure_is_lost() {
    test(|| {
        let spent = mint(&ada(), 10, None);
        assert_eq!(charge(10), 10);
        let expired = mint(&ada(), 5, Some(START + DAY));
        wait(DAY);
        let fresh = mint(&ada(), 7, None);
        assert_eq!(slices(), 1);
        assert!(Archive::<Test>::contains_key(spent) && Archive::<Test>::contains_key(expired));
        assert_eq!(credits(&ada()), [7, 0, 10, 5, 0]);
        assert_eq!(credits_of(spent), [0, 0, 10, 0, 0]);
        assert_eq!(credits_of(expired), [0, 0, 0, 5, 0]);
        assert_eq!(credits_of(fresh), [7, 0, 0, 0, 0]);
        assert_eq!(Entitlements::entitlements(ada()).len(), 3);
    });
}

#[test]
fn a_wallet_can_be_granted_more_than_it_has_room_for_over_the_years() {
    test(|| {
        for month in 0..200_u128 {
            mint(&ada(), 10 + month % 3, Some(Now::get() + 30 * DAY));
            charge(month % 12);
            wait(30 * DAY);
        }
        assert_eq!(Entitlements::entitlements(ada()).len(), 200);
        assert!(slices() <= 2);
        let [available, reserved, spent, expired, revoked] = credits(&ada());
        assert_eq!(available + reserved + spent + expired + revoked, 2_199);
        assert_eq!(spent, (0..200).map(|month| month % 12).sum());
    });
}

#[test]
fn a_mint_is_refused_while_the_wallet_is_full_of_unused_entitlements() {
    test(|| {
        for _ in 0..SLICES_MAX {
            mint(&ada(), 1, None);
        }
        assert_noop!(
            Entitlements::mint(signed(&hr()), ada(), one(0, 1, None)),
            Error::<Test>::TooManyEntitlements
        );
        assert_eq!(charge(1), 1);
        assert_ok!(Entitlements::mint(signed(&hr()), ada(), one(0, 1, None)));
    });
}

#[test]
fn a_refund_makes_an_archived_entitlement_usable_again() {
    test(|| {
        let id = mint(&ada(), 10, None);
        charge(10);
        mint(&ada(), 1, None);
        assert!(Archive::<Test>::contains_key(id));
        assert_eq!(refund(4), 4);
        assert!(!Archive::<Test>::contains_key(id));
        assert_eq!(credits_of(id), [4, 0, 6, 0, 0]);
        assert_eq!(charge(5), 5);
        assert_eq!(credits(&ada()), [0, 0, 11, 0, 0]);
    });
}

#[test]
fn a_refund_to_an_archived_entitlement_that_expired_since_expires_at_once() {
    test(|| {
        let id = mint(&ada(), 10, Some(START + DAY));
        charge(10);
        mint(&ada(), 1, None);
        wait(DAY);
        assert_eq!(refund(10), 10);
        assert_eq!(credits_of(id), [0, 0, 0, 10, 0]);
        assert_eq!(credits(&ada()), [1, 0, 0, 10, 0]);
    });
}

#[test]
fn a_refund_to_an_archived_entitlement_that_was_withdrawn_since_goes_to_the_program() {
    test(|| {
        let id = mint(&ada(), 10, None);
        charge(10);
        mint(&ada(), 1, None);
        assert_ok!(Entitlements::revoke(signed(&hr()), id, None));
        let unminted = crate::Programs::<Test>::get(0).unwrap().unminted;
        assert_eq!(refund(10), 10);
        assert_eq!(credits_of(id), [0, 0, 0, 0, 10]);
        assert_eq!(crate::Programs::<Test>::get(0).unwrap().unminted, unminted + 10 * CREDIT);
    });
}

#[test]
fn refunds_walk_the_archive_from_the_newest_back() {
    test(|| {
        let ids: Vec<_> = (0..5)
            .map(|_| {
                let id = mint(&ada(), 10, None);
                charge(10);
                id
            })
            .collect();
        mint(&ada(), 1, None);
        assert_eq!(refund(25), 25);
        let spent: Vec<_> = ids.into_iter().map(|id| credits_of(id)[2]).collect();
        assert_eq!(spent, [10, 10, 5, 0, 0]);
        Entitlements::do_try_state().unwrap();
        assert_eq!(refund(100), 25, "never more than was spent");
    });
}

#[test]
fn refunds_reach_the_archive_of_a_wallet_that_was_minted_full() {
    test(|| {
        for _ in 0..SLICES_MAX {
            mint(&ada(), 1, None);
            charge(1);
        }
        for _ in 0..SLICES_MAX {
            mint(&ada(), 1, None);
        }
        let all = u128::from(SLICES_MAX);
        assert_eq!(credits(&ada()), [all, 0, all, 0, 0]);
        assert_eq!(refund(all), all);
        assert_eq!(credits(&ada()), [2 * all, 0, 0, 0, 0]);
    });
}

#[test]
fn refunds_pass_through_any_number_of_expired_entitlements() {
    test(|| {
        for _ in 0..300 {
            mint(&ada(), 1, Some(Now::get() + DAY));
            charge(1);
            wait(DAY);
        }
        for _ in 0..SLICES_MAX {
            mint(&ada(), 1, None);
        }
        assert_eq!(refund(300), 300);
        assert_eq!(credits(&ada()), [u128::from(SLICES_MAX), 0, 0, 300, 0]);
    });
}
