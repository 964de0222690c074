//! Entitlements with nothing left to use, kept outside their wallet.
//!
//! Those that were spent from form a stack, newest on top: a refund that finds nothing more to undo
//! in the wallet takes them back one by one. Each step down empties what the step before took back,
//! so a refund takes no more steps than there were mints and charges to make them.

use frame_support::{defensive, traits::DefensiveSaturating};

use crate::{
    types::{Archived, Slice, Wallet},
    Archive, Config, Entitlements, Pallet,
};

impl<T: Config> Pallet<T> {
    /// Moves what is used up out of a wallet.
    pub(crate) fn archive_closed(wallet: &mut Wallet) {
        for slice in wallet.take_closed() {
            let totals = &mut wallet.archive;
            totals.spent.defensive_saturating_accrue(slice.spent);
            totals.expired.defensive_saturating_accrue(slice.expired);
            totals.revoked.defensive_saturating_accrue(slice.revoked);
            // Below it stands what was on top; what no refund can reach does not stand there.
            let below = if slice.spent > 0 { totals.newest.replace(slice.id) } else { None };
            let Slice { id, spent, expired, revoked, closing, .. } = slice;
            Archive::<T>::insert(id, Archived { spent, expired, revoked, closing, below });
        }
    }

    /// Takes the archived entitlement that a refund reaches next back into its wallet. `false` if
    /// there is none or no room.
    pub(crate) fn reopen_newest(wallet: &mut Wallet) -> bool {
        let Some(id) = wallet.archive.newest.filter(|_| wallet.has_room()) else {
            return false;
        };
        let (Some(archived), Some(entitlement)) = (Archive::<T>::get(id), Entitlements::<T>::get(id)) else {
            defensive!("the archive's stack names archived entitlements");
            return false;
        };
        let Archived { spent, expired, revoked, closing, below } = archived;
        let slice = Slice {
            id,
            program: entitlement.program,
            valid_from: entitlement.valid_from,
            valid_until: entitlement.valid_until,
            available: 0,
            reserved: 0,
            spent,
            expired,
            revoked,
            closing: closing || id < wallet.closed_before,
        };
        if !wallet.insert(slice) {
            defensive!("there is room");
            return false;
        }
        let totals = &mut wallet.archive;
        totals.spent.defensive_saturating_reduce(spent);
        totals.expired.defensive_saturating_reduce(expired);
        totals.revoked.defensive_saturating_reduce(revoked);
        totals.newest = below;
        Archive::<T>::remove(id);
        true
    }
}
