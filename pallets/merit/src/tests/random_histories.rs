//! Random histories of two kinds, two evaluators and three wallets, held against books of their own.
//!
//! Amounts are small and wallets are used, reserved, refunded, revoked and offboarded meanwhile, so that histories run
//! into every edge: empty budgets, caps, debts, awards that are half gone when they are taken back.

use std::collections::{BTreeMap, BTreeSet};

use frame_support::{storage::with_transaction, BoundedVec};
use proptest::prelude::*;
use sp_core::H256;
use sp_runtime::{DispatchResult, TransactionOutcome};
use stipend_primitives::{
    ledger::Ledger,
    merit::{KindId, Record, Rule, Source, ISSUER},
    mint::Grant,
    AccountId, ClassId, Credits, EntitlementId, Moment,
};

use crate::{mock::*, Accounts, Event, Outcomes};

#[derive(Clone, Debug)]
enum Step {
    Announce { kind: u16, award: Credits, wallet_cap: Credits, evaluator_cap: Credits },
    Record { evaluator: u8, many: bool, rows: Vec<(u16, u8, u32, u8, u8)> },
    Withdraw { evaluator: u8, pick: u64 },
    Contest { who: u8, pick: u64 },
    Decide { pick: u64, stand: bool },
    Spend { owner: u8, amount: Credits },
    Reserve { owner: u8, amount: Credits, hours: Moment },
    Release { owner: u8, amount: Credits },
    Refund { owner: u8, amount: Credits },
    Mint { owner: u8, amount: Credits },
    Revoke { pick: u64, amount: Option<Credits> },
    Offboard { owner: u8 },
    Sweep,
    Wait { hours: Moment },
}

fn step() -> impl Strategy<Value = Step> {
    let amount = || 0..40_u128;
    let row = (0..3_u16, 0..3_u8, 0..4_u32, 0..40_u8, 0..30_u8);
    prop_oneof![
        1 => (0..2_u16, 0..15_u128, 0..60_u128, 0..80_u128).prop_map(
            |(kind, award, wallet_cap, evaluator_cap)| Step::Announce { kind, award, wallet_cap, evaluator_cap }
        ),
        10 => (0..2_u8, any::<bool>(), prop::collection::vec(row, 1..5))
            .prop_map(|(evaluator, many, rows)| Step::Record { evaluator, many, rows }),
        4 => (0..2_u8, any::<u64>()).prop_map(|(evaluator, pick)| Step::Withdraw { evaluator, pick }),
        3 => (0..5_u8, any::<u64>()).prop_map(|(who, pick)| Step::Contest { who, pick }),
        2 => (any::<u64>(), any::<bool>()).prop_map(|(pick, stand)| Step::Decide { pick, stand }),
        5 => (0..3_u8, amount()).prop_map(|(owner, amount)| Step::Spend { owner, amount }),
        4 => (0..3_u8, amount(), 1..40_u64)
            .prop_map(|(owner, amount, hours)| Step::Reserve { owner, amount, hours }),
        3 => (0..3_u8, amount()).prop_map(|(owner, amount)| Step::Release { owner, amount }),
        2 => (0..3_u8, amount()).prop_map(|(owner, amount)| Step::Refund { owner, amount }),
        2 => (0..3_u8, amount()).prop_map(|(owner, amount)| Step::Mint { owner, amount }),
        1 => (any::<u64>(), prop::option::of(amount())).prop_map(|(pick, amount)| Step::Revoke { pick, amount }),
        1 => (0..3_u8).prop_map(|owner| Step::Offboard { owner }),
        3 => Just(Step::Sweep),
        5 => (1..30_u64).prop_map(|hours| Step::Wait { hours }),
    ]
}

fn owner(number: u8) -> AccountId {
    [ada(), bob(), account(0xC1)][usize::from(number)].clone()
}

fn evaluator(number: u8) -> AccountId {
    [eva(), eli()][usize::from(number)].clone()
}

/// In micro-credits: small enough that budgets and caps are met.
fn small(award: Credits, wallet_cap: Credits, evaluator_cap: Credits) -> Rule {
    Rule { award, wallet_cap, evaluator_cap, lasts_ms: 2 * DAY, ..rule() }
}

/// What was earned by somebody in a day, and the largest cap of it.
type Earned = BTreeMap<(KindId, AccountId, Moment), (Credits, Credits)>;

/// What events say, counted from outside.
#[derive(Default)]
struct Books {
    minted: Credits,
    taken: Credits,
    /// By wallets, then by evaluators.
    earned: [Earned; 2],
    evidence: BTreeSet<(KindId, H256)>,
    receipts: BTreeSet<(KindId, H256)>,
}

impl Books {
    /// Enters what happened since.
    fn read(&mut self) {
        for record in System::events() {
            match record.event {
                RuntimeEvent::Merit(Event::Recorded { outcome, earned, minted, .. }) => {
                    self.minted += minted;
                    self.recorded(outcome, earned);
                }
                RuntimeEvent::Merit(Event::Reverted { taken, .. } | Event::Collected { taken, .. }) => {
                    self.taken += taken;
                }
                _ => {}
            }
        }
        System::reset_events();
    }

    fn recorded(&mut self, id: u64, earned: Credits) {
        let outcome = Outcomes::<Test>::get(id).expect("it was recorded a moment ago");
        let Record { kind, wallet, evidence, source, .. } = outcome.record;
        let rule = Merit::kinds().remove(kind.into()).in_force.expect("it earned by it").rule;
        for (book, who, cap) in [(0, wallet, rule.wallet_cap), (1, outcome.evaluator, rule.evaluator_cap)] {
            let (sum, cap_max) = self.earned[book].entry((kind, who, Now::get() / DAY)).or_default();
            *sum += earned;
            *cap_max = (*cap_max).max(cap);
            assert!(sum <= cap_max, "{sum} were earned in a day, and the cap is {cap_max}");
        }
        assert!(self.evidence.insert((kind, evidence)), "evidence was counted twice");
        for receipt in source.backing() {
            assert!(self.receipts.insert((kind, *receipt)), "a receipt was counted twice");
        }
    }

    fn compare(&self) {
        check();
        let granted: Credits = all_entitlements()
            .into_iter()
            .filter(|it| it.issuer == ISSUER)
            .map(|it| it.amounts.granted)
            .sum();
        assert_eq!(granted, self.minted, "merit granted what no outcome earned");
        let (mut minted, mut taken, mut kept) = (0, 0, 0);
        for account in Accounts::<Test>::iter_values() {
            minted += account.sums.minted;
            taken += account.sums.taken;
            kept += account.sums.earned + account.owed + account.sums.lapsed;
        }
        assert_eq!((minted, taken), (self.minted, self.taken));
        assert_eq!(minted - taken, kept, "credits appeared or vanished");
    }
}

fn all_entitlements() -> Vec<stipend_primitives::view::EntitlementView> {
    let last = pallet_entitlements::NextEntitlementId::<Test>::get();
    (0..last).filter_map(Entitlements::entitlement).collect()
}

/// What was taken of each entitlement that people granted.
fn taken_of_others() -> BTreeMap<EntitlementId, Credits> {
    let others = all_entitlements().into_iter().filter(|it| it.issuer != ISSUER);
    others.map(|it| (it.id, it.amounts.revoked)).collect()
}

/// Does a call as a transaction: it happens as a whole or not at all.
fn whole(call: impl FnOnce() -> DispatchResult) {
    let _ = with_transaction(|| match call() {
        Ok(()) => TransactionOutcome::Commit(Ok(())),
        Err(error) => TransactionOutcome::Rollback(Err(error)),
    });
}

fn rows(owner: AccountId, amount: Credits) -> pallet_entitlements::ReserveRows {
    BoundedVec::truncate_from(vec![(owner, PRIORITY, amount)])
}

fn record_of(row: (u16, u8, u32, u8, u8)) -> Record {
    let (kind, wallet, weight, evidence, receipt) = row;
    let source = match receipt {
        0..10 => Source::of_purpose("thesis"),
        10..28 => Source::of_receipts(vec![[receipt; 32], [receipt + 1; 32]]).unwrap(),
        _ => Source::of_receipts((receipt..receipt + 20).map(|id| [id; 32]).collect()).unwrap(),
    };
    Record { kind, wallet: owner(wallet), weight, evidence: H256([evidence; 32]), source }
}

fn perform(step: Step) {
    let outcomes = crate::NextOutcomeId::<Test>::get().max(1);
    let entitlements = pallet_entitlements::NextEntitlementId::<Test>::get();
    match step {
        Step::Announce { kind, award, wallet_cap, evaluator_cap } => whole(|| {
            let rule = small(award, wallet_cap, evaluator_cap);
            Merit::announce_rule(council(), kind, rule, Now::get() + NOTICE)
        }),
        Step::Record { evaluator: who, many: true, rows } => whole(|| {
            let rows = rows.into_iter().map(record_of).collect();
            Merit::record_many(signed(&evaluator(who)), BoundedVec::truncate_from(rows))
        }),
        Step::Record { evaluator: who, many: false, rows } => {
            for row in rows {
                whole(|| Merit::record(signed(&evaluator(who)), record_of(row)));
            }
        }
        Step::Withdraw { evaluator: who, pick } => {
            whole(|| Merit::withdraw(signed(&evaluator(who)), pick % outcomes))
        }
        Step::Contest { who, pick } => whole(|| {
            let who = [eva(), eli(), ada(), hr(), gateway()][usize::from(who)].clone();
            Merit::contest(signed(&who), pick % outcomes, H256::zero())
        }),
        Step::Decide { pick, stand } => whole(|| {
            let open = Merit::open_contests(10);
            let picked = open.get(pick as usize % open.len().max(1)).map(|view| view.id);
            Merit::decide(council(), BoundedVec::truncate_from(picked.into_iter().collect()), stand)
        }),
        Step::Spend { owner: whose, amount } => {
            Entitlements::charge_alone(&gateway(), &owner(whose), PRIORITY, amount);
        }
        Step::Reserve { owner: whose, amount, hours } => whole(|| {
            Entitlements::reserve_many(
                signed(&gateway()),
                rows(owner(whose), amount),
                Now::get() + hours * HOUR,
            )
        }),
        Step::Release { owner: whose, amount } => {
            whole(|| Entitlements::release(signed(&gateway()), rows(owner(whose), amount)))
        }
        Step::Refund { owner: whose, amount } => {
            Entitlements::refund(&owner(whose), PRIORITY, amount);
        }
        Step::Mint { owner: whose, amount } => whole(|| {
            let grant = Grant::One { program: AWARDS, amount, valid_from: None, valid_until: None };
            Entitlements::mint(signed(&hr()), owner(whose), grant).map(|_| ()).map_err(|error| error.error)
        }),
        Step::Revoke { pick, amount } => {
            whole(|| Entitlements::revoke(signed(&hr()), pick % entitlements, amount))
        }
        Step::Offboard { owner: whose } => whole(|| {
            Entitlements::offboard(signed(&hr()), owner(whose)).map(|_| ()).map_err(|error| error.error)
        }),
        Step::Sweep => {
            Merit::sweep(3);
        }
        Step::Wait { hours } => wait(hours * HOUR),
    }
}

fn run(steps: Vec<Step>) {
    new_test_ext().execute_with(|| {
        Entitlements::endow(&account(0xC1), ClassId::INNOVATION, 5);
        // A small budget, so that it runs out.
        let grant = Grant::One { program: AWARDS, amount: BUDGET - 150, valid_from: None, valid_until: None };
        Entitlements::mint(signed(&hr()), account(0x99), grant).expect("the budget covers it");
        register("commit", small(3, 30, 50));
        register("thesis", small(10, 40, 60));
        let mut books = Books::default();
        for step in steps {
            let withdraws = matches!(step, Step::Revoke { .. } | Step::Offboard { .. });
            // What is withdrawn as a whole goes on being revoked as it comes back.
            let moves = matches!(step, Step::Release { .. } | Step::Refund { .. } | Step::Wait { .. });
            let before = taken_of_others();
            perform(step);
            books.read();
            books.compare();
            let after = taken_of_others();
            if !withdraws && !moves {
                let same = before.iter().all(|(id, taken)| after.get(id) == Some(taken));
                assert!(same, "something was taken of what people granted");
            }
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_outcomes_earn_is_granted_once_and_within_every_cap(
        steps in prop::collection::vec(step(), 1..80)
    ) {
        run(steps);
    }
}
