#![allow(clippy::unwrap_used)]

use super::*;
use crate::calendar::Date;
use proptest::prelude::*;

fn at(year: u64, month: u64, day: u64) -> Moment {
    Date::new(year, month, day).unwrap().start()
}

fn sum(parts: &[Part]) -> Credits {
    parts.iter().map(|part| part.amount).sum()
}

fn vesting(whole: Credits, months: u32, cliff: u32, start: Moment) -> Plan {
    Plan::Vesting { whole, months, cliff, start, end: None }
}

#[test]
fn a_monthly_refresh_ends_with_its_month_and_begins_anew() {
    let (amount, unused) = (Monthly::Each(5), Unused::EndsWithMonth);
    let parts = Plan::Monthly { amount, months: 3, start: at(2027, 1, 31), unused }.parts().unwrap();
    let borders = [at(2027, 1, 31), at(2027, 2, 28), at(2027, 3, 31), at(2027, 4, 30)];
    let expected = borders.windows(2).map(|border| Part {
        amount: 5,
        valid_from: border[0],
        valid_until: Some(border[1]),
    });
    assert_eq!(parts, expected.collect::<Vec<_>>());
}

#[test]
fn what_rolls_over_ends_with_the_plan_or_never() {
    let plan = |end| {
        let unused = Unused::RollsOver(end);
        Plan::Monthly { amount: Monthly::Each(5), months: 2, start: at(2027, 1, 1), unused }
    };
    let ends =
        |plan: Plan| plan.parts().map(|parts| parts.iter().map(|part| part.valid_until).collect::<Vec<_>>());
    assert_eq!(ends(plan(None)), Ok(vec![None, None]));
    let end = Some(at(2028, 1, 1));
    assert_eq!(ends(plan(end)), Ok(vec![end, end]));
    assert_eq!(ends(plan(Some(at(2027, 2, 1)))), Err(PlanError::EndsTooEarly { part: 2 }));
}

#[test]
fn a_cliff_brings_what_its_months_would_have() {
    let parts = vesting(4_803, 48, 12, at(2027, 3, 31)).parts().unwrap();
    assert_eq!(parts.len(), 37);
    assert_eq!((parts[0].amount, parts[0].valid_from), (1_200, at(2028, 3, 31)));
    assert_eq!((parts[1].amount, parts[1].valid_from), (100, at(2028, 4, 30)));
    assert_eq!((parts[36].amount, parts[36].valid_from), (103, at(2031, 3, 31)));
}

#[test]
fn a_cliff_as_long_as_the_plan_is_one_grant_and_none_begins_after_a_month() {
    let all = vesting(7, 12, 12, at(2027, 1, 1)).parts().unwrap();
    assert_eq!(all, [Part { amount: 7, valid_from: at(2028, 1, 1), valid_until: None }]);
    let none = vesting(24, 12, 0, at(2027, 1, 1)).parts().unwrap();
    assert_eq!((none.len(), none[0].valid_from), (12, at(2027, 2, 1)));
    assert_eq!(none, vesting(24, 12, 1, at(2027, 1, 1)).parts().unwrap());
}

#[test]
fn milestones_stand_in_the_order_of_their_dates() {
    let awards = vec![(at(2027, 6, 1), 2), (at(2027, 1, 1), 1)];
    let parts = Plan::Milestones { awards, end: Some(at(2028, 1, 1)) }.parts().unwrap();
    assert_eq!(parts.iter().map(|part| part.amount).collect::<Vec<_>>(), [1, 2]);
    assert!(parts.iter().all(|part| part.valid_until == Some(at(2028, 1, 1))));
}

#[test]
fn a_part_becomes_a_grant_with_its_dates() {
    let part = Part { amount: 3, valid_from: 1, valid_until: Some(2) };
    let grant = Grant::One { program: 9, amount: 3, valid_from: Some(1), valid_until: Some(2) };
    assert_eq!(part.grant(9), grant);
}

#[test]
fn what_cannot_be_says_why() {
    let start = at(2027, 1, 1);
    let monthly = |amount, months| Plan::Monthly { amount, months, start, unused: Unused::EndsWithMonth };
    assert_eq!(monthly(Monthly::Each(1), 0).parts(), Err(PlanError::Empty));
    assert_eq!(monthly(Monthly::Each(1), 65).parts(), Err(PlanError::TooManyParts(65)));
    assert_eq!(monthly(Monthly::Each(1), u32::MAX).parts(), Err(PlanError::TooLong));
    let nothing = PlanError::NothingInPart { whole: 2, parts: 3 };
    assert_eq!(monthly(Monthly::InAll(2), 3).parts(), Err(nothing));
    assert_eq!(monthly(Monthly::Each(Credits::MAX), 2).parts(), Err(PlanError::TooMuch));
    assert_eq!(vesting(9, 3, 4, start).parts(), Err(PlanError::CliffTooLong { cliff: 4, months: 3 }));
    assert_eq!(vesting(9, 3, 0, at(9999, 11, 1)).parts(), Err(PlanError::BeyondCalendar));
    assert_eq!(Plan::Milestones { awards: vec![], end: None }.parts(), Err(PlanError::Empty));
}

proptest! {
    #[test]
    fn parts_add_up_to_the_whole_and_only_the_last_has_the_remainder(
        whole in 64u128..1 << 100, months in 1u32..=64, start in 0u64..4_102_444_800_000,
    ) {
        let plan = Plan::Monthly { amount: Monthly::InAll(whole), months, start, unused: Unused::EndsWithMonth };
        let parts = plan.parts().unwrap();
        prop_assert_eq!(sum(&parts), whole);
        let (last, equal) = parts.split_last().unwrap();
        prop_assert!(equal.iter().all(|part| part.amount == whole / u128::from(months)));
        prop_assert_eq!(last.amount - whole / u128::from(months), whole % u128::from(months));
    }

    #[test]
    fn months_adjoin_without_gap_or_overlap(months in 1u32..=64, start in 0u64..4_102_444_800_000) {
        let plan = Plan::Monthly { amount: Monthly::Each(1), months, start, unused: Unused::EndsWithMonth };
        let parts = plan.parts().unwrap();
        prop_assert_eq!(parts[0].valid_from, start);
        prop_assert!(parts.iter().all(|part| part.valid_until.unwrap() > part.valid_from));
        prop_assert!(parts.windows(2).all(|pair| pair[0].valid_until == Some(pair[1].valid_from)));
    }

    #[test]
    fn vesting_is_never_ahead_of_time_and_complete_at_its_end(
        whole in 600u128..1 << 100, months in 1u32..=64, cliff in 0u32..=64, start in 0u64..4_102_444_800_000,
    ) {
        prop_assume!(cliff <= months);
        let parts = vesting(whole, months, cliff, start).parts().unwrap();
        prop_assert_eq!(sum(&parts), whole);
        prop_assert!(parts.windows(2).all(|pair| pair[0].valid_from < pair[1].valid_from));
        for month in 0..=months {
            let now = months_after(start, month).unwrap();
            let vested: Credits = parts.iter().filter(|part| part.valid_from <= now).map(|part| part.amount).sum();
            let due = whole / u128::from(months) * u128::from(month);
            match month {
                month if month == months => prop_assert_eq!(vested, whole),
                month if month < cliff => prop_assert_eq!(vested, 0),
                _ => prop_assert_eq!(vested, due),
            }
        }
    }

    #[test]
    fn no_plan_makes_the_reckoning_panic(
        whole: u128, months: u32, cliff: u32, start: u64, end: Option<u64>, rolls: bool,
    ) {
        let unused = if rolls { Unused::RollsOver(end) } else { Unused::EndsWithMonth };
        let _ = Plan::Monthly { amount: Monthly::InAll(whole), months, start, unused }.parts();
        let _ = Plan::Monthly { amount: Monthly::Each(whole), months, start, unused }.parts();
        let _ = Plan::Vesting { whole, months, cliff, start, end }.parts();
        let _ = Plan::Milestones { awards: vec![(start, whole)], end }.parts();
    }
}
