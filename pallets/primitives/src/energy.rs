//! Energy, what it emitted, and whose it was: in integers, so that everybody comes to the same figures.

use sp_core::U256;

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

    proptest! {
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
