//! An evaluator that invents ten thousand outcomes.

use frame_support::assert_ok;
use sp_core::H256;
use stipend_primitives::{
    ledger::Ledger,
    merit::{Record, Rule, Source},
    AccountId, ClassId,
};

use crate::{mock::*, Accounts, EvaluatorUses, Event, Outcomes, Records, RECORDS_MAX};

const OUTCOMES: u32 = 10_000;
const WALLETS: u32 = 100;

fn victim(number: u32) -> AccountId {
    let mut bytes = [0x77; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    AccountId::new(bytes)
}

fn invented(number: u32) -> Record {
    let mut evidence = [0x55; 32];
    evidence[..4].copy_from_slice(&number.to_le_bytes());
    Record {
        kind: 0,
        wallet: victim(number % WALLETS),
        weight: 1 + number % 3,
        evidence: H256(evidence),
        source: Source::of_receipts(vec![evidence]).unwrap(),
    }
}

/// Sends all of them; how many were recorded.
fn storm() -> u32 {
    for number in 0..WALLETS {
        Entitlements::endow(&victim(number), ClassId::INNOVATION, 1);
    }
    let all: Vec<Record> = (0..OUTCOMES).map(invented).collect();
    for rows in all.chunks(RECORDS_MAX as usize) {
        let rows = Records::try_from(rows.to_vec()).unwrap();
        assert_ok!(Merit::record_many(signed(&eva()), rows));
    }
    let results = System::events().into_iter().filter_map(|record| match record.event {
        RuntimeEvent::Merit(Event::ManyRecorded { recorded, skipped, .. }) => Some((recorded, skipped)),
        _ => None,
    });
    let (recorded, skipped) = results.fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
    assert_eq!(recorded + skipped, OUTCOMES);
    recorded
}

#[test]
fn a_storm_is_worth_the_evaluators_cap() {
    test_with_kind(|| {
        let recorded = storm();
        assert!(recorded > 0);
        assert_eq!(unminted(), 1_000 - 80);
        assert_eq!(EvaluatorUses::<Test>::get(eva(), 0).awarded, 80 * CREDIT);
        assert_eq!(Outcomes::<Test>::iter_keys().count(), recorded as usize);
        // Honest evaluators are not in its way.
        assert_ok!(Merit::record(signed(&eli()), said(0, 1, 5)));
    });
}

#[test]
fn a_storm_is_worth_the_programs_budget_where_caps_are_higher() {
    test(|| {
        register("commit", Rule { evaluator_cap: 1_000_000 * CREDIT, ..rule() });
        storm();
        assert_eq!(unminted(), 0);
        for number in 0..WALLETS {
            let earned = Accounts::<Test>::get(victim(number), PRIORITY).sums.earned;
            assert!(earned <= 50 * CREDIT, "wallet {number} earned {earned}");
        }
    });
}

#[test]
fn one_that_is_refused_takes_no_other_with_it() {
    test_with_kind(|| {
        let unknown = Record { kind: 9, ..said(0, 2, 1) };
        let nobody = Record { wallet: account(0x99), ..said(0, 3, 1) };
        let rows = vec![said(0, 1, 1), said(0, 1, 1), unknown, nobody, said(0, 4, 1)];
        assert_ok!(Merit::record_many(signed(&eva()), rows.try_into().unwrap()));
        System::assert_last_event(Event::ManyRecorded { evaluator: eva(), recorded: 2, skipped: 3 }.into());
        // What was refused counts for no cap.
        assert_eq!(EvaluatorUses::<Test>::get(eva(), 0).awarded, 20 * CREDIT);
    });
}
