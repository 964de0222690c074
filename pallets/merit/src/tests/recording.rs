//! Who records what, and what it earns.

use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use stipend_primitives::merit::{Record, Rule, Source, Standing, ISSUER};

use crate::{mock::*, Error, Event};

#[test]
fn an_outcome_earns_by_its_weight_at_once() {
    test_with_kind(|| {
        assert_eq!(credits(&ada()), [1, 0, 0, 0, 0]);
        let id = record(1, 3);
        assert_eq!(credits(&ada()), [31, 0, 0, 0, 0]);
        assert_eq!(unminted(), 970);
        let granted = entitlement_of(id);
        System::assert_last_event(
            Event::Recorded {
                outcome: 0,
                kind: 0,
                evaluator: eva(),
                wallet: ada(),
                earned: 30 * CREDIT,
                minted: 30 * CREDIT,
                entitlement: Some(granted),
            }
            .into(),
        );
        let entitlement = Entitlements::entitlement(granted).unwrap();
        assert_eq!((entitlement.issuer, entitlement.program), (ISSUER, AWARDS));
        assert_eq!(entitlement.valid_until, Some(Now::get() + 30 * DAY));
        let outcome = Merit::outcome(id).unwrap().outcome;
        assert_eq!((outcome.standing, outcome.closes_at), (Standing::Open, Now::get() + DAY));
    });
}

#[test]
fn only_evaluators_record() {
    test_with_kind(|| {
        for who in [hr(), ada(), gateway()] {
            assert_noop!(Merit::record(signed(&who), said(0, 1, 1)), Error::<Test>::NotEvaluator);
            let many = vec![said(0, 1, 1)].try_into().unwrap();
            assert_noop!(Merit::record_many(signed(&who), many), Error::<Test>::NotEvaluator);
        }
    });
}

#[test]
fn nobody_records_outcomes_of_the_own_wallet() {
    test_with_kind(|| {
        let own = Record { wallet: eva(), ..said(0, 1, 1) };
        assert_noop!(Merit::record(signed(&eva()), own.clone()), Error::<Test>::OwnWallet);
        // Another evaluator may, if the wallet holds anything.
        let nothing = pallet_entitlements::Error::<Test>::NothingHeld;
        assert_noop!(Merit::record(signed(&eli()), own), nothing);
    });
}

#[test]
fn what_makes_no_sense_is_refused() {
    test_with_kind(|| {
        let refused = |record| Merit::record(signed(&eva()), record);
        assert_noop!(refused(said(9, 1, 1)), Error::<Test>::KindUnknown);
        assert_noop!(refused(said(0, 1, 0)), Error::<Test>::ZeroWeight);
        let source = Source::Receipts(vec![H256([2; 32]), H256([1; 32])].try_into().unwrap());
        assert_noop!(refused(Record { source, ..said(0, 1, 1) }), Error::<Test>::SourceNotCanonical);
        assert_noop!(refused(said(0, 1, u32::MAX)), Error::<Test>::EvaluatorCapReached);
    });
}

#[test]
fn an_award_beyond_the_programs_budget_is_refused_and_leaves_nothing_behind() {
    test(|| {
        let generous = Rule { wallet_cap: 10_000 * CREDIT, evaluator_cap: 10_000 * CREDIT, ..rule() };
        register("commit", generous);
        record(1, 99);
        let exhausted = pallet_entitlements::Error::<Test>::BudgetExhausted;
        assert_noop!(Merit::record(signed(&eva()), said(0, 2, 2)), exhausted);
        assert_ok!(Merit::record(signed(&eva()), said(0, 2, 1)));
        assert_eq!(unminted(), 0);
    });
}
