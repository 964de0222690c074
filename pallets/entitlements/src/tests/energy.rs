//! Energy budgets: a credit that can be spent is one whose energy is covered.

use frame_support::{assert_noop, assert_ok};
use stipend_primitives::{energy::EnergyBudget, ledger::Ledger, view::ClassEnergy, ClassId, Credits};

use crate::{mock::*, Energy, Error, Event};

/// A day's budget: `joules` in all, ten joules for a credit at most.
fn budget(joules: u128) -> EnergyBudget {
    EnergyBudget { period_ms: DAY, millijoules_max: joules * 1_000, mj_per_credit: 10_000 }
}

fn set(joules: u128) {
    assert_ok!(Entitlements::set_energy_budget(council(), INNOVATION, Some(budget(joules))));
}

fn status() -> ClassEnergy {
    Entitlements::energy().into_iter().find(|row| row.class == INNOVATION).expect("it has a budget")
}

/// Joules used, held and left.
fn joules() -> [u128; 3] {
    let row = status();
    [row.used_mj, row.held_mj, row.left_mj].map(|millijoules| millijoules / 1_000)
}

fn charge(credits: Credits) -> Credits {
    Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, credits * CREDIT) / CREDIT
}

fn settle(credits: Credits, energy_j: Option<u64>) {
    Entitlements::settle_energy(&[(INNOVATION, credits * CREDIT)], energy_j.map(|joules| joules * 1_000));
}

#[test]
fn no_more_is_reserved_than_the_budget_covers() {
    test(|| {
        mint(&ada(), 100, None);
        mint(&bob(), 100, None);
        set(100);
        assert!(reserve(&gateway(), &ada(), 7, HOUR));
        assert!(!reserve(&gateway(), &bob(), 4, HOUR), "together they can cost 110 J");
        assert!(reserve(&other_gateway(), &bob(), 3, HOUR));
        assert!(!reserve(&gateway(), &ada(), 1, HOUR));
        assert_eq!(joules(), [0, 100, 0]);
        assert_eq!(credits(&bob()), [97, 3, 0, 0, 0]);
        release(&gateway(), &ada(), 2 * CREDIT);
        assert_eq!(joules(), [0, 80, 20]);
        assert!(reserve(&gateway(), &bob(), 2, HOUR));
    });
}

#[test]
fn one_call_reserves_no_more_than_the_budget_covers() {
    test(|| {
        mint(&ada(), 100, None);
        mint(&bob(), 100, None);
        set(100);
        let rows = [ada(), bob(), ada()].map(|owner| (owner, INNOVATION, 6 * CREDIT));
        let rows = rows.to_vec().try_into().unwrap();
        assert_ok!(Entitlements::reserve_many(signed(&gateway()), rows, START + HOUR));
        let event = Event::ReservationsMade { gateway: gateway(), made: 1, skipped: 2 };
        System::assert_last_event(event.into());
        assert_eq!(joules(), [0, 60, 40]);
    });
}

#[test]
fn a_key_whose_first_reservation_is_not_covered_is_refused() {
    test(|| {
        mint_without_key(&ada(), 100, None);
        set(100);
        let register = |credits: Credits| {
            let rows = vec![(INNOVATION, credits * CREDIT)].try_into().unwrap();
            let hash = sp_core::H256::repeat_byte(1);
            Entitlements::register_key(signed(&ada()), hash, Default::default(), Some((gateway(), rows)))
        };
        assert_noop!(
            frame_support::storage::with_transaction(|| {
                sp_runtime::TransactionOutcome::Rollback(register(11))
            }),
            Error::<Test>::EnergyBudgetExhausted
        );
        assert_ok!(register(10));
    });
}

#[test]
fn another_class_is_not_limited() {
    test(|| {
        mint(&ada(), 100, None);
        assert_ok!(Entitlements::mint(signed(&hr()), ada(), one(1, 100, None)));
        set(0);
        assert!(!reserve(&gateway(), &ada(), 1, HOUR));
        let rows = vec![(ada(), PRIORITY, 100 * CREDIT)].try_into().unwrap();
        assert_ok!(Entitlements::reserve_many(signed(&gateway()), rows, START + HOUR));
        System::assert_last_event(Event::ReservationsMade { gateway: gateway(), made: 1, skipped: 0 }.into());
    });
}

#[test]
fn gateways_see_no_more_available_than_the_budget_covers() {
    test(|| {
        mint(&ada(), 100, None);
        set(100);
        assert!(reserve(&gateway(), &ada(), 4, HOUR));
        let rows = Entitlements::gateway_balances(other_gateway(), vec![ada()]);
        assert_eq!((rows[0].available, rows[0].energy_bound), (6 * CREDIT, true));
        assert_eq!(credits(&ada()), [96, 4, 0, 0, 0]);
        // What lapsed can be reserved again in this wallet, though nobody has written it yet.
        wait(HOUR);
        let rows = Entitlements::gateway_balances(other_gateway(), vec![ada()]);
        assert_eq!(rows[0].available, 10 * CREDIT);
        assert!(reserve(&gateway(), &ada(), 10, HOUR));
    });
}

#[test]
fn what_was_reserved_is_charged_whatever_else_the_budget_covers() {
    test(|| {
        mint(&ada(), 100, None);
        set(100);
        assert!(reserve(&gateway(), &ada(), 10, HOUR));
        set(0);
        assert_eq!(charge(10), 10);
        assert_eq!(joules(), [0, 100, 0]);
    });
}

#[test]
fn beyond_a_reservation_no_more_is_collected_than_the_budget_covers() {
    test(|| {
        mint(&ada(), 100, None);
        set(100);
        assert!(reserve(&gateway(), &ada(), 4, HOUR));
        assert_eq!(charge(30), 10, "4 that were reserved, and 6 more that are covered");
        assert_eq!(charge(1), 0);
        assert_eq!(joules(), [0, 100, 0]);
    });
}

#[test]
fn the_charges_of_one_batch_share_what_the_budget_covers() {
    test(|| {
        mint(&ada(), 100, None);
        mint(&bob(), 100, None);
        set(100);
        assert!(reserve(&gateway(), &ada(), 4, HOUR));
        let mut charges = Entitlements::begin_charges();
        // The reservation is spent, and its energy is not free for the next one: nobody knows yet what it took.
        let collected = [ada(), bob(), ada()].map(|owner| {
            Entitlements::charge(&mut charges, &gateway(), &owner, INNOVATION, 4 * CREDIT) / CREDIT
        });
        assert_eq!(collected, [4, 4, 2]);
        Entitlements::end_charges(charges, &[(INNOVATION, 10 * CREDIT)]);
        assert_eq!(joules(), [0, 100, 0]);
    });
}

#[test]
fn fees_hold_no_energy_once_they_are_charged() {
    test(|| {
        mint(&ada(), 100, None);
        set(100);
        assert!(reserve(&gateway(), &ada(), 10, HOUR));
        let mut charges = Entitlements::begin_charges();
        Entitlements::charge(&mut charges, &gateway(), &ada(), INNOVATION, 10 * CREDIT);
        Entitlements::end_charges(charges, &[(INNOVATION, 3 * CREDIT)]);
        assert_eq!(joules(), [0, 30, 70]);
    });
}

#[test]
fn what_an_item_took_takes_the_place_of_what_was_held_for_it() {
    test(|| {
        mint(&ada(), 100, None);
        set(100);
        assert_eq!(charge(10), 10);
        settle(4, Some(15));
        assert_eq!(joules(), [15, 60, 25]);
        // Nobody measured: as much as it can have been.
        settle(6, None);
        assert_eq!(joules(), [75, 0, 25]);
        // What goes back to the wallet was burnt all the same.
        assert_eq!(Entitlements::refund(&ada(), INNOVATION, 10 * CREDIT), 10 * CREDIT);
        assert_eq!(joules(), [75, 0, 25]);
        assert!(!reserve(&gateway(), &ada(), 3, HOUR) && reserve(&gateway(), &ada(), 2, HOUR));
    });
}

#[test]
fn classes_share_an_items_energy_by_what_they_paid() {
    test(|| {
        mint(&ada(), 100, None);
        assert_ok!(Entitlements::mint(signed(&hr()), ada(), one(1, 100, None)));
        set(1_000);
        assert_ok!(Entitlements::set_energy_budget(council(), PRIORITY, Some(budget(1_000))));
        for (class, credits) in [(INNOVATION, 1), (PRIORITY, 3)] {
            Entitlements::charge_alone(&gateway(), &ada(), class, credits * CREDIT);
        }
        Entitlements::settle_energy(&[(INNOVATION, CREDIT), (PRIORITY, 3 * CREDIT)], Some(20_000));
        let used: Vec<_> = Entitlements::energy().into_iter().map(|row| (row.class, row.used_mj)).collect();
        assert_eq!(used, [(INNOVATION, 5_000), (PRIORITY, 15_000)]);
        assert!(Entitlements::unsettled().is_empty());
    });
}

#[test]
fn reservations_that_lapse_hold_nothing_though_nobody_touches_their_wallets() {
    test(|| {
        mint(&ada(), 100, None);
        mint(&bob(), 100, None);
        set(100);
        assert!(reserve(&gateway(), &ada(), 10, HOUR));
        wait(2 * HOUR);
        // A day is counted as a whole; whoever touches the wallet sooner finds out.
        assert!(!reserve(&gateway(), &bob(), 1, HOUR));
        assert!(reserve(&gateway(), &ada(), 10, HOUR), "its own reservation is over");
        wait(DAY);
        assert_eq!(joules(), [0, 0, 100]);
        assert!(reserve(&gateway(), &bob(), 10, 7 * DAY));
        assert_ok!(Entitlements::do_try_state());
        release(&gateway(), &ada(), CREDIT);
        assert_eq!(joules(), [0, 100, 0]);
    });
}

#[test]
fn a_new_period_begins_with_nothing_used_and_what_is_held_stays_held() {
    test(|| {
        mint(&ada(), 100, None);
        set(100);
        assert_eq!(charge(7), 7);
        settle(4, None);
        assert_eq!(joules(), [40, 30, 30]);
        let ends_at = status().period_ends_at;
        assert!(ends_at > START && ends_at <= START + DAY && ends_at.is_multiple_of(DAY));
        Now::set(ends_at - 1);
        assert_eq!(joules(), [40, 30, 30]);
        wait(1);
        assert_eq!(joules(), [0, 30, 70]);
        settle(3, Some(8));
        assert_eq!(joules(), [8, 0, 92]);
        assert_eq!(status().period_ends_at, ends_at + DAY);
    });
}

#[test]
fn what_took_more_than_it_can_is_counted_and_said_once_in_a_period() {
    test(|| {
        mint(&ada(), 100, None);
        set(100);
        let exceeded = || {
            let events = System::events().into_iter().map(|record| record.event);
            events.filter(|event| {
                matches!(event, RuntimeEvent::Entitlements(Event::EnergyBudgetExceeded { .. }))
            })
        };
        assert_eq!(charge(6), 6);
        settle(2, Some(100));
        assert_eq!((joules(), exceeded().count()), ([100, 40, 0], 0));
        settle(2, Some(1));
        settle(1, Some(500));
        assert_eq!((joules(), exceeded().count()), ([601, 10, 0], 1));
        assert!(!reserve(&gateway(), &ada(), 1, HOUR));
        wait(DAY);
        assert!(reserve(&gateway(), &ada(), 9, HOUR));
        settle(1, Some(101));
        assert_eq!(exceeded().count(), 2);
    });
}

#[test]
fn a_budget_that_comes_later_counts_what_is_held_already() {
    test(|| {
        mint(&ada(), 100, None);
        assert!(reserve(&gateway(), &ada(), 5, HOUR));
        assert_eq!(charge(3), 3);
        assert!(Entitlements::energy().is_empty());
        set(100);
        assert_eq!(joules(), [0, 50, 50], "2 reserved, 3 not settled");
        settle(3, None);
        set(200);
        assert_eq!(joules(), [30, 20, 150], "another budget does not undo what was used");
        assert_ok!(Entitlements::set_energy_budget(council(), INNOVATION, None));
        settle(0, None);
        set(100);
        assert_eq!(joules(), [0, 20, 80]);
    });
}

#[test]
fn nothing_is_stored_of_a_class_without_budget_and_credits_in_use() {
    test(|| {
        mint(&ada(), 100, None);
        set(100);
        assert_eq!(charge(3), 3);
        settle(3, None);
        assert_ok!(Entitlements::set_energy_budget(council(), INNOVATION, None));
        assert!(!Energy::<Test>::contains_key(INNOVATION));
    });
}

#[test]
fn the_council_alone_sets_budgets_that_make_sense() {
    test(|| {
        let set = |origin, class, budget| Entitlements::set_energy_budget(origin, class, budget);
        assert_noop!(set(signed(&hr()), INNOVATION, None), sp_runtime::DispatchError::BadOrigin);
        assert_noop!(set(council(), ClassId(9), None), Error::<Test>::ClassUnknown);
        for invalid in
            [EnergyBudget { period_ms: 0, ..budget(1) }, EnergyBudget { mj_per_credit: 0, ..budget(1) }]
        {
            assert_noop!(set(council(), INNOVATION, Some(invalid)), Error::<Test>::EnergyBudgetInvalid);
        }
        assert_ok!(set(council(), INNOVATION, Some(budget(1))));
        let event = Event::EnergyBudgetSet { class: INNOVATION, budget: Some(budget(1)) };
        System::assert_last_event(event.into());
    });
}

#[test]
fn the_largest_numbers_close_a_class_and_overflow_nothing() {
    test(|| {
        mint(&ada(), 100, None);
        let largest =
            EnergyBudget { period_ms: u64::MAX, millijoules_max: u128::MAX, mj_per_credit: u64::MAX };
        assert_ok!(Entitlements::set_energy_budget(council(), INNOVATION, Some(largest)));
        assert!(reserve(&gateway(), &ada(), 50, HOUR));
        assert_eq!(charge(100), 100);
        settle(100, Some(u64::MAX));
        let _ = joules();
    });
}
