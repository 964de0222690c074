//! The arithmetic of one class's energy: no storage, no other class.
//!
//! Energy is held for credits, at the most that they can cost, from the moment in which a gateway reserves
//! them until their receipts are settled. Only then it is known what they took.

use frame_support::{defensive, traits::DefensiveSaturating};
use stipend_primitives::{
    energy::{share_nj, NJ_PER_MJ},
    view::ClassEnergy,
    ClassId, Credits, Moment, Name,
};

use crate::types::{EnergyAccount, Lapsing, Reservation, RESERVATIONS_MAX};

/// Milliseconds of a day.
pub(crate) const DAY_MS: Moment = 86_400_000;

/// What a wallet has reserved, by day of lapse. On the stack: it is taken twice for each wallet of a batch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByDay([(u64, Credits); RESERVATIONS_MAX as usize]);

impl ByDay {
    pub(crate) fn of(reservations: &[Reservation]) -> Self {
        let mut rows = [(0, 0); RESERVATIONS_MAX as usize];
        for (row, reservation) in rows.iter_mut().zip(reservations) {
            *row = (reservation.expires_at / DAY_MS, reservation.amount);
        }
        ByDay(rows)
    }

    /// What lapses on the first of `today` or later.
    pub(crate) fn lapsing_since(&self, today: u64) -> impl Iterator<Item = (u64, Credits)> + '_ {
        self.0.iter().copied().filter(move |(day, amount)| *amount > 0 && *day >= today)
    }
}

impl EnergyAccount {
    /// Takes in what time alone has done: days that are over, and the period.
    pub(crate) fn advance(&mut self, now: Moment) {
        self.reserved.retain(|lapsing| lapsing.day >= now / DAY_MS);
        if now >= self.period_ends_at {
            self.used_nj = 0;
            self.begin_period(now);
        }
    }

    /// Says when the period that `now` is in ends.
    pub(crate) fn begin_period(&mut self, now: Moment) {
        self.period_ends_at = self.budget.as_ref().map_or(0, |budget| {
            let periods = now.checked_div(budget.period_ms).unwrap_or_default();
            periods.saturating_add(1).saturating_mul(budget.period_ms)
        });
    }

    /// Puts a wallet's reservations of after a change in the place of those of before.
    pub(crate) fn shift(&mut self, before: &ByDay, after: &ByDay, today: u64) {
        for (day, amount) in after.lapsing_since(today) {
            match self.reserved.binary_search_by_key(&day, |lapsing| lapsing.day) {
                Ok(at) => self.reserved[at].amount.defensive_saturating_accrue(amount),
                Err(at) => {
                    if self.reserved.try_insert(at, Lapsing { day, amount }).is_err() {
                        defensive!("a reservation lasts longer than reservations can");
                    }
                }
            }
        }
        for (day, amount) in before.lapsing_since(today) {
            match self.reserved.binary_search_by_key(&day, |lapsing| lapsing.day) {
                Ok(at) => self.reserved[at].amount.defensive_saturating_reduce(amount),
                Err(_) => {
                    defensive!("a wallet has reserved what its class does not know of");
                }
            }
        }
        self.reserved.retain(|lapsing| lapsing.amount > 0);
    }

    /// Micro-credits that energy is held for.
    pub(crate) fn held(&self) -> Credits {
        let reserved = self.reserved.iter().map(|lapsing| lapsing.amount);
        reserved.fold(self.unsettled, Credits::saturating_add)
    }

    /// Micro-credits that the period's energy covers, those that energy is held for among them.
    pub(crate) fn credits_max(&self) -> Credits {
        self.budget.as_ref().map_or(Credits::MAX, |budget| budget.credits_max(self.used_nj))
    }

    /// Counts what `part` of the `all` micro-credits of a settled item took of `energy_mj`. Returns whether
    /// with this more is used than the budget has.
    #[must_use]
    pub(crate) fn settle(&mut self, part: Credits, all: Credits, energy_mj: Option<u64>) -> bool {
        self.unsettled.defensive_saturating_reduce(part);
        let Some(budget) = &self.budget else { return false };
        let was_kept = self.used_nj <= budget.max_nj();
        let took_nj = match energy_mj {
            Some(energy_mj) => share_nj(energy_mj, part, all),
            None => budget.ceiling_nj(part),
        };
        self.used_nj = self.used_nj.saturating_add(took_nj);
        was_kept && self.used_nj > budget.max_nj()
    }

    /// As the runtime API shows it; `None` without a budget.
    pub(crate) fn view(&self, class: ClassId, name: Name) -> Option<ClassEnergy> {
        let budget = self.budget.clone()?;
        let held_nj = budget.ceiling_nj(self.held());
        let left_nj = budget.max_nj().saturating_sub(self.used_nj).saturating_sub(held_nj);
        Some(ClassEnergy {
            class,
            name,
            budget,
            used_mj: self.used_nj.div_ceil(NJ_PER_MJ),
            held_mj: held_nj.div_ceil(NJ_PER_MJ),
            left_mj: left_nj / NJ_PER_MJ,
            period_ends_at: self.period_ends_at,
        })
    }
}
