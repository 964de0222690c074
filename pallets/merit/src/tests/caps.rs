//! What a wallet and an evaluator's outcomes can earn in a period.

use frame_support::{assert_noop, assert_ok};
use stipend_primitives::merit::{Record, Rule};

use crate::{mock::*, Error};

#[test]
fn a_wallet_earns_no_more_than_its_cap_in_a_period() {
    test_with_kind(|| {
        record(1, 4);
        assert_noop!(Merit::record(signed(&eva()), said(0, 2, 2)), Error::<Test>::WalletCapReached);
        // Whoever records it.
        assert_noop!(Merit::record(signed(&eli()), said(0, 2, 2)), Error::<Test>::WalletCapReached);
        record(2, 1);
        assert_noop!(Merit::record(signed(&eli()), said(0, 3, 1)), Error::<Test>::WalletCapReached);
    });
}

#[test]
fn an_evaluators_outcomes_earn_no_more_than_its_cap_in_a_period() {
    test_with_kind(|| {
        record(1, 5);
        let of_bob = |evidence, weight| Record { wallet: bob(), ..said(0, evidence, weight) };
        assert_noop!(Merit::record(signed(&eva()), of_bob(2, 4)), Error::<Test>::EvaluatorCapReached);
        assert_ok!(Merit::record(signed(&eva()), of_bob(2, 3)));
        assert_noop!(Merit::record(signed(&eva()), of_bob(3, 1)), Error::<Test>::EvaluatorCapReached);
        assert_ok!(Merit::record(signed(&eli()), of_bob(3, 1)));
    });
}

#[test]
fn caps_are_new_in_the_next_period() {
    test_with_kind(|| {
        record(1, 5);
        // Now is an hour after the day began.
        wait(23 * HOUR - 1);
        assert_noop!(Merit::record(signed(&eva()), said(0, 2, 1)), Error::<Test>::WalletCapReached);
        wait(1);
        record(2, 5);
    });
}

#[test]
fn what_is_reverted_counts_for_the_rest_of_the_period() {
    test_with_kind(|| {
        let id = record(1, 5);
        assert_ok!(Merit::withdraw(signed(&eva()), id));
        assert_noop!(Merit::record(signed(&eva()), said(0, 2, 1)), Error::<Test>::WalletCapReached);
    });
}

#[test]
fn another_rule_does_not_end_a_period_early() {
    test_with_kind(|| {
        record(1, 5);
        let hourly = Rule { period_ms: HOUR, ..rule() };
        assert_ok!(Merit::announce_rule(council(), 0, hourly, Now::get() + NOTICE));
        wait(NOTICE);
        assert_noop!(Merit::record(signed(&eva()), said(0, 2, 1)), Error::<Test>::WalletCapReached);
        wait(22 * HOUR);
        record(2, 5);
        wait(HOUR);
        record(3, 5);
    });
}

#[test]
fn each_kind_has_caps_of_its_own() {
    test_with_kind(|| {
        register("thesis", rule());
        record(1, 5);
        assert_ok!(Merit::record(signed(&eva()), said(1, 1, 5)));
        assert_noop!(Merit::record(signed(&eva()), said(1, 2, 1)), Error::<Test>::WalletCapReached);
    });
}
