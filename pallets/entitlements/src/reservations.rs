//! Credits moved aside for gateways.

use frame_support::{
    ensure,
    traits::{Get, Time},
};
use sp_runtime::DispatchResult;
use stipend_primitives::{AccountId, ClassId, Credits, Moment};

use crate::{types::ReserveRows, wallet::Shortfall, Config, Error, Event, Pallet, Wallets};

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
        for (owner, class, amount) in rows {
            made += u32::from(Self::reserve(&gateway, &owner, class, amount, expires_at, now).is_ok());
        }
        Self::deposit_event(Event::ReservationsMade { gateway, made, skipped: all - made });
        Ok(())
    }

    pub(crate) fn do_release(gateway: AccountId, rows: ReserveRows) {
        let now = T::Time::now();
        let all = rows.len() as u32;
        let mut released = 0;
        for (owner, class, amount) in rows {
            released += u32::from(Self::release_row(&gateway, &owner, class, amount, now));
        }
        Self::deposit_event(Event::ReservationsReleased { gateway, released, skipped: all - released });
    }

    /// Reserves all of `amount` in one wallet, or changes nothing.
    pub(crate) fn reserve(
        gateway: &AccountId,
        owner: &AccountId,
        class: ClassId,
        amount: Credits,
        expires_at: Moment,
        now: Moment,
    ) -> Result<(), Error<T>> {
        ensure!(Self::has_key(owner), Error::<T>::NoKey);
        let burns = Wallets::<T>::try_mutate_exists(owner, class, |wallet| {
            let wallet = wallet.as_mut().ok_or(Error::<T>::InsufficientAvailable)?;
            let burns = wallet.advance(now);
            wallet.reserve(gateway, amount, expires_at, now)?;
            Ok::<_, Error<T>>(burns)
        })?;
        Self::burn(burns);
        Ok(())
    }

    fn release_row(
        gateway: &AccountId,
        owner: &AccountId,
        class: ClassId,
        amount: Credits,
        now: Moment,
    ) -> bool {
        let released = Wallets::<T>::try_mutate_exists(owner, class, |wallet| {
            let wallet = wallet.as_mut().ok_or(())?;
            let mut burns = wallet.advance(now);
            if wallet.release(gateway, amount) == 0 {
                return Err(());
            }
            burns.extend(wallet.sweep(now));
            Ok(burns)
        });
        released.map(Self::burn).is_ok()
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
