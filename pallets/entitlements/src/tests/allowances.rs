//! What an issuer may mint in a period.

use frame_support::{assert_noop, assert_ok, BoundedVec};
use stipend_primitives::{mint::Grant, view::ClassAllowance, AccountId, ClassId, Credits, Role};

use crate::{mock::*, Error, Event, Issuers};

/// Runs a test under an allowance of 100 credits.
fn test_with_allowance(body: impl FnOnce()) {
    test(|| {
        MintAllowance::set(100 * CREDIT);
        body();
    });
}

fn grant(program: u32, credits: Credits) -> Result<(), sp_runtime::DispatchError> {
    Entitlements::mint(signed(&hr()), ada(), one(program, credits, None))
        .map(|_| ())
        .map_err(|error| error.error)
}

fn row(issuer: &AccountId, class: ClassId) -> ClassAllowance {
    let allowance = Entitlements::mint_allowance(issuer.clone()).unwrap();
    allowance.classes.into_iter().find(|row| row.class == class).unwrap()
}

/// Allowance, minted and left in Innovation, in credits.
fn figures(issuer: &AccountId) -> [Credits; 3] {
    let row = row(issuer, INNOVATION);
    [row.allowance, row.minted, row.left].map(|amount| amount / CREDIT)
}

#[test]
fn an_issuer_mints_up_to_its_allowance_and_not_a_micro_credit_more() {
    test_with_allowance(|| {
        assert_ok!(grant(0, 60));
        assert_ok!(grant(0, 40));
        assert_eq!(figures(&hr()), [100, 100, 0]);
        let least = Grant::One { program: 0, amount: 1, valid_from: None, valid_until: None };
        assert_noop!(Entitlements::mint(signed(&hr()), ada(), least), Error::<Test>::AllowanceExhausted);
    });
}

#[test]
fn a_refused_mint_takes_nothing_of_the_allowance() {
    test_with_allowance(|| {
        assert_noop!(grant(0, 101), Error::<Test>::AllowanceExhausted);
        assert_ok!(grant(0, 100));
    });
}

#[test]
fn each_class_has_an_allowance_of_its_own() {
    test_with_allowance(|| {
        assert_ok!(grant(0, 100));
        assert_ok!(grant(1, 100));
        assert_noop!(grant(1, 1), Error::<Test>::AllowanceExhausted);
    });
}

#[test]
fn all_programs_of_a_class_count_together() {
    test_with_allowance(|| {
        assert_ok!(Entitlements::delegate_program(signed(&hr()), 0, name("Lab"), hr(), 500 * CREDIT));
        assert_ok!(grant(0, 60));
        assert_noop!(grant(2, 41), Error::<Test>::AllowanceExhausted);
        assert_ok!(grant(2, 40));
    });
}

#[test]
fn grants_of_one_call_count_together() {
    test_with_allowance(|| {
        let grants = |pairs| {
            let pair = |_| [(ada(), one(0, 10, None)), (bob(), one(0, 10, None))];
            BoundedVec::truncate_from((0..pairs).flat_map(pair).collect())
        };
        assert_noop!(Entitlements::mint_many(signed(&hr()), grants(6)), Error::<Test>::AllowanceExhausted);
        assert_ok!(Entitlements::mint_many(signed(&hr()), grants(5)));
        assert_eq!(figures(&hr()), [100, 100, 0]);
    });
}

#[test]
fn lines_of_a_basket_count_each_in_its_class() {
    test_with_allowance(|| {
        let lines = BoundedVec::truncate_from(vec![
            (0, 30 * CREDIT, None),
            (1, 45 * CREDIT, None),
            (0, 20 * CREDIT, None),
        ]);
        assert_ok!(Entitlements::set_basket(signed(&hr()), 7, name("package"), lines));
        let mint = || Entitlements::mint(signed(&hr()), ada(), Grant::Basket { basket: 7 });
        assert_ok!(mint());
        assert_ok!(mint());
        assert_eq!(figures(&hr()), [100, 100, 0]);
        assert_eq!(row(&hr(), PRIORITY).left, 10 * CREDIT);
        assert_noop!(mint(), Error::<Test>::AllowanceExhausted);
    });
}

#[test]
fn a_new_period_begins_at_its_moment_and_renews_the_allowance() {
    test_with_allowance(|| {
        assert_ok!(grant(0, 100));
        let ends_at = Entitlements::mint_allowance(hr()).unwrap().period_ends_at;
        assert!(ends_at > START && ends_at <= START + DAY && ends_at.is_multiple_of(DAY));
        Now::set(ends_at - 1);
        assert_noop!(grant(0, 1), Error::<Test>::AllowanceExhausted);
        Now::set(ends_at);
        assert_eq!(figures(&hr()), [100, 0, 100]);
        assert_ok!(grant(0, 100));
        assert_noop!(grant(0, 1), Error::<Test>::AllowanceExhausted);
    });
}

#[test]
fn what_was_not_minted_in_a_period_is_not_saved_up() {
    test_with_allowance(|| {
        wait(10 * DAY);
        assert_noop!(grant(0, 101), Error::<Test>::AllowanceExhausted);
    });
}

#[test]
fn what_comes_back_to_a_program_does_not_come_back_to_the_allowance() {
    test_with_allowance(|| {
        let id = mint(&ada(), 100, None);
        assert_ok!(Entitlements::revoke(signed(&hr()), id, Some(40 * CREDIT)));
        assert_noop!(grant(0, 1), Error::<Test>::AllowanceExhausted);
        assert_ok!(Entitlements::give_back(signed(&ada()), id, 20 * CREDIT));
        assert_noop!(grant(0, 1), Error::<Test>::AllowanceExhausted);
        assert_ok!(Entitlements::offboard(signed(&hr()), ada()));
        assert_noop!(grant(0, 1), Error::<Test>::AllowanceExhausted);
    });
}

#[test]
fn the_council_gives_one_issuer_more_in_one_class() {
    test_with_allowance(|| {
        let amount = Some(250 * CREDIT);
        assert_ok!(Entitlements::set_mint_allowance(council(), hr(), INNOVATION, amount));
        System::assert_last_event(Event::MintAllowanceSet { issuer: hr(), class: INNOVATION, amount }.into());
        assert_ok!(grant(0, 250));
        assert_noop!(grant(0, 1), Error::<Test>::AllowanceExhausted);
        assert_noop!(grant(1, 101), Error::<Test>::AllowanceExhausted);
        wait(DAY);
        assert_eq!(figures(&hr()), [250, 0, 250], "it stays for the periods to come");
    });
}

#[test]
fn a_raise_counts_at_once_and_what_was_minted_is_taken_off() {
    test_with_allowance(|| {
        assert_ok!(grant(0, 100));
        assert_ok!(Entitlements::set_mint_allowance(council(), hr(), INNOVATION, Some(130 * CREDIT)));
        assert_eq!(figures(&hr()), [130, 100, 30]);
        assert_noop!(grant(0, 31), Error::<Test>::AllowanceExhausted);
        assert_ok!(grant(0, 30));
    });
}

#[test]
fn a_lower_allowance_counts_at_once_and_zero_stops_an_issuer() {
    test_with_allowance(|| {
        assert_ok!(grant(0, 80));
        assert_ok!(Entitlements::set_mint_allowance(council(), hr(), INNOVATION, Some(0)));
        assert_eq!(figures(&hr()), [0, 80, 0]);
        assert_noop!(grant(0, 1), Error::<Test>::AllowanceExhausted);
        wait(DAY);
        assert_noop!(grant(0, 1), Error::<Test>::AllowanceExhausted);
        assert_ok!(Entitlements::set_mint_allowance(council(), hr(), INNOVATION, None));
        assert_ok!(grant(0, 100));
    });
}

#[test]
fn only_the_council_sets_allowances_of_issuers_in_classes_that_there_are() {
    test_with_allowance(|| {
        let set = |origin, who, class| Entitlements::set_mint_allowance(origin, who, class, Some(CREDIT));
        assert_noop!(set(signed(&hr()), hr(), INNOVATION), sp_runtime::DispatchError::BadOrigin);
        assert_noop!(set(council(), ada(), INNOVATION), Error::<Test>::NotIssuer);
        assert_noop!(set(council(), hr(), ClassId(77)), Error::<Test>::ClassUnknown);
    });
}

#[test]
fn losing_and_regaining_the_role_renews_nothing() {
    test_with_allowance(|| {
        assert_ok!(grant(0, 100));
        RoleHolders::mutate(|holders| holders.retain(|(who, _)| *who != hr()));
        assert_eq!(Entitlements::mint_allowance(hr()), None);
        assert_noop!(grant(0, 1), Error::<Test>::NotIssuer);
        RoleHolders::mutate(|holders| holders.push((hr(), Role::Issuer)));
        assert_noop!(grant(0, 1), Error::<Test>::AllowanceExhausted);
    });
}

#[test]
fn the_allowance_of_a_former_issuer_can_be_taken_back() {
    test_with_allowance(|| {
        assert_ok!(Entitlements::set_mint_allowance(council(), hr(), INNOVATION, Some(CREDIT)));
        RoleHolders::mutate(|holders| holders.retain(|(who, _)| *who != hr()));
        assert_ok!(Entitlements::set_mint_allowance(council(), hr(), INNOVATION, None));
        assert!(!Issuers::<Test>::contains_key(hr()), "nothing is left to store");
    });
}

#[test]
fn an_issuer_takes_one_item_of_storage_however_long_it_mints() {
    test_with_allowance(|| {
        for _ in 0..5 {
            assert_ok!(grant(0, 1));
            assert_ok!(grant(1, 1));
            wait(DAY);
        }
        assert_ok!(grant(1, 1));
        assert_eq!(Issuers::<Test>::iter().count(), 1);
        let issuer = Issuers::<Test>::get(hr()).unwrap();
        assert_eq!(issuer.classes.len(), 1, "what was minted in an earlier period is forgotten");
        assert_eq!(issuer.period, Now::get() / DAY);
    });
}

#[test]
fn what_a_grant_would_take_is_told_per_class() {
    test_with_allowance(|| {
        let lines = BoundedVec::truncate_from(vec![(0, 3, None), (1, 4, None), (0, 5, None)]);
        assert_ok!(Entitlements::set_basket(signed(&hr()), 7, name("package"), lines));
        let totals = Entitlements::grant_totals(Grant::Basket { basket: 7 }).unwrap();
        assert_eq!(totals, [(INNOVATION, 8), (PRIORITY, 4)]);
        assert_eq!(Entitlements::grant_totals(one(1, 2, None)).unwrap(), [(PRIORITY, 2 * CREDIT)]);
        assert_eq!(Entitlements::grant_totals(Grant::Basket { basket: 8 }), None);
        assert_eq!(Entitlements::grant_totals(one(9, 1, None)), None);
    });
}
