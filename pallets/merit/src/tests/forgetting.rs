//! Outcomes whose window closed long ago are forgotten, and the sums stay.

use frame_support::{assert_ok, traits::Hooks, weights::Weight};
use stipend_primitives::merit::Rule;

use crate::{mock::*, weights::WeightInfo, Outcomes, SweptTo, SWEEP_MAX};

fn remembered() -> usize {
    Outcomes::<Test>::iter_keys().count()
}

/// Many outcomes that earn next to nothing.
fn record_some(count: u8) {
    register("commit", Rule { award: 1, ..rule() });
    for evidence in 0..count {
        record(evidence, 1);
        if evidence % 20 == 19 {
            // Wallets take no more awards than that.
            spend_all();
        }
    }
}

fn spend_all() {
    use stipend_primitives::ledger::Ledger;
    let all = wallet(&ada()).available;
    Entitlements::charge_alone(&gateway(), &ada(), PRIORITY, all);
}

#[test]
fn an_outcome_is_remembered_for_a_while_after_its_window_closed() {
    test_with_kind(|| {
        record(1, 2);
        wait(DAY + KEEP - 1);
        Merit::sweep(16);
        assert_eq!(remembered(), 1);
        wait(1);
        Merit::sweep(16);
        assert_eq!(remembered(), 0);
        let kind = Merit::kinds().remove(0);
        assert_eq!((kind.outcomes, kind.sums.earned), (1, 20 * CREDIT));
        assert_eq!(Merit::wallet_merit(ada()).classes[0].1.sums.earned, 20 * CREDIT);
    });
}

#[test]
fn what_is_contested_is_remembered_until_the_council_decided() {
    test_with_kind(|| {
        let id = record(1, 2);
        assert_ok!(Merit::contest(signed(&eli()), id, Default::default()));
        wait(100 * DAY);
        Merit::sweep(16);
        assert_eq!(remembered(), 1);
        assert_ok!(Merit::decide(council(), vec![id].try_into().unwrap(), true));
        wait(KEEP - 1);
        Merit::sweep(16);
        assert_eq!(remembered(), 1);
        wait(1);
        Merit::sweep(16);
        assert_eq!(remembered(), 0);
    });
}

#[test]
fn a_debt_outlives_its_outcome() {
    test_with_kind(|| {
        let id = record(1, 2);
        spend(&ada(), 20);
        assert_ok!(Merit::withdraw(signed(&eva()), id));
        wait(DAY + KEEP);
        Merit::sweep(16);
        assert_eq!((remembered(), owed(&ada())), (0, 20));
        record(2, 3);
        assert_eq!(owed(&ada()), 0);
    });
}

#[test]
fn each_block_looks_at_a_few_and_every_round_at_all() {
    test(|| {
        record_some(50);
        wait(DAY + KEEP);
        let mut before = remembered();
        let mut blocks = 0;
        while before > 0 {
            let weight = Merit::on_idle(blocks, Weight::MAX);
            assert!(weight.all_lte(<() as WeightInfo>::sweep(SWEEP_MAX)), "{weight}");
            let after = remembered();
            assert!(before - after <= SWEEP_MAX as usize);
            (before, blocks) = (after, blocks + 1);
            assert!(blocks < 10, "{before} are still remembered");
            Merit::do_try_state().unwrap();
        }
        Merit::on_idle(blocks, Weight::MAX);
        assert!(!SweptTo::<Test>::exists());
    });
}

#[test]
fn a_full_block_leaves_the_sweep_to_the_next() {
    test_with_kind(|| {
        record(1, 1);
        wait(DAY + KEEP);
        assert_eq!(Merit::on_idle(1, Weight::zero()), Weight::zero());
        assert_eq!(remembered(), 1);
    });
}
