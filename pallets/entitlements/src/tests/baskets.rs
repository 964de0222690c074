//! Baskets: several classes in one grant.

use frame_support::{assert_noop, assert_ok, BoundedVec};
use stipend_primitives::{mint::Grant, Role};

use crate::{mock::*, Error};

fn package() -> crate::BasketLines {
    BoundedVec::truncate_from(vec![(0, 50 * CREDIT, Some(30 * DAY)), (1, 5 * CREDIT, None)])
}

#[test]
fn a_basket_grants_all_its_lines_and_their_validity_counts_from_the_mint() {
    test(|| {
        assert_ok!(Entitlements::set_basket(signed(&hr()), 7, name("engineer"), package()));
        wait(DAY);
        assert_ok!(Entitlements::mint(signed(&hr()), ada(), Grant::Basket { basket: 7 }));
        let granted = Entitlements::entitlements(ada());
        assert_eq!(granted.len(), 2);
        assert_eq!((granted[0].class, granted[0].amounts.granted), (INNOVATION, 50 * CREDIT));
        assert_eq!(granted[0].valid_until, Some(START + 31 * DAY));
        assert_eq!((granted[1].class, granted[1].valid_until), (PRIORITY, None));
    });
}

#[test]
fn only_the_issuer_who_set_a_basket_changes_it() {
    test(|| {
        let other = account(0x11);
        RoleHolders::mutate(|holders| holders.push((other.clone(), Role::Issuer)));
        assert_ok!(Entitlements::set_basket(signed(&hr()), 7, name("engineer"), package()));
        assert_noop!(
            Entitlements::set_basket(signed(&other), 7, name("engineer"), package()),
            Error::<Test>::NotBasketIssuer
        );
        let fewer = BoundedVec::truncate_from(vec![(0, CREDIT, None)]);
        assert_ok!(Entitlements::set_basket(signed(&hr()), 7, name("intern"), fewer.clone()));
        assert_eq!(Entitlements::baskets(), [(7, hr(), b"intern".to_vec(), fewer.into_inner())]);
    });
}

#[test]
fn a_basket_without_lines_is_removed() {
    test(|| {
        assert_noop!(
            Entitlements::set_basket(signed(&hr()), 7, name(""), BoundedVec::default()),
            Error::<Test>::BasketUnknown
        );
        assert_ok!(Entitlements::set_basket(signed(&hr()), 7, name("engineer"), package()));
        assert_ok!(Entitlements::set_basket(signed(&hr()), 7, name(""), BoundedVec::default()));
        assert_noop!(
            Entitlements::mint(signed(&hr()), ada(), Grant::Basket { basket: 7 }),
            Error::<Test>::BasketUnknown
        );
    });
}

#[test]
fn a_basket_draws_only_on_programs_of_its_issuer() {
    test(|| {
        let other = account(0x11);
        RoleHolders::mutate(|holders| holders.push((other.clone(), Role::Issuer)));
        assert_noop!(
            Entitlements::set_basket(signed(&other), 7, name("mine"), package()),
            Error::<Test>::NotProgramOwner
        );
        assert_ok!(Entitlements::set_basket(signed(&hr()), 7, name("engineer"), package()));
        assert_noop!(
            Entitlements::mint(signed(&other), ada(), Grant::Basket { basket: 7 }),
            Error::<Test>::NotBasketIssuer
        );
    });
}

#[test]
fn a_basket_is_minted_by_the_issuer_who_set_it_alone() {
    test(|| {
        let other = account(0x11);
        RoleHolders::mutate(|holders| holders.push((other.clone(), Role::Issuer)));
        assert_ok!(Entitlements::delegate_program(signed(&hr()), 0, name("Lab"), other.clone(), CREDIT));
        let lines = BoundedVec::truncate_from(vec![(2, CREDIT, None)]);
        assert_ok!(Entitlements::set_basket(signed(&other), 7, name("lab"), lines));
        // HR could mint from the program below its own, but not what somebody else may change.
        assert_noop!(
            Entitlements::mint(signed(&hr()), ada(), Grant::Basket { basket: 7 }),
            Error::<Test>::NotBasketIssuer
        );
        assert_ok!(Entitlements::mint(signed(&other), ada(), Grant::Basket { basket: 7 }));
    });
}

#[test]
fn the_basket_of_one_who_is_no_issuer_any_more_can_be_taken_over() {
    test(|| {
        let other = account(0x11);
        RoleHolders::mutate(|holders| holders.push((other.clone(), Role::Issuer)));
        assert_ok!(Entitlements::set_basket(signed(&hr()), 7, name("engineer"), package()));
        assert_ok!(Entitlements::delegate_program(signed(&hr()), 0, name("Lab"), other.clone(), CREDIT));
        RoleHolders::mutate(|holders| holders.retain(|(who, _)| *who != hr()));
        let lines = BoundedVec::truncate_from(vec![(2, CREDIT, None)]);
        assert_ok!(Entitlements::set_basket(signed(&other), 7, name("lab"), lines));
        assert_ok!(Entitlements::mint(signed(&other), ada(), Grant::Basket { basket: 7 }));
        assert_ok!(Entitlements::set_basket(signed(&other), 7, name(""), BoundedVec::default()));
    });
}

#[test]
fn unsound_lines_are_refused() {
    test(|| {
        for (line, error) in [
            ((9, CREDIT, None), Error::<Test>::ProgramUnknown),
            ((0, 0, None), Error::<Test>::ZeroAmount),
            ((0, CREDIT, Some(0)), Error::<Test>::ValidityOver),
        ] {
            let lines = BoundedVec::truncate_from(vec![line]);
            assert_noop!(Entitlements::set_basket(signed(&hr()), 7, name("x"), lines), error);
        }
    });
}

#[test]
fn a_basket_that_its_budget_does_not_cover_grants_nothing_at_all() {
    test(|| {
        let lines = BoundedVec::truncate_from(vec![(0, 600_000 * CREDIT, None), (0, 600_000 * CREDIT, None)]);
        assert_ok!(Entitlements::set_basket(signed(&hr()), 7, name("greedy"), lines));
        assert_noop!(
            Entitlements::mint(signed(&hr()), ada(), Grant::Basket { basket: 7 }),
            Error::<Test>::BudgetExhausted
        );
    });
}
