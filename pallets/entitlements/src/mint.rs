//! Granting: baskets and mints.

use alloc::vec::Vec;

use frame_support::{
    ensure,
    traits::{DefensiveSaturating, Get},
};
use sp_runtime::{ArithmeticError, DispatchError, DispatchResult};
use stipend_primitives::{
    ledger::Roles,
    mint::Grant,
    view::{Amounts, Program},
    AccountId, BasketId, ClassId, Credits, EntitlementId, Moment, Name, ProgramId, Role,
};

use crate::{
    allowances::Allowance, energy::tally::Tally, types::*, Baskets, Config, Entitlements, Error, Event,
    NextEntitlementId, OwnedBy, Pallet, Programs, Wallets,
};

/// One entitlement to be.
pub(crate) struct Line {
    pub(crate) program: ProgramId,
    pub(crate) amount: Credits,
    pub(crate) valid_from: Moment,
    pub(crate) valid_until: Option<Moment>,
}

/// The most entitlements that a grant makes: what its weight is announced by.
pub(crate) fn lines_max(grant: &Grant) -> u32 {
    match grant {
        Grant::One { .. } => 1,
        Grant::Basket { .. } => BASKET_LINES_MAX,
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_basket(
        issuer: AccountId,
        id: BasketId,
        name: Name,
        lines: BasketLines,
    ) -> DispatchResult {
        let before = Baskets::<T>::get(id);
        // The baskets of one who is an issuer no longer are free to be taken over or removed.
        let may = |basket: &Basket| basket.issuer == issuer || !T::Roles::has(&basket.issuer, Role::Issuer);
        ensure!(before.as_ref().is_none_or(may), Error::<T>::NotBasketIssuer);
        let count = lines.len() as u32;
        if lines.is_empty() {
            ensure!(before.is_some(), Error::<T>::BasketUnknown);
            Baskets::<T>::remove(id);
        } else {
            Self::ensure_name(&name)?;
            ensure!(before.is_some() || Baskets::<T>::count() < BASKETS_MAX, Error::<T>::TooManyBaskets);
            for (program, amount, validity) in &lines {
                ensure!(Programs::<T>::contains_key(program), Error::<T>::ProgramUnknown);
                ensure!(Self::manages(&issuer, *program), Error::<T>::NotProgramOwner);
                ensure!(*amount > 0, Error::<T>::ZeroAmount);
                ensure!(*validity != Some(0), Error::<T>::ValidityOver);
            }
            let amounts = lines.iter().map(|(_, amount, _)| *amount);
            ensure!(total(amounts) <= T::LargeMint::get(), Error::<T>::BasketTooLarge);
            Baskets::<T>::insert(id, Basket { issuer, name, lines });
        }
        Self::deposit_event(Event::BasketSet { id, lines: count });
        Ok(())
    }

    pub(crate) fn do_mint(
        issuer: &AccountId,
        owner: &AccountId,
        grant: &Grant,
    ) -> Result<MintedIds, DispatchError> {
        let mut allowance = Allowance::<T>::open(issuer);
        let ids = Self::mint_grant(&mut allowance, owner, grant, false)?;
        allowance.close();
        Ok(ids)
    }

    /// Returns how many entitlements were made.
    pub(crate) fn do_mint_many(issuer: &AccountId, grants: &Grants) -> Result<u32, DispatchError> {
        let mut allowance = Allowance::<T>::open(issuer);
        let mut minted = 0;
        for (owner, grant) in grants {
            minted += Self::mint_grant(&mut allowance, owner, grant, false)?.len() as u32;
        }
        allowance.close();
        Ok(minted)
    }

    /// Makes the entitlements of one grant, within the issuer's allowance. A large one must have been
    /// signed by a second issuer, who has seen its amounts: those of a basket could change between the
    /// signature and the mint.
    pub(crate) fn mint_grant(
        allowance: &mut Allowance<T>,
        owner: &AccountId,
        grant: &Grant,
        cosigned: bool,
    ) -> Result<MintedIds, DispatchError> {
        let lines = Self::lines(allowance.issuer(), grant, allowance.now)?;
        if total(lines.iter().map(|line| line.amount)) > T::LargeMint::get() {
            ensure!(matches!(grant, Grant::One { .. }), Error::<T>::BasketTooLarge);
            ensure!(cosigned, Error::<T>::SecondIssuerNeeded);
        }
        let mut ids = MintedIds::default();
        for line in lines {
            let amount = line.amount;
            let (id, class) = Self::mint_line(allowance.issuer(), owner, line, allowance.now)?;
            allowance.take(class, amount)?;
            ids.try_push(id).map_err(|_| Error::<T>::TooManyEntitlements)?;
        }
        Ok(ids)
    }

    fn lines(issuer: &AccountId, grant: &Grant, now: Moment) -> Result<Vec<Line>, DispatchError> {
        Ok(match grant {
            Grant::One { program, amount, valid_from, valid_until } => alloc::vec![Line {
                program: *program,
                amount: *amount,
                valid_from: valid_from.unwrap_or(now),
                valid_until: *valid_until,
            }],
            Grant::Basket { basket } => {
                let basket = Baskets::<T>::get(basket).ok_or(Error::<T>::BasketUnknown)?;
                // What somebody else writes into a basket never counts against this issuer's allowance.
                ensure!(basket.issuer == *issuer, Error::<T>::NotBasketIssuer);
                let line = |(program, amount, validity): BasketLine| Line {
                    program,
                    amount,
                    valid_from: now,
                    // A validity that reaches beyond the end of time is for ever.
                    valid_until: validity.and_then(|validity| now.checked_add(validity)),
                };
                basket.lines.into_iter().map(line).collect()
            }
        })
    }

    /// Makes one entitlement that the owner's policy permits; returns its number and class. Whether the
    /// issuer may mint so much, the caller asks its allowance.
    pub(crate) fn mint_line(
        issuer: &AccountId,
        owner: &AccountId,
        line: Line,
        now: Moment,
    ) -> Result<(EntitlementId, ClassId), DispatchError> {
        let id = line.program;
        let may = |program: &Program| program.owner == *issuer || Self::manages(issuer, id);
        Self::mint_line_if(may, issuer, owner, line, now)
    }

    /// The same, out of a program that the issuer `may` mint from.
    pub(crate) fn mint_line_if(
        may: impl FnOnce(&Program) -> bool,
        issuer: &AccountId,
        owner: &AccountId,
        line: Line,
        now: Moment,
    ) -> Result<(EntitlementId, ClassId), DispatchError> {
        let Line { program: program_id, amount, valid_from, valid_until } = line;
        ensure!(amount > 0, Error::<T>::ZeroAmount);
        ensure!(valid_until.is_none_or(|end| end > now.max(valid_from)), Error::<T>::ValidityOver);
        let mut program = Programs::<T>::get(program_id).ok_or(Error::<T>::ProgramUnknown)?;
        ensure!(may(&program), Error::<T>::NotProgramOwner);
        let holding_max = Self::holding_max(owner, program.class, valid_until, now)?;
        program.unminted = program.unminted.checked_sub(amount).ok_or(Error::<T>::BudgetExhausted)?;
        program.granted.defensive_saturating_accrue(amount);
        let class = program.class;
        Programs::<T>::insert(program_id, program);

        let id = NextEntitlementId::<T>::get();
        NextEntitlementId::<T>::put(id.checked_add(1).ok_or(ArithmeticError::Overflow)?);
        let entitlement = Entitlement {
            owner: owner.clone(),
            class,
            issuer: issuer.clone(),
            program: program_id,
            granted: amount,
            valid_from,
            valid_until,
        };
        Self::put_slice(id, &entitlement, holding_max)?;
        Entitlements::<T>::insert(id, entitlement);
        OwnedBy::<T>::insert(owner, id, ());
        Self::deposit_event(Event::Minted {
            id,
            owner: owner.clone(),
            class,
            amount,
            issuer: issuer.clone(),
            program: program_id,
        });
        Ok((id, class))
    }

    /// Gives a new entitlement its place in its wallet, which may hold so much with it, and moves out what is
    /// used up.
    fn put_slice(id: EntitlementId, entitlement: &Entitlement, holding_max: Credits) -> DispatchResult {
        let Entitlement { owner, class, program, granted, valid_from, valid_until, .. } = entitlement;
        let wallet = Wallets::<T>::get(owner, class).unwrap_or_default();
        let mut energy = Tally::<T>::open();
        let ((), burns) = Self::change_wallet(&mut energy, owner, *class, wallet, |wallet, _, _| {
            Self::archive_closed(wallet);
            ensure!(wallet.has_room_for_mint(), Error::<T>::TooManyEntitlements);
            let Amounts { available, reserved, .. } = wallet.amounts();
            let holding = available.saturating_add(reserved).saturating_add(*granted);
            ensure!(holding <= holding_max, Error::<T>::PolicyForbidsHolding);
            wallet.frozen = Self::hold(owner);
            let placed = wallet.insert(Slice {
                id,
                program: *program,
                valid_from: *valid_from,
                valid_until: *valid_until,
                available: *granted,
                reserved: 0,
                spent: 0,
                expired: 0,
                revoked: 0,
                closing: false,
            });
            ensure!(placed, Error::<T>::TooManyEntitlements);
            Ok::<_, Error<T>>(())
        })?;
        energy.close();
        Self::burn(burns);
        Ok(())
    }
}

fn total(amounts: impl Iterator<Item = Credits>) -> Credits {
    amounts.fold(0, Credits::saturating_add)
}
