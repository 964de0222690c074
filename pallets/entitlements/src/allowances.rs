//! How much an issuer may mint in a period: what a stolen key is worth.

use core::marker::PhantomData;

use alloc::vec::Vec;

use frame_support::{ensure, traits::Get, traits::Time};
use sp_runtime::DispatchResult;
use stipend_primitives::{
    ledger::Roles,
    mint::Grant,
    view::{ClassAllowance, IssuerAllowance},
    AccountId, ClassId, Credits, Moment, Role,
};

use crate::{
    types::{Issuance, Issuer},
    Baskets, Classes, Config, Error, Event, Issuers, Pallet, Programs,
};

/// An issuer's allowance while a call mints: read once, asked for each entitlement, written once.
pub(crate) struct Allowance<T> {
    issuer: AccountId,
    /// The moment of the mint.
    pub(crate) now: Moment,
    state: Issuer,
    _runtime: PhantomData<T>,
}

impl<T: Config> Allowance<T> {
    pub(crate) fn open(issuer: &AccountId) -> Self {
        let now = T::Time::now();
        let state = Issuers::<T>::get(issuer).unwrap_or_default().at(period::<T>(now));
        Allowance { issuer: issuer.clone(), now, state, _runtime: PhantomData }
    }

    pub(crate) fn issuer(&self) -> &AccountId {
        &self.issuer
    }

    /// Counts `amount` as minted, unless that is more than what is left.
    pub(crate) fn take(&mut self, class: ClassId, amount: Credits) -> DispatchResult {
        let issuance = self.state.in_class(class).ok_or(Error::<T>::TooManyClasses)?;
        let allowance = issuance.allowed.unwrap_or_else(T::MintAllowance::get);
        issuance.minted = issuance
            .minted
            .checked_add(amount)
            .filter(|minted| *minted <= allowance)
            .ok_or(Error::<T>::AllowanceExhausted)?;
        issuance.ceiling = issuance.ceiling.max(allowance);
        Ok(())
    }

    /// Writes what was taken.
    pub(crate) fn close(mut self) {
        self.state.classes.retain(|issuance| issuance.minted > 0 || issuance.allowed.is_some());
        if self.state.classes.is_empty() {
            Issuers::<T>::remove(&self.issuer);
        } else {
            Issuers::<T>::insert(&self.issuer, self.state);
        }
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_mint_allowance(
        issuer: AccountId,
        class: ClassId,
        amount: Option<Credits>,
    ) -> DispatchResult {
        ensure!(Classes::<T>::contains_key(class), Error::<T>::ClassUnknown);
        // Taking an allowance back must be possible after the role is gone.
        ensure!(amount.is_none() || T::Roles::has(&issuer, Role::Issuer), Error::<T>::NotIssuer);
        let mut allowance = Allowance::<T>::open(&issuer);
        allowance.state.in_class(class).ok_or(Error::<T>::TooManyClasses)?.allowed = amount;
        allowance.close();
        Self::deposit_event(Event::MintAllowanceSet { issuer, class, amount });
        Ok(())
    }

    /// What an issuer may still mint in this period; `None` for an account that is no issuer.
    pub fn mint_allowance(issuer: AccountId) -> Option<IssuerAllowance> {
        if !T::Roles::has(&issuer, Role::Issuer) {
            return None;
        }
        let now = T::Time::now();
        let state = Issuers::<T>::get(issuer).unwrap_or_default().at(period::<T>(now));
        let classes = Self::classes().into_iter().map(|(class, registered)| {
            let issuance = state.classes.iter().find(|issuance| issuance.class == class);
            let allowance = issuance.and_then(|row| row.allowed).unwrap_or_else(T::MintAllowance::get);
            let minted = issuance.map_or(0, |issuance| issuance.minted);
            // Below zero only if the council lowered it meanwhile.
            let left = allowance.saturating_sub(minted);
            ClassAllowance { class, name: registered.name, allowance, minted, left }
        });
        Some(IssuerAllowance {
            period_ends_at: state.period.saturating_add(1).saturating_mul(T::MintPeriod::get()),
            large_mint: T::LargeMint::get(),
            classes: classes.collect(),
        })
    }

    /// What a grant would mint now, per class; `None` if there is no such program or basket.
    pub fn grant_totals(grant: Grant) -> Option<Vec<(ClassId, Credits)>> {
        let lines = match grant {
            Grant::One { program, amount, .. } => alloc::vec![(program, amount)],
            Grant::Basket { basket } => {
                let lines = Baskets::<T>::get(basket)?.lines.into_iter();
                lines.map(|(program, amount, _)| (program, amount)).collect()
            }
        };
        let mut totals = Vec::<(ClassId, Credits)>::new();
        for (program, amount) in lines {
            let class = Programs::<T>::get(program)?.class;
            match totals.iter_mut().find(|(known, _)| *known == class) {
                Some((_, total)) => *total = total.saturating_add(amount),
                None => totals.push((class, amount)),
            }
        }
        Some(totals)
    }
}

/// The number of the period that `now` is in.
pub(crate) fn period<T: Config>(now: Moment) -> u64 {
    now.checked_div(T::MintPeriod::get()).unwrap_or_default()
}

impl Issuer {
    /// As of a period: what was minted in another one counts no longer.
    fn at(mut self, period: u64) -> Self {
        if self.period != period {
            self.period = period;
            self.classes.retain(|issuance| issuance.allowed.is_some());
            for issuance in &mut self.classes {
                (issuance.minted, issuance.ceiling) = (0, 0);
            }
        }
        self
    }

    /// The row of a class; `None` if there are as many as classes can be.
    fn in_class(&mut self, class: ClassId) -> Option<&mut Issuance> {
        let at = match self.classes.binary_search_by_key(&class, |issuance| issuance.class) {
            Ok(at) => at,
            Err(at) => {
                let fresh = Issuance { class, minted: 0, ceiling: 0, allowed: None };
                self.classes.try_insert(at, fresh).ok()?;
                at
            }
        };
        self.classes.get_mut(at)
    }
}
