//! Credits moved aside for gateways.

use frame_support::{
    ensure,
    traits::{Get, Time},
};
use sp_runtime::DispatchResult;
use stipend_primitives::{AccountId, ClassId, Credits, Moment};

use crate::{
    energy::tally::Tally, types::ReserveRows, wallet::Shortfall, Config, Error, Event, Pallet, Wallets,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_reserve_many(
        gateway: AccountId,
        rows: ReserveRows,
        expires_at: Moment,
    ) -> DispatchResult {
        let now = T::Time::now();
        let latest = now.saturating_add(T::ReservationLifetimeMax::get());
        ensure!(expires_at > now && expires_at <= latest, Error::<T>::ReservationTimeInvalid);
        let all = rows.len() as u32;
        let mut made = 0;
        let mut energy = Tally::open();
        for (owner, class, amount) in rows {
            let reserved = Self::reserve(&mut energy, &gateway, &owner, class, amount, expires_at);
            made += u32::from(reserved.is_ok());
        }
        energy.close();
        Self::deposit_event(Event::ReservationsMade { gateway, made, skipped: all - made });
        Ok(())
    }

    pub(crate) fn do_release(gateway: AccountId, rows: ReserveRows) {
        let all = rows.len() as u32;
        let mut released = 0;
        let mut energy = Tally::open();
        for (owner, class, amount) in rows {
            released += u32::from(Self::release_row(&mut energy, &gateway, &owner, class, amount));
        }
        energy.close();
        Self::deposit_event(Event::ReservationsReleased { gateway, released, skipped: all - released });
    }

    /// Reserves all of `amount` in one wallet, or changes nothing.
    pub(crate) fn reserve(
        energy: &mut Tally<T>,
        gateway: &AccountId,
        owner: &AccountId,
        class: ClassId,
        amount: Credits,
        expires_at: Moment,
    ) -> Result<(), Error<T>> {
        ensure!(Self::has_key(owner), Error::<T>::NoKey);
        let wallet = Wallets::<T>::get(owner, class).ok_or(Error::<T>::InsufficientAvailable)?;
        let now = energy.now();
        let ((), burns) = Self::change_wallet(energy, owner, class, wallet, |wallet, _, room| {
            wallet.reserve(gateway, amount, expires_at, now)?;
            ensure!(amount <= room, Error::<T>::EnergyBudgetExhausted);
            Ok::<_, Error<T>>(())
        })?;
        Self::burn(burns);
        Ok(())
    }

    fn release_row(
        energy: &mut Tally<T>,
        gateway: &AccountId,
        owner: &AccountId,
        class: ClassId,
        amount: Credits,
    ) -> bool {
        let Some(wallet) = Wallets::<T>::get(owner, class) else {
            return false;
        };
        let released = Self::change_wallet(energy, owner, class, wallet, |wallet, _, _| {
            match wallet.release(gateway, amount) {
                0 => Err(()),
                _ => Ok(()),
            }
        });
        released.map(|((), burns)| Self::burn(burns)).is_ok()
    }
}

impl<T: Config> From<Shortfall> for Error<T> {
    fn from(shortfall: Shortfall) -> Self {
        match shortfall {
            Shortfall::Nothing => Error::ZeroAmount,
            Shortfall::Frozen => Error::OwnerFrozen,
            Shortfall::Insufficient => Error::InsufficientAvailable,
            Shortfall::TooManyReservations => Error::TooManyReservations,
        }
    }
}
