//! Over random histories of gateways that reserve, charge, release and wait: as long as no item takes more than
//! its credits can cost, what is used in a period and what is held never exceed the budget.

use std::collections::BTreeMap;

use frame_support::{assert_ok, BoundedVec};
use proptest::prelude::*;
use stipend_primitives::{
    energy::{EnergyBudget, NJ_PER_MJ},
    ledger::Ledger,
    ClassId, Credits, Moment,
};

use crate::{mock::*, Energy};

/// An odd number, so that amounts of micro-credits never come out even.
const MJ_PER_CREDIT: u64 = 7_001;

#[derive(Clone, Debug)]
enum Step {
    /// Rows of owner, class and micro-credits.
    Reserve {
        gateway: u8,
        rows: Vec<(u8, u16, Credits)>,
        lifetime: Moment,
    },
    Release {
        gateway: u8,
        owner: u8,
        class: u16,
        amount: Credits,
    },
    /// One batch; of what is collected, `eighths` are base costs.
    Batch {
        gateway: u8,
        charges: Vec<(u8, u16, Credits)>,
        eighths: u8,
    },
    /// An item, and how many eighths of the most it can have taken the provider says; none: it does not say.
    Settle {
        pick: usize,
        eighths: Option<u8>,
    },
    Refund {
        owner: u8,
        class: u16,
        amount: Credits,
    },
    Offboard {
        owner: u8,
    },
    Wait {
        hours: Moment,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let amount = || prop_oneof![4 => 0..300_u128, 1 => 0..5_000_u128];
    let rows = move || prop::collection::vec((0..3_u8, 0..2_u16, amount()), 1..5);
    prop_oneof![
        6 => (0..2_u8, rows(), 1..60_u64)
            .prop_map(|(gateway, rows, hours)| Step::Reserve { gateway, rows, lifetime: hours * HOUR }),
        2 => (0..2_u8, 0..3_u8, 0..2_u16, amount())
            .prop_map(|(gateway, owner, class, amount)| Step::Release { gateway, owner, class, amount }),
        8 => (0..2_u8, rows(), 0..9_u8)
            .prop_map(|(gateway, charges, eighths)| Step::Batch { gateway, charges, eighths }),
        6 => (any::<usize>(), proptest::option::of(0..9_u8))
            .prop_map(|(pick, eighths)| Step::Settle { pick, eighths }),
        1 => (0..3_u8, 0..2_u16, amount())
            .prop_map(|(owner, class, amount)| Step::Refund { owner, class, amount }),
        1 => (0..3_u8).prop_map(|owner| Step::Offboard { owner }),
        3 => (0..20_u64).prop_map(|hours| Step::Wait { hours }),
    ]
}

fn owner(number: u8) -> stipend_primitives::AccountId {
    account(0xA0 + number)
}

fn gate(number: u8) -> stipend_primitives::AccountId {
    account(0x60 + number)
}

/// Batches whose items wait to be settled, and what was used, counted from outside.
#[derive(Default)]
struct Books {
    items: Vec<Vec<(ClassId, Credits)>>,
    used_nj: BTreeMap<(ClassId, Moment), u128>,
}

impl Books {
    fn take(&mut self, step: Step) {
        match step {
            Step::Reserve { gateway, rows, lifetime } => {
                let rows = rows.into_iter().map(|(who, class, amount)| (owner(who), ClassId(class), amount));
                let rows = BoundedVec::truncate_from(rows.collect());
                assert_ok!(Entitlements::reserve_many(signed(&gate(gateway)), rows, Now::get() + lifetime));
            }
            Step::Release { gateway, owner: who, class, amount } => {
                let rows = BoundedVec::truncate_from(vec![(owner(who), ClassId(class), amount)]);
                assert_ok!(Entitlements::release(signed(&gate(gateway)), rows));
            }
            Step::Batch { gateway, charges, eighths } => {
                let mut open = Entitlements::begin_charges();
                let mut collected = BTreeMap::<ClassId, Credits>::new();
                for (who, class, amount) in charges {
                    let class = ClassId(class);
                    let part = Entitlements::charge(&mut open, &gate(gateway), &owner(who), class, amount);
                    *collected.entry(class).or_default() += part;
                }
                let bases =
                    collected.into_iter().map(|(class, part)| (class, part * u128::from(eighths) / 8));
                let bases: Vec<_> = bases.filter(|(_, base)| *base > 0).collect();
                Entitlements::end_charges(open, &bases);
                self.items.push(bases);
            }
            Step::Settle { pick, eighths } if !self.items.is_empty() => {
                let item = self.items.swap_remove(pick % self.items.len());
                let all: Credits = item.iter().map(|(_, part)| part).sum();
                let most_mj = all * u128::from(MJ_PER_CREDIT) / NJ_PER_MJ;
                let energy_mj = eighths.map(|eighths| most_mj as u64 * u64::from(eighths) / 8);
                Entitlements::settle_energy(&item, energy_mj);
                for (class, part) in item {
                    let took_nj = match energy_mj {
                        Some(energy_mj) => u128::from(energy_mj) * NJ_PER_MJ * part / all,
                        None => part * u128::from(MJ_PER_CREDIT),
                    };
                    *self.used_nj.entry((class, Now::get() / DAY)).or_default() += took_nj;
                }
            }
            Step::Settle { .. } => {}
            Step::Refund { owner: who, class, amount } => {
                Entitlements::refund(&owner(who), ClassId(class), amount);
            }
            Step::Offboard { owner: who } => {
                let _ = Entitlements::offboard(signed(&hr()), owner(who));
                let _ = Entitlements::mint(signed(&hr()), owner(who), one(0, 1, None));
                Entitlements::endow_key(&owner(who));
            }
            Step::Wait { hours } => wait(hours * HOUR),
        }
    }

    fn check(&self, max_mj: u128) {
        assert_ok!(Entitlements::do_try_state());
        for class in [INNOVATION, PRIORITY] {
            let mut account = Energy::<Test>::get(class);
            account.advance(Now::get());
            let used = self.used_nj.get(&(class, Now::get() / DAY)).copied().unwrap_or_default();
            assert_eq!(account.used_nj, used, "{class:?}");
            let held: Credits =
                self.items.iter().flatten().filter(|row| row.0 == class).map(|row| row.1).sum();
            assert_eq!(account.unsettled, held, "{class:?}");
            let taken = used + account.held() * u128::from(MJ_PER_CREDIT);
            // What was held when a period began may be all of the budget: it is held, and counts then.
            assert!(taken <= max_mj * NJ_PER_MJ, "{class:?}: {taken} nJ of {max_mj} mJ");
        }
    }
}

proptest! {
    #[test]
    fn a_budget_is_never_passed_while_no_item_takes_more_than_it_can(
        steps in prop::collection::vec(step(), 1..80),
        max_mj in 0..20_u128,
    ) {
        new_test_ext().execute_with(|| {
            for number in 0..3 {
                for program in 0..2 {
                    assert_ok!(Entitlements::mint(signed(&hr()), owner(number), one(program, 1, None)));
                }
                Entitlements::endow_key(&owner(number));
            }
            for class in [INNOVATION, PRIORITY] {
                let budget =
                    EnergyBudget { period_ms: DAY, millijoules_max: max_mj, mj_per_credit: MJ_PER_CREDIT };
                assert_ok!(Entitlements::set_energy_budget(council(), class, Some(budget)));
            }
            let mut books = Books::default();
            for step in steps {
                books.take(step);
                books.check(max_mj);
            }
        });
    }
}
