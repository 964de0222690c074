//! The arithmetic of one wallet in one class: no storage, no other wallet.
//!
//! Credits only ever flow between the places of one slice (`available`, `reserved`, `spent`,
//! `expired`, `revoked`), so the sum of a slice is what was granted, and nothing here could move a
//! credit to somebody else.
//!
//! They are used earliest expiry first, and come back in the opposite order: a refund undoes the last
//! charge, and a released reservation leaves what expires first with the gateways that will use it.

use alloc::vec::Vec;

use frame_support::{defensive_assert, traits::DefensiveSaturating};
use stipend_primitives::{view::Amounts, AccountId, Credits, EntitlementId, Moment};

use crate::types::{Burns, Reservation, Slice, Wallet, AWARD_SLICES_MAX, SLICES_MAX, SLICES_ROOM};

/// Why credits cannot be reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortfall {
    /// Zero was asked for.
    Nothing,
    /// The owner is frozen.
    Frozen,
    /// Less than that is available.
    Insufficient,
    /// Other gateways hold all the reservations that a wallet can have.
    TooManyReservations,
}

impl Slice {
    /// Where its credits are. Their sum, `granted`, never changes.
    pub fn amounts(&self) -> Amounts {
        let granted = self
            .available
            .defensive_saturating_add(self.reserved)
            .defensive_saturating_add(self.spent)
            .defensive_saturating_add(self.expired)
            .defensive_saturating_add(self.revoked);
        Amounts {
            granted,
            available: self.available,
            reserved: self.reserved,
            spent: self.spent,
            expired: self.expired,
            revoked: self.revoked,
        }
    }

    /// Whether all of it went back to its program.
    pub fn is_all_revoked(&self) -> bool {
        self.available == 0 && self.reserved == 0 && self.spent == 0 && self.expired == 0
    }

    fn is_over(&self, now: Moment) -> bool {
        self.valid_until.is_some_and(|end| end <= now)
    }

    fn is_usable(&self, now: Moment) -> bool {
        self.valid_from <= now && !self.closing && !self.is_over(now)
    }

    fn is_closed(&self) -> bool {
        self.available == 0 && self.reserved == 0
    }

    /// The place in a wallet's order of use.
    pub fn order(&self) -> (Moment, EntitlementId) {
        (self.valid_until.unwrap_or(Moment::MAX), self.id)
    }
}

/// Moves up to `amount` from one place to another, slice by slice; returns what was moved.
fn flow<'a>(
    slices: impl Iterator<Item = &'a mut Slice>,
    amount: Credits,
    places: fn(&mut Slice) -> (&mut Credits, &mut Credits),
) -> Credits {
    let mut left = amount;
    for slice in slices {
        if left == 0 {
            break;
        }
        let (from, to) = places(slice);
        let part = left.min(*from);
        *from -= part;
        to.defensive_saturating_accrue(part);
        left -= part;
    }
    amount - left
}

impl Wallet {
    /// Takes in what time alone has done since the wallet was last written: reservations that ended
    /// and slices that expired. Returns what is to go back to programs.
    pub fn advance(&mut self, now: Moment) -> Burns {
        let mut ended: Credits = 0;
        self.reservations.retain(|reservation| {
            let lasts = reservation.expires_at > now;
            if !lasts {
                ended.defensive_saturating_accrue(reservation.amount);
            }
            lasts
        });
        self.unreserve(ended);
        self.sweep(now)
    }

    /// Clears `available` of slices that cannot be used any more.
    pub fn sweep(&mut self, now: Moment) -> Burns {
        let mut burns = Burns::new();
        for slice in self.slices.iter_mut().filter(|slice| slice.available > 0) {
            if slice.closing {
                burns.push((slice.program, slice.available));
                slice.revoked.defensive_saturating_accrue(slice.available);
                slice.available = 0;
            } else if slice.is_over(now) {
                slice.expired.defensive_saturating_accrue(slice.available);
                slice.available = 0;
            }
        }
        burns
    }

    /// Charges what a gateway metered: its reservation first, then up to `beyond_max` of what is available
    /// if the owner has a key and is not frozen. Returns what was collected.
    pub fn charge(
        &mut self,
        gateway: &AccountId,
        amount: Credits,
        beyond_max: Credits,
        now: Moment,
        has_key: impl FnOnce() -> bool,
    ) -> Credits {
        let reserved = self.lower_reservation(gateway, amount);
        let collected =
            flow(self.slices.iter_mut(), reserved, |slice| (&mut slice.reserved, &mut slice.spent));
        defensive_assert!(collected == reserved, "reservations sum to what the slices have reserved");
        let beyond = beyond_max.min(amount - collected);
        if beyond == 0 || self.frozen || !has_key() {
            return collected;
        }
        let usable = self.slices.iter_mut().filter(|slice| slice.is_usable(now));
        collected + flow(usable, beyond, |slice| (&mut slice.available, &mut slice.spent))
    }

    /// Makes up to `amount` of what was spent available again, entitlements that were not withdrawn
    /// first. A [`sweep`](Self::sweep) must follow.
    pub fn refund(&mut self, amount: Credits) -> Credits {
        fn places(slice: &mut Slice) -> (&mut Credits, &mut Credits) {
            (&mut slice.spent, &mut slice.available)
        }
        let kept = self.slices.iter_mut().rev().filter(|slice| !slice.closing);
        let refunded = flow(kept, amount, places);
        refunded + flow(self.slices.iter_mut().rev(), amount - refunded, places)
    }

    /// Moves credits aside for a gateway, all of `amount` or nothing. A reservation that is there
    /// already grows, and ends at the later of the two moments.
    pub fn reserve(
        &mut self,
        gateway: &AccountId,
        amount: Credits,
        expires_at: Moment,
        now: Moment,
    ) -> Result<(), Shortfall> {
        if amount == 0 {
            return Err(Shortfall::Nothing);
        }
        if self.frozen {
            return Err(Shortfall::Frozen);
        }
        if self.available(now) < amount {
            return Err(Shortfall::Insufficient);
        }
        match self.reservations.iter_mut().find(|reservation| reservation.gateway == *gateway) {
            Some(reservation) => {
                reservation.amount.defensive_saturating_accrue(amount);
                reservation.expires_at = reservation.expires_at.max(expires_at);
            }
            None => self
                .reservations
                .try_push(Reservation { gateway: gateway.clone(), amount, expires_at })
                .map_err(|_| Shortfall::TooManyReservations)?,
        }
        let usable = self.slices.iter_mut().filter(|slice| slice.is_usable(now));
        let moved = flow(usable, amount, |slice| (&mut slice.available, &mut slice.reserved));
        defensive_assert!(moved == amount, "that much was available a moment ago");
        Ok(())
    }

    /// Ends up to `amount` of a gateway's reservation; returns how much. A [`sweep`](Self::sweep)
    /// must follow.
    pub fn release(&mut self, gateway: &AccountId, amount: Credits) -> Credits {
        let released = self.lower_reservation(gateway, amount);
        self.unreserve(released);
        released
    }

    /// What a gateway can still charge from its reservation.
    pub fn reservation(&self, gateway: &AccountId) -> Option<&Reservation> {
        self.reservations.iter().find(|reservation| reservation.gateway == *gateway)
    }

    /// What can be reserved or charged now by whoever comes first.
    pub fn available(&self, now: Moment) -> Credits {
        if self.frozen {
            return 0;
        }
        self.slices
            .iter()
            .filter(|slice| slice.is_usable(now))
            .fold(0, |sum, slice| slice.available.defensive_saturating_add(sum))
    }

    /// Where all credits are that the wallet ever held in this class.
    pub fn amounts(&self) -> Amounts {
        let archive = &self.archive;
        let mut sum = Amounts {
            granted: archive
                .spent
                .defensive_saturating_add(archive.expired)
                .defensive_saturating_add(archive.revoked),
            spent: archive.spent,
            expired: archive.expired,
            revoked: archive.revoked,
            ..Amounts::default()
        };
        for amounts in self.slices.iter().map(Slice::amounts) {
            sum.granted.defensive_saturating_accrue(amounts.granted);
            sum.available.defensive_saturating_accrue(amounts.available);
            sum.reserved.defensive_saturating_accrue(amounts.reserved);
            sum.spent.defensive_saturating_accrue(amounts.spent);
            sum.expired.defensive_saturating_accrue(amounts.expired);
            sum.revoked.defensive_saturating_accrue(amounts.revoked);
        }
        sum
    }

    /// When the next available credits expire.
    pub fn expires_next(&self) -> Option<Moment> {
        self.slices.iter().filter(|slice| slice.available > 0).find_map(|slice| slice.valid_until)
    }

    /// The slice of an entitlement, unless it is archived.
    pub fn slice_mut(&mut self, id: EntitlementId) -> Option<&mut Slice> {
        self.slices.iter_mut().find(|slice| slice.id == id)
    }

    /// Whether a mint finds room.
    pub fn has_room_for_mint(&self) -> bool {
        self.slices.len() < SLICES_MAX as usize
    }

    /// Whether an award finds room and leaves enough of it to what people grant. Slices that the next mint
    /// moves out do not count.
    pub fn has_room_for_award(&self) -> bool {
        self.slices.iter().filter(|slice| !slice.is_closed()).count() < AWARD_SLICES_MAX as usize
    }

    /// Whether an archived entitlement that comes back finds room.
    pub fn has_room(&self) -> bool {
        self.slices.len() < SLICES_ROOM as usize
    }

    /// Puts a slice in its place; `false` if there is no room.
    #[must_use]
    pub fn insert(&mut self, slice: Slice) -> bool {
        let order = slice.order();
        let at = self.slices.partition_point(|other| other.order() < order);
        self.slices.try_insert(at, slice).is_ok()
    }

    /// Takes the slices out that hold nothing to use, in the order of use.
    pub fn take_closed(&mut self) -> Vec<Slice> {
        let mut closed = Vec::new();
        self.slices.retain(|slice| {
            if slice.is_closed() {
                closed.push(slice.clone());
            }
            !slice.is_closed()
        });
        closed
    }

    fn lower_reservation(&mut self, gateway: &AccountId, amount: Credits) -> Credits {
        let Some(at) = self.reservations.iter().position(|reservation| reservation.gateway == *gateway)
        else {
            return 0;
        };
        let reservation = &mut self.reservations[at];
        let part = amount.min(reservation.amount);
        reservation.amount -= part;
        if reservation.amount == 0 {
            self.reservations.remove(at);
        }
        part
    }

    fn unreserve(&mut self, amount: Credits) {
        let moved =
            flow(self.slices.iter_mut().rev(), amount, |slice| (&mut slice.reserved, &mut slice.available));
        defensive_assert!(moved == amount, "reservations sum to what the slices have reserved");
    }
}
