//! What the runtime API answers.

use frame_support::assert_ok;
use sp_core::H256;
use stipend_primitives::merit::Record;

use crate::mock::*;

#[test]
fn a_wallet_sees_its_outcomes_newest_first() {
    test_with_kind(|| {
        let first = record(1, 1);
        wait(HOUR);
        let second = record(2, 2);
        let merit = Merit::wallet_merit(ada());
        assert_eq!(merit.outcomes.iter().map(|view| view.id).collect::<Vec<_>>(), [second, first]);
        assert_eq!(merit.classes.len(), 1);
        assert_eq!(merit.classes[0].1.sums.earned, 30 * CREDIT);
        assert_eq!(Merit::wallet_merit(bob()), Default::default());
    });
}

#[test]
fn an_outcome_is_found_by_its_evidence() {
    test_with_kind(|| {
        register("thesis", rule());
        let commit = record(1, 1);
        assert_ok!(Merit::record(signed(&eva()), said(1, 1, 1)));
        record(2, 1);
        let found = Merit::outcomes_of_evidence(H256([1; 32]));
        assert_eq!(found.iter().map(|view| view.id).collect::<Vec<_>>(), [commit, commit + 1]);
        assert_eq!(Merit::outcomes_of_evidence(H256([7; 32])), []);
    });
}

#[test]
fn an_evaluator_sees_what_is_left_of_its_caps() {
    test_with_kind(|| {
        record(1, 3);
        assert_ok!(Merit::record(signed(&eva()), Record { wallet: bob(), ..said(0, 2, 1) }));
        let uses = Merit::evaluator_uses(eva());
        assert_eq!(uses.len(), 1);
        assert_eq!((uses[0].awarded, uses[0].left), (40 * CREDIT, 40 * CREDIT));
        assert_eq!(uses[0].period_ends_at, START + DAY);
        assert_eq!(Merit::evaluator_uses(eli())[0].left, 80 * CREDIT);
        wait(DAY);
        assert_eq!(Merit::evaluator_uses(eva())[0].left, 80 * CREDIT);
    });
}
