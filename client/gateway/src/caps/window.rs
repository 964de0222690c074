//! One counter of one fixed window.

use stipend_primitives::Moment;

pub(crate) const MINUTE_MS: u64 = 60_000;
pub(crate) const DAY_MS: u64 = 86_400_000;

/// Why an amount does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It is more than the whole cap.
    ForGood,
    /// Other requests in flight hold what it needs.
    Held,
    /// Too little is left in this window.
    Used {
        /// Milliseconds to the next one.
        left_ms: u64,
    },
}

/// A minute or a day.
#[derive(Default)]
pub(super) struct Window {
    number: u64,
    left_ms: u64,
    used: u128,
    held: u128,
    /// The largest share that was told in this window, in per cent.
    told: u8,
}

impl Window {
    /// The window as of a moment: a new one begins empty, but for what is held.
    pub(super) fn at(&mut self, now_ms: Moment, length_ms: u64) -> &mut Self {
        let number = now_ms / length_ms;
        // A clock that is set back does not open a window again.
        if number > self.number {
            (self.number, self.used, self.told) = (number, 0, 0);
        }
        self.left_ms = length_ms - now_ms % length_ms;
        self
    }

    pub(super) fn used(&self) -> u128 {
        self.used
    }

    pub(super) fn held(&self) -> u128 {
        self.held
    }

    /// Milliseconds to the next one, from the moment of the last look.
    pub(super) fn left_ms(&self) -> u64 {
        self.left_ms
    }

    pub(super) fn room(&self, max: u128) -> u128 {
        max.saturating_sub(self.used.saturating_add(self.held))
    }

    pub(super) fn check(&self, amount: u128, max: u128) -> Result<(), Refused> {
        if amount > max {
            return Err(Refused::ForGood);
        }
        if amount <= self.room(max) {
            return Ok(());
        }
        match amount <= max.saturating_sub(self.used) {
            true => Err(Refused::Held),
            false => Err(Refused::Used { left_ms: self.left_ms }),
        }
    }

    pub(super) fn hold(&mut self, amount: u128) {
        self.held = self.held.saturating_add(amount);
    }

    pub(super) fn release(&mut self, amount: u128) {
        self.held = self.held.saturating_sub(amount);
    }

    pub(super) fn settle(&mut self, held: u128, used: u128) {
        self.release(held);
        self.used = self.used.saturating_add(used);
    }

    /// Counts what no hold covered.
    pub(super) fn restore(&mut self, used: u128) {
        self.used = self.used.saturating_add(used);
    }

    pub(super) fn has_reached(&self, percent: u8, max: u128) -> bool {
        self.used.saturating_mul(100) >= max.saturating_mul(percent.into())
    }

    /// The share, unless it or a larger one was told in this window already.
    pub(super) fn tell(&mut self, percent: u8) -> Option<u8> {
        if percent <= self.told {
            return None;
        }
        self.told = percent;
        Some(percent)
    }
}
