//! Energy, what it emitted, and whose it was: in integers, so that everybody comes to the same figures.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::U256;

use crate::ids::{Credits, Moment};

/// Nanojoules of a millijoule. What a micro-credit costs in energy is a whole number of nanojoules, because a
/// credit costs a whole number of millijoules.
pub const NJ_PER_MJ: u128 = 1_000_000;

/// How much energy the credits of a class may cost in a period.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
    Serialize,
    Deserialize,
)]
pub struct EnergyBudget {
    /// Length of a period in ms. Periods follow each other from the Unix epoch on.
    pub period_ms: Moment,
    /// Millijoules in a period.
    #[serde(with = "crate::view::decimal")]
    pub millijoules_max: u128,
    /// Millijoules that a credit (a million micro-credits) costs at most. By it energy is held for credits
    /// until it is known what they took.
    pub mj_per_credit: u64,
}

impl EnergyBudget {
    /// Nanojoules in a period.
    pub fn max_nj(&self) -> u128 {
        self.millijoules_max.saturating_mul(NJ_PER_MJ)
    }

    /// Nanojoules that are held for `credits` micro-credits.
    pub fn ceiling_nj(&self, credits: Credits) -> u128 {
        credits.saturating_mul(self.mj_per_credit.into())
    }

    /// Micro-credits that energy can be held for when `used_nj` nanojoules of the period are used.
    pub fn credits_max(&self, used_nj: u128) -> Credits {
        let left = self.max_nj().saturating_sub(used_nj);
        left.checked_div(self.mj_per_credit.into()).unwrap_or_default()
    }
}

/// Milligrams of CO2 equivalent that a grid emits for a kilowatt-hour at most, with room: lignite is at
/// about a million.
pub const GRID_MG_PER_KWH_MAX: u32 = 2_000_000;

/// Millijoules of a kilowatt-hour.
const MJ_PER_KWH: u128 = 3_600_000_000;

/// Milligrams of CO2 equivalent that `energy_mj` millijoules emitted on a grid of `grid_mg_per_kwh`,
/// rounded down.
pub fn emitted_mg(energy_mj: u128, grid_mg_per_kwh: u32) -> u128 {
    energy_mj.saturating_mul(grid_mg_per_kwh.into()) / MJ_PER_KWH
}

/// One receipt's part of what its item took, in the unit of `total`: as much as its base cost is of all the
/// base costs of the item. A price book says how much work a token is of a model, and nothing else does.
///
/// `cost_before` is the sum of the costs of the item's receipts with lower numbers, `cost` the receipt's,
/// `cost_of_all` the sum of all. The parts of all receipts add up to `total`, exactly. An item that cost
/// nothing has no parts.
pub fn part_of(total: u64, cost_before: u128, cost: u128, cost_of_all: u128) -> u64 {
    if cost_of_all == 0 {
        return 0;
    }
    let up_to = |costs: U256| -> U256 { U256::from(total) * costs / U256::from(cost_of_all) };
    let before = U256::from(cost_before);
    let part = up_to(before + U256::from(cost)).saturating_sub(up_to(before));
    // More than the whole only where the sums given are not the item's.
    part.min(total.into()).low_u64()
}

/// What `part` of the `all` micro-credits that paid for an item took of its energy: nanojoules, rounded down.
pub fn share_nj(energy_mj: u64, part: Credits, all: Credits) -> u128 {
    if all == 0 {
        return 0;
    }
    // Below 2^64 * 2^20, and the quotient is at most one where `part` is a part.
    let whole = U256::from(energy_mj) * U256::from(NJ_PER_MJ);
    (whole * U256::from(part.min(all)) / U256::from(all)).low_u128()
}

#[cfg(test)]
mod tests {
    #![allow(missing_docs, clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_kilowatt_hour_emits_what_the_grid_says() {
        assert_eq!(emitted_mg(MJ_PER_KWH, 400_000), 400_000);
        assert_eq!(emitted_mg(MJ_PER_KWH / 2, 400_000), 200_000);
        assert_eq!(emitted_mg(1, 400_000), 0);
        assert_eq!(emitted_mg(u128::MAX, GRID_MG_PER_KWH_MAX), u128::MAX / MJ_PER_KWH);
    }

    #[test]
    fn what_cost_nothing_has_no_part() {
        assert_eq!(part_of(100, 0, 0, 0), 0);
        assert_eq!(part_of(100, 5, 0, 10), 0);
    }

    #[test]
    fn a_budget_covers_credits_until_it_is_used() {
        let budget = EnergyBudget { period_ms: 1, millijoules_max: 1_000, mj_per_credit: 300 };
        assert_eq!(budget.max_nj(), 1_000_000_000);
        assert_eq!(budget.ceiling_nj(1), 300);
        assert_eq!(budget.credits_max(0), 3_333_333);
        assert_eq!(budget.credits_max(budget.max_nj() - 299), 0);
        assert_eq!(budget.credits_max(budget.max_nj() + 1), 0);
    }

    proptest! {
        #[test]
        fn shares_are_no_more_than_the_whole_and_lack_less_than_a_nanojoule_each(
            energy_mj: u64,
            parts in prop::collection::vec(any::<u64>(), 1..9),
        ) {
            let all: u128 = parts.iter().map(|part| u128::from(*part)).sum();
            let sum: u128 = parts.iter().map(|part| share_nj(energy_mj, (*part).into(), all)).sum();
            let whole = if all > 0 { u128::from(energy_mj) * NJ_PER_MJ } else { 0 };
            prop_assert!(sum <= whole && whole - sum < parts.len() as u128);
        }

        #[test]
        fn what_a_budget_covers_fits_and_no_more(used: u64, max: u64, mj_per_credit in 1..u64::MAX) {
            let budget = EnergyBudget { period_ms: 1, millijoules_max: max.into(), mj_per_credit };
            let (used, left) = (u128::from(used), budget.max_nj().saturating_sub(used.into()));
            let covered = budget.credits_max(used);
            prop_assert!(budget.ceiling_nj(covered) <= left && budget.ceiling_nj(covered + 1) > left);
        }

        #[test]
        fn the_parts_are_the_whole(total: u64, costs in prop::collection::vec(any::<u64>(), 1..200)) {
            let all: u128 = costs.iter().map(|cost| u128::from(*cost)).sum();
            let (mut before, mut sum) = (0, 0u128);
            for cost in &costs {
                let part = part_of(total, before, (*cost).into(), all);
                if let Some(exact) = (u128::from(total) * u128::from(*cost)).checked_div(all) {
                    prop_assert!(u128::from(part).abs_diff(exact) <= 1);
                }
                sum += u128::from(part);
                before += u128::from(*cost);
            }
            prop_assert_eq!(sum, if all > 0 { total.into() } else { 0 });
        }

        #[test]
        fn nothing_given_overflows(total: u64, before: u128, cost: u128, all: u128) {
            prop_assert!(part_of(total, before, cost, all) <= total);
        }
    }
}
