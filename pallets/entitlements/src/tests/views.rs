//! What the runtime API answers.

use frame_support::assert_ok;
use stipend_primitives::ledger::Ledger;

use crate::mock::*;

#[test]
fn a_wallet_has_one_row_per_class_with_its_name() {
    test(|| {
        assert_ok!(Entitlements::mint(signed(&hr()), ada(), one(1, 5, None)));
        mint(&ada(), 10, None);
        let names: Vec<_> =
            Entitlements::wallet(ada()).into_iter().map(|row| (row.class, row.name)).collect();
        assert_eq!(names, [(INNOVATION, name("Innovation")), (PRIORITY, name("Priority"))]);
        assert!(Entitlements::wallet(bob()).is_empty());
    });
}

#[test]
fn figures_are_of_now_though_nothing_was_written_since() {
    test(|| {
        let id = mint(&ada(), 10, Some(START + DAY));
        reserve(&gateway(), &ada(), 4, HOUR);
        wait(2 * HOUR);
        assert_eq!(credits_of(id), [10, 0, 0, 0, 0]);
        assert!(Entitlements::wallet(ada())[0].reservations.is_empty());
        assert_eq!(Entitlements::gateway_balances(gateway(), vec![ada()])[0].reserved, 0);
        wait(DAY);
        assert_eq!(credits(&ada()), [0, 0, 0, 10, 0]);
        assert_eq!(Entitlements::entitlements(ada())[0].amounts.expired, 10 * CREDIT);
    });
}

#[test]
fn a_gateway_sees_what_it_has_and_what_it_could_have_in_every_class() {
    test(|| {
        mint(&ada(), 10, None);
        assert_ok!(Entitlements::mint(signed(&hr()), ada(), one(1, 5, None)));
        mint(&bob(), 3, None);
        reserve(&gateway(), &ada(), 4, HOUR);
        reserve(&other_gateway(), &ada(), 1, HOUR);
        let rows = Entitlements::gateway_balances(gateway(), vec![bob(), ada(), account(9)]);
        let rows: Vec<_> = rows
            .into_iter()
            .map(|row| (row.owner, row.class, row.reserved / CREDIT, row.available / CREDIT))
            .collect();
        assert_eq!(rows, [(bob(), INNOVATION, 0, 3), (ada(), INNOVATION, 4, 5), (ada(), PRIORITY, 0, 5)]);
    });
}

#[test]
fn entitlements_are_listed_by_number_whether_archived_or_not() {
    test(|| {
        for round in 0..10_u128 {
            mint(&ada(), 1 + round, None);
            if round % 2 == 0 {
                Entitlements::charge_alone(&gateway(), &ada(), INNOVATION, (1 + round) * CREDIT);
            }
        }
        let list = Entitlements::entitlements(ada());
        assert!(list.windows(2).all(|pair| pair[0].id < pair[1].id));
        assert_eq!(list.len(), 10);
        for view in list {
            assert_eq!(Entitlements::entitlement(view.id), Some(view));
        }
        assert_eq!(Entitlements::entitlement(99), None);
    });
}

#[test]
fn totals_over_pages_are_the_sums_over_all_wallets() {
    test(|| {
        for number in 20..27 {
            mint(&account(number), 10, None);
        }
        assert_ok!(Entitlements::mint(signed(&hr()), ada(), one(1, 5, None)));
        reserve(&gateway(), &account(20), 4, HOUR);
        reserve(&gateway(), &account(21), 3, DAY);
        wait(2 * HOUR);
        for limit in [1, 3, 100] {
            let (mut sums, mut after) = ([0; 3], None);
            loop {
                let (page, next) = Entitlements::wallet_totals(after, limit);
                for (class, available, reserved) in page {
                    if class == INNOVATION {
                        sums[0] += available / CREDIT;
                        sums[1] += reserved / CREDIT;
                    } else {
                        sums[2] += available / CREDIT;
                    }
                }
                after = next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(sums, [67, 3, 5], "{limit} wallets a page; one reservation has expired");
        }
    });
}
