//! Grants.

use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo, BoundedVec};
use stipend_primitives::mint::Grant;

use crate::{mock::*, types::MINTS_MAX, Error, Event, Programs};

#[test]
fn a_mint_makes_one_entitlement_out_of_the_programs_budget() {
    test(|| {
        let id = mint(&ada(), 10, Some(START + DAY));
        System::assert_last_event(
            Event::Minted {
                id,
                owner: ada(),
                class: INNOVATION,
                amount: 10 * CREDIT,
                issuer: hr(),
                program: 0,
            }
            .into(),
        );
        let view = Entitlements::entitlement(id).unwrap();
        assert_eq!((view.owner, view.issuer, view.program), (ada(), hr(), 0));
        assert_eq!((view.valid_from, view.valid_until), (START, Some(START + DAY)));
        assert_eq!(view.amounts.granted, 10 * CREDIT);
        let program = Programs::<Test>::get(0).unwrap();
        assert_eq!((program.unminted, program.granted), (999_990 * CREDIT, 10 * CREDIT));
    });
}

#[test]
fn every_entitlement_has_a_number_of_its_own() {
    test(|| {
        let first = mint(&ada(), 10, None);
        assert_ok!(Entitlements::revoke(signed(&hr()), first, None));
        assert_ne!(mint(&ada(), 10, None), first);
    });
}

#[test]
fn only_issuers_mint() {
    test(|| {
        assert_noop!(Entitlements::mint(signed(&ada()), ada(), one(0, 1, None)), Error::<Test>::NotIssuer);
        assert_noop!(Entitlements::mint(council(), ada(), one(0, 1, None)), Error::<Test>::NotIssuer);
    });
}

#[test]
fn unsound_grants_are_refused() {
    test(|| {
        let grant =
            |amount, valid_from, valid_until| Grant::One { program: 0, amount, valid_from, valid_until };
        for (grant, error) in [
            (grant(0, None, None), Error::<Test>::ZeroAmount),
            (grant(1, None, Some(START)), Error::<Test>::ValidityOver),
            (grant(1, Some(START + DAY), Some(START + DAY)), Error::<Test>::ValidityOver),
            (one(9, 1, None), Error::<Test>::ProgramUnknown),
            (one(0, 1_000_001, None), Error::<Test>::BudgetExhausted),
            (grant(u128::MAX, None, None), Error::<Test>::BudgetExhausted),
            (Grant::Basket { basket: 1 }, Error::<Test>::BasketUnknown),
        ] {
            assert_noop!(Entitlements::mint(signed(&hr()), ada(), grant), error);
        }
    });
}

#[test]
fn many_grants_are_minted_together() {
    test(|| {
        let grants = (0..100).map(|number| (account(number), one(0, 1, None))).collect::<Vec<_>>();
        assert_ok!(Entitlements::mint_many(signed(&hr()), BoundedVec::truncate_from(grants)));
        assert!((0..100).all(|number| credits(&account(number)) == [1, 0, 0, 0, 0]));
    });
}

#[test]
fn one_refused_grant_refuses_them_all() {
    test(|| {
        let grants = vec![(ada(), one(0, 1, None)), (bob(), one(0, 0, None))];
        assert_noop!(
            Entitlements::mint_many(signed(&hr()), BoundedVec::truncate_from(grants)),
            Error::<Test>::ZeroAmount
        );
    });
}

#[test]
fn more_grants_than_the_bound_do_not_fit_the_call() {
    let grants = vec![(ada(), one(0, 1, None)); MINTS_MAX as usize + 1];
    assert!(crate::Grants::try_from(grants).is_err());
}

#[test]
fn a_basket_is_announced_by_its_longest_and_weighed_by_what_it_minted() {
    test(|| {
        let lines = BoundedVec::truncate_from(vec![(0, CREDIT, None)]);
        assert_ok!(Entitlements::set_basket(signed(&hr()), 1, name("small"), lines));
        let call = crate::Call::<Test>::mint { owner: ada(), grant: Grant::Basket { basket: 1 } };
        let announced = call.get_dispatch_info().call_weight;
        let done = Entitlements::mint(signed(&hr()), ada(), Grant::Basket { basket: 1 }).unwrap();
        let actual = done.actual_weight.unwrap();
        assert!(actual.ref_time() < announced.ref_time() && actual.all_lte(announced));
    });
}

#[test]
fn the_first_entitlement_admits_its_owner() {
    test(|| {
        assert_eq!(System::providers(&ada()), 0);
        mint(&ada(), 10, None);
        mint(&ada(), 10, None);
        assert_ok!(Entitlements::mint(signed(&hr()), ada(), one(1, 1, None)));
        assert_eq!(System::providers(&ada()), 1);
    });
}
