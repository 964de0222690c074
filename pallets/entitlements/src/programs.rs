//! Classes and programs.

use frame_support::{
    ensure,
    traits::{defensive_prelude::*, DefensiveSaturating},
};
use sp_runtime::{DispatchError, DispatchResult};
use stipend_primitives::{
    settlement::UnattestedPolicy,
    view::{Class, Program},
    AccountId, ClassId, Credits, Name, ProgramId,
};

use crate::{
    types::{Burns, BUDGET_MAX, CLASSES_MAX, PROGRAMS_FOR_COUNCIL, PROGRAMS_MAX, PROGRAM_DEPTH_MAX},
    Classes, Config, Error, Event, NextProgramId, Pallet, Programs,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_register_class(id: ClassId, name: Name, unattested: UnattestedPolicy) -> DispatchResult {
        Self::ensure_name(&name)?;
        ensure!(!Classes::<T>::contains_key(id), Error::<T>::ClassExists);
        ensure!(Classes::<T>::count() < CLASSES_MAX, Error::<T>::TooManyClasses);
        Classes::<T>::insert(id, Class { name, unattested });
        Self::deposit_event(Event::ClassRegistered { id });
        Ok(())
    }

    pub(crate) fn do_create_program(
        name: Name,
        class: ClassId,
        owner: AccountId,
        budget: Credits,
    ) -> Result<ProgramId, DispatchError> {
        ensure!(Classes::<T>::contains_key(class), Error::<T>::ClassUnknown);
        Self::put_program(name, class, owner, None, budget)
    }

    pub(crate) fn do_delegate_program(
        who: &AccountId,
        parent_id: ProgramId,
        name: Name,
        owner: AccountId,
        budget: Credits,
    ) -> DispatchResult {
        let mut parent = Programs::<T>::get(parent_id).ok_or(Error::<T>::ProgramUnknown)?;
        ensure!(Self::manages(who, parent_id), Error::<T>::NotProgramOwner);
        ensure!(Self::line(parent_id).count() < PROGRAM_DEPTH_MAX as usize, Error::<T>::ProgramsTooDeep);
        let numbers = PROGRAMS_MAX - PROGRAMS_FOR_COUNCIL;
        ensure!(NextProgramId::<T>::get() < numbers, Error::<T>::TooManyPrograms);
        parent.unminted = parent.unminted.checked_sub(budget).ok_or(Error::<T>::BudgetExhausted)?;
        parent.delegated.defensive_saturating_accrue(budget);
        let class = parent.class;
        Programs::<T>::insert(parent_id, parent);
        Self::put_program(name, class, owner, Some(parent_id), budget).map(|_| ())
    }

    pub(crate) fn do_increase_budget(program_id: ProgramId, amount: Credits) -> DispatchResult {
        ensure!(amount > 0, Error::<T>::ZeroAmount);
        let mut next = Some(program_id);
        while let Some(id) = next {
            let mut program = Programs::<T>::get(id).ok_or(Error::<T>::ProgramUnknown)?;
            program.budget = program
                .budget
                .checked_add(amount)
                .filter(|budget| *budget <= BUDGET_MAX)
                .ok_or(Error::<T>::BudgetTooLarge)?;
            if id == program_id {
                program.unminted.defensive_saturating_accrue(amount);
            } else {
                program.delegated.defensive_saturating_accrue(amount);
            }
            next = program.parent;
            Programs::<T>::insert(id, program);
        }
        Self::deposit_event(Event::BudgetIncreased { id: program_id, amount });
        Ok(())
    }

    /// Whether `who` owns the program or one above it.
    pub(crate) fn manages(who: &AccountId, id: ProgramId) -> bool {
        Self::line(id).any(|program| program.owner == *who)
    }

    /// Puts withdrawn credits back into the budgets they came from.
    pub(crate) fn burn(burns: Burns) {
        for (id, amount) in burns {
            Programs::<T>::mutate(id, |program| {
                let Some(program) = program.as_mut().defensive_proof("programs are never removed") else {
                    return;
                };
                program.granted.defensive_saturating_reduce(amount);
                program.unminted.defensive_saturating_accrue(amount);
            });
            Self::deposit_event(Event::ReturnedToProgram { id, amount });
        }
    }

    pub(crate) fn ensure_name(name: &Name) -> DispatchResult {
        let readable = !name.is_empty() && core::str::from_utf8(name).is_ok();
        ensure!(readable, Error::<T>::NameInvalid);
        Ok(())
    }

    /// The program and those above it, up to its root.
    pub(crate) fn line(id: ProgramId) -> impl Iterator<Item = Program> {
        core::iter::successors(Programs::<T>::get(id), |program| program.parent.and_then(Programs::<T>::get))
    }

    fn put_program(
        name: Name,
        class: ClassId,
        owner: AccountId,
        parent: Option<ProgramId>,
        budget: Credits,
    ) -> Result<ProgramId, DispatchError> {
        Self::ensure_name(&name)?;
        ensure!(budget <= BUDGET_MAX, Error::<T>::BudgetTooLarge);
        let id = NextProgramId::<T>::get();
        ensure!(id < PROGRAMS_MAX, Error::<T>::TooManyPrograms);
        NextProgramId::<T>::put(id + 1);
        Programs::<T>::insert(
            id,
            Program {
                owner: owner.clone(),
                name,
                class,
                parent,
                budget,
                unminted: budget,
                granted: 0,
                delegated: 0,
            },
        );
        Self::deposit_event(Event::ProgramCreated { id, parent, owner, budget });
        Ok(id)
    }
}
