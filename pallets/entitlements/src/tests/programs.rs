//! Classes and budgets.

use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;
use stipend_primitives::{ledger::Ledger, settlement::UnattestedPolicy, ClassId, Role};

use crate::{
    mock::*,
    types::{BUDGET_MAX, CLASSES_MAX, PROGRAM_DEPTH_MAX},
    Error, Event, Programs,
};

fn manager() -> stipend_primitives::AccountId {
    account(0x20)
}

/// A program below HR's for a manager who is an issuer.
fn delegate(credits: u128) -> u32 {
    RoleHolders::mutate(|holders| holders.push((manager(), Role::Issuer)));
    assert_ok!(Entitlements::delegate_program(signed(&hr()), 0, name("Lab"), manager(), credits * CREDIT));
    2
}

#[test]
fn the_council_registers_classes_and_nobody_else() {
    test(|| {
        let register = |origin, id, text| {
            Entitlements::register_class(origin, ClassId(id), name(text), UnattestedPolicy::Accept)
        };
        assert_noop!(register(signed(&hr()), 9, "Bio"), DispatchError::BadOrigin);
        assert_noop!(register(council(), 0, "Bio"), Error::<Test>::ClassExists);
        assert_noop!(register(council(), 9, ""), Error::<Test>::NameInvalid);
        assert_ok!(register(council(), 9, "Bio"));
        assert_eq!(Entitlements::unattested_policy(ClassId(9)), UnattestedPolicy::Accept);
        assert_eq!(Entitlements::unattested_policy(ClassId(8)), UnattestedPolicy::Refund);
        for id in 3..CLASSES_MAX {
            assert_ok!(register(council(), 100 + id as u16, "more"));
        }
        assert_noop!(register(council(), 999, "one more"), Error::<Test>::TooManyClasses);
    });
}

#[test]
fn a_program_needs_a_class_a_name_and_a_sane_budget() {
    test(|| {
        let create = |class, text, budget| {
            Entitlements::create_program(council(), name(text), ClassId(class), hr(), budget)
        };
        assert_noop!(create(9, "x", 1), Error::<Test>::ClassUnknown);
        assert_noop!(create(0, "", 1), Error::<Test>::NameInvalid);
        assert_noop!(create(0, "x", BUDGET_MAX + 1), Error::<Test>::BudgetTooLarge);
        assert_noop!(
            Entitlements::create_program(signed(&hr()), name("x"), INNOVATION, hr(), 1),
            DispatchError::BadOrigin
        );
        assert_ok!(create(0, "x", BUDGET_MAX));
        System::assert_last_event(
            Event::ProgramCreated { id: 2, parent: None, owner: hr(), budget: BUDGET_MAX }.into(),
        );
    });
}

#[test]
fn delegated_credits_leave_the_program_above_and_keep_its_class() {
    test(|| {
        let lab = delegate(1_000);
        let (above, below) = (Programs::<Test>::get(0).unwrap(), Programs::<Test>::get(lab).unwrap());
        assert_eq!((above.unminted, above.delegated), (999_000 * CREDIT, 1_000 * CREDIT));
        assert_eq!((below.parent, below.class, below.unminted), (Some(0), INNOVATION, 1_000 * CREDIT));
        assert_noop!(
            Entitlements::mint(signed(&manager()), ada(), one(lab, 1_001, None)),
            Error::<Test>::BudgetExhausted
        );
    });
}

#[test]
fn owners_of_a_program_and_of_those_above_mint_from_it_and_nobody_below_mints_above() {
    test(|| {
        let lab = delegate(1_000);
        assert_ok!(Entitlements::mint(signed(&manager()), ada(), one(lab, 1, None)));
        assert_ok!(Entitlements::mint(signed(&hr()), ada(), one(lab, 1, None)));
        assert_noop!(
            Entitlements::mint(signed(&manager()), ada(), one(0, 1, None)),
            Error::<Test>::NotProgramOwner
        );
    });
}

#[test]
fn an_owner_of_a_program_who_is_no_issuer_delegates_but_does_not_mint() {
    test(|| {
        let lab = delegate(1_000);
        RoleHolders::mutate(|holders| holders.retain(|(who, _)| *who != manager()));
        assert_noop!(
            Entitlements::mint(signed(&manager()), ada(), one(lab, 1, None)),
            Error::<Test>::NotIssuer
        );
        assert_ok!(Entitlements::delegate_program(signed(&manager()), lab, name("Team"), ada(), CREDIT));
    });
}

#[test]
fn nobody_delegates_what_is_not_theirs_or_not_there() {
    test(|| {
        let delegate = |who, parent, credits| {
            Entitlements::delegate_program(signed(&who), parent, name("x"), ada(), credits * CREDIT)
        };
        assert_noop!(delegate(ada(), 0, 1), Error::<Test>::NotProgramOwner);
        assert_noop!(delegate(hr(), 0, 1_000_001), Error::<Test>::BudgetExhausted);
        assert_noop!(delegate(hr(), 9, 1), Error::<Test>::ProgramUnknown);
    });
}

#[test]
fn programs_nest_only_so_deep() {
    test(|| {
        let mut parent = 0;
        for depth in 1..PROGRAM_DEPTH_MAX {
            assert_ok!(Entitlements::delegate_program(signed(&hr()), parent, name("x"), hr(), CREDIT));
            parent = depth + 1;
        }
        assert_noop!(
            Entitlements::delegate_program(signed(&hr()), parent, name("x"), hr(), CREDIT),
            Error::<Test>::ProgramsTooDeep
        );
        assert_ok!(Entitlements::mint(signed(&hr()), ada(), one(parent, 1, None)));
    });
}

#[test]
fn new_credits_for_a_program_are_counted_in_every_program_above() {
    test(|| {
        let lab = delegate(1_000);
        assert_ok!(Entitlements::increase_budget(council(), lab, 5 * CREDIT));
        let (above, below) = (Programs::<Test>::get(0).unwrap(), Programs::<Test>::get(lab).unwrap());
        assert_eq!((below.budget, below.unminted), (1_005 * CREDIT, 1_005 * CREDIT));
        assert_eq!((above.budget, above.delegated), (1_000_005 * CREDIT, 1_005 * CREDIT));
        assert_eq!(above.unminted, 999_000 * CREDIT);
    });
}

#[test]
fn a_budget_grows_by_the_council_only_and_not_without_end() {
    test(|| {
        assert_noop!(Entitlements::increase_budget(signed(&hr()), 0, 1), DispatchError::BadOrigin);
        assert_noop!(Entitlements::increase_budget(council(), 9, 1), Error::<Test>::ProgramUnknown);
        assert_noop!(Entitlements::increase_budget(council(), 0, 0), Error::<Test>::ZeroAmount);
        for amount in [BUDGET_MAX, u128::MAX] {
            assert_noop!(Entitlements::increase_budget(council(), 0, amount), Error::<Test>::BudgetTooLarge);
        }
    });
}
