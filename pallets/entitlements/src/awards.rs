//! Awards for outcomes: what `pallet-merit` sees of the wallets.

use frame_support::{
    ensure,
    traits::{Defensive, Time},
};
use sp_runtime::DispatchError;
use stipend_primitives::{
    merit::{Awards, TakenBack, ISSUER},
    AccountId, ClassId, Credits, EntitlementId, Moment, ProgramId,
};

use crate::{mint::Line, Config, Entitlements, Error, Event, Owners, Pallet, Programs, Wallets};

impl<T: Config> Awards for Pallet<T> {
    fn class_of(program: ProgramId) -> Option<ClassId> {
        Programs::<T>::get(program).map(|program| program.class)
    }

    fn manages(who: &AccountId, program: ProgramId) -> bool {
        Self::manages(who, program)
    }

    fn award(
        program: ProgramId,
        owner: &AccountId,
        amount: Credits,
        valid_until: Moment,
    ) -> Result<EntitlementId, DispatchError> {
        let now = T::Time::now();
        let class = Self::class_of(program).ok_or(Error::<T>::ProgramUnknown)?;
        ensure!(Owners::<T>::get(owner).is_some_and(|owner| owner.held > 0), Error::<T>::NothingHeld);
        let mut wallet = Wallets::<T>::get(owner, class).unwrap_or_default();
        // Only to look: the mint takes in itself what time has done.
        wallet.advance(now);
        ensure!(wallet.has_room_for_award(), Error::<T>::TooManyEntitlements);
        let line = Line { program, amount, valid_from: now, valid_until: Some(valid_until) };
        // The council named the program in the rule, whoever owns it.
        Self::mint_line_if(|_| true, &ISSUER, owner, line, now).map(|(id, _)| id)
    }

    fn take_back(id: EntitlementId, amount: Credits) -> TakenBack {
        let (Some(entitlement), Some(view)) = (Entitlements::<T>::get(id), Self::entitlement(id)) else {
            return TakenBack::default();
        };
        let used = view.amounts.spent + view.amounts.reserved;
        let taken = amount.min(view.amounts.available);
        if taken == 0 {
            return TakenBack { taken, used };
        }
        match Self::withdraw(id, &entitlement, taken).defensive() {
            Ok(whole) => {
                if whole {
                    Self::let_go(&entitlement.owner, 1);
                }
                // Whoever follows wallets need not know about merit.
                Self::deposit_event(Event::Revoked { id, owner: entitlement.owner, amount: taken, whole });
                TakenBack { taken, used }
            }
            Err(_) => TakenBack { taken: 0, used },
        }
    }

    #[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
    fn endow_awards(owner: &AccountId, class: ClassId, budget: Credits) -> ProgramId {
        use stipend_primitives::ledger::Ledger;
        // At the far end of the numbers, beside what `endow` takes.
        let program = ProgramId::MAX - 0x1_0000 - ProgramId::from(class.0);
        Self::endow(owner, class, 1);
        Self::endow_program(&AccountId::new([0xE0; 32]), program, class, budget);
        program
    }
}
