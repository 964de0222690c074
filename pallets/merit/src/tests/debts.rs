//! What was used of a reverted outcome is owed, and the wallet's next outcomes pay it.

use frame_support::assert_ok;
use stipend_primitives::{ledger::Ledger, merit::Record};

use crate::{mock::*, Accounts};

#[test]
fn the_next_outcomes_pay_what_was_used() {
    test_with_kind(|| {
        let id = record(1, 2);
        spend(&ada(), 15);
        assert_ok!(Merit::withdraw(signed(&eva()), id));
        // Five were there, fifteen were used.
        assert_eq!((credits(&ada()), owed(&ada())), ([1, 0, 15, 0, 5], 15));

        let pays = Merit::outcome(record(2, 1)).unwrap().outcome;
        assert_eq!((pays.earned, pays.minted, pays.entitlement), (10 * CREDIT, 0, None));
        assert_eq!((credits(&ada())[0], owed(&ada())), (1, 5));
        let rest = Merit::outcome(record(3, 1)).unwrap().outcome;
        assert_eq!((rest.earned, rest.minted), (10 * CREDIT, 5 * CREDIT));
        assert_eq!((credits(&ada())[0], owed(&ada())), (6, 0));
        // What it was granted is what it earned: two outcomes that stand.
        let sums = Accounts::<Test>::get(ada(), PRIORITY).sums;
        assert_eq!(sums.minted - sums.taken, sums.earned);
    });
}

#[test]
fn an_outcome_that_paid_a_debt_and_is_reverted_leaves_it_unpaid() {
    test_with_kind(|| {
        let first = record(1, 2);
        spend(&ada(), 20);
        assert_ok!(Merit::withdraw(signed(&eva()), first));
        let second = record(2, 3);
        assert_eq!((credits(&ada())[0], owed(&ada())), (11, 0));
        assert_ok!(Merit::withdraw(signed(&eva()), second));
        assert_eq!((credits(&ada())[0], owed(&ada())), (1, 20));
    });
}

#[test]
fn a_debt_is_the_wallets_own() {
    test_with_kind(|| {
        let id = record(1, 2);
        spend(&ada(), 20);
        assert_ok!(Merit::withdraw(signed(&eva()), id));
        assert_ok!(Merit::record(signed(&eva()), Record { wallet: bob(), ..said(0, 2, 1) }));
        assert_eq!((credits(&bob())[0], owed(&ada())), (11, 20));
    });
}

#[test]
fn what_a_gateway_had_reserved_is_taken_when_it_lets_go() {
    test_with_kind(|| {
        let id = record(1, 2);
        reserve(&ada(), 15);
        assert_ok!(Merit::withdraw(signed(&eva()), id));
        assert_eq!((credits(&ada()), owed(&ada())), ([1, 15, 0, 0, 5], 15));
        Merit::sweep(16);
        assert_eq!(owed(&ada()), 15);

        release(&ada(), 9);
        Merit::sweep(16);
        assert_eq!((credits(&ada()), owed(&ada())), ([1, 6, 0, 0, 14], 6));
        // The rest comes back by itself when the reservation ends.
        wait(HOUR);
        Merit::sweep(16);
        assert_eq!((credits(&ada()), owed(&ada())), ([1, 0, 0, 0, 20], 0));
    });
}

#[test]
fn what_a_settlement_refunds_is_taken_too() {
    test_with_kind(|| {
        let id = record(1, 2);
        spend(&ada(), 20);
        assert_ok!(Merit::withdraw(signed(&eva()), id));
        assert_eq!(Entitlements::refund(&ada(), PRIORITY, 8 * CREDIT), 8 * CREDIT);
        Merit::sweep(16);
        assert_eq!((credits(&ada()), owed(&ada())), ([1, 0, 12, 0, 8], 12));
    });
}

#[test]
fn what_was_paid_already_is_not_taken_again() {
    test_with_kind(|| {
        let id = record(1, 2);
        spend(&ada(), 20);
        assert_ok!(Merit::withdraw(signed(&eva()), id));
        record(2, 3);
        assert_eq!((credits(&ada())[0], owed(&ada())), (11, 0));
        Entitlements::refund(&ada(), PRIORITY, 20 * CREDIT);
        Merit::sweep(16);
        assert_eq!((credits(&ada())[0], owed(&ada())), (31, 0));
    });
}

#[test]
fn what_expires_in_a_reservation_is_forgiven() {
    test_with_kind(|| {
        let id = record(1, 2);
        assert_ok!(Merit::contest(signed(&eli()), id, Default::default()));
        wait(30 * DAY - HOUR / 2);
        reserve(&ada(), 20);
        assert_ok!(Merit::withdraw(signed(&eva()), id));
        assert_eq!(owed(&ada()), 20);
        // The reservation ends after the entitlement does: nobody used it, nobody owes it.
        wait(HOUR);
        Merit::sweep(16);
        assert_eq!((credits(&ada()), owed(&ada())), ([1, 0, 0, 20, 0], 0));
    });
}
