//! The Gregorian calendar in UTC: dates, and what "a month later" means.

use stipend_primitives::Moment;

/// Milliseconds of a day; Unix time knows no leap seconds.
pub const DAY_MS: u64 = 86_400_000;

/// The last year that dates are reckoned in: four digits.
pub const YEAR_MAX: u64 = 9_999;

/// A day of the calendar, from 1970-01-01 to 9999-12-31.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u64,
    month: u64,
    day: u64,
}

impl Date {
    /// A day by its numbers, month and day counted from 1; `None` if the calendar has no such day.
    pub fn new(year: u64, month: u64, day: u64) -> Option<Self> {
        let known = (1970..=YEAR_MAX).contains(&year) && (1..=12).contains(&month);
        (known && (1..=days_in(year, month)).contains(&day)).then_some(Date { year, month, day })
    }

    /// The day that a moment falls on; `None` beyond the calendar.
    pub fn of(moment: Moment) -> Option<Self> {
        let days = moment / DAY_MS;
        // No year is longer than 366 days, so this is the year or one a little before it.
        let mut year = 1970 + days / 366;
        while year <= YEAR_MAX && days_before(year + 1) <= days {
            year += 1;
        }
        if year > YEAR_MAX {
            return None;
        }
        let mut day = days - days_before(year);
        let mut month = 1;
        while day >= days_in(year, month) {
            day -= days_in(year, month);
            month += 1;
        }
        Some(Date { year, month, day: day + 1 })
    }

    /// The year.
    pub fn year(self) -> u64 {
        self.year
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u64 {
        self.month
    }

    /// The day of the month, from 1.
    pub fn day(self) -> u64 {
        self.day
    }

    /// The day's first moment.
    pub fn start(self) -> Moment {
        let months: u64 = (1..self.month).map(|month| days_in(self.year, month)).sum();
        (days_before(self.year) + months + self.day - 1) * DAY_MS
    }
}

/// The same time of day on the same day of the month, `months` later; on the month's last day where the
/// month is too short: a month after 31 January is 28 or 29 February. `None` beyond the calendar.
///
/// Months are counted from one anchor, never from each other: two months after 31 January is 31 March.
pub fn months_after(anchor: Moment, months: u32) -> Option<Moment> {
    let date = Date::of(anchor)?;
    let count = date.month - 1 + u64::from(months);
    let (year, month) = (date.year + count / 12, count % 12 + 1);
    let day = date.day.min(days_in(year, month));
    Some(Date::new(year, month, day)?.start() + anchor % DAY_MS)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// How many days a month has.
pub fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to the first of January of a year.
fn days_before(year: u64) -> u64 {
    let leap_years = |year: u64| year / 4 - year / 100 + year / 400;
    (year - 1970) * 365 + leap_years(year - 1) - leap_years(1969)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn at(year: u64, month: u64, day: u64) -> Moment {
        Date::new(year, month, day).unwrap().start()
    }

    #[test]
    fn every_day_of_the_calendar_follows_the_one_before() {
        let mut before = Date::of(0).unwrap();
        assert_eq!(before, Date::new(1970, 1, 1).unwrap());
        for day in 1..days_before(YEAR_MAX + 1) {
            let date = Date::of(day * DAY_MS).unwrap();
            assert!(date > before && date.start() == day * DAY_MS, "{date:?} after {before:?}");
            before = date;
        }
        assert_eq!(before, Date::new(9999, 12, 31).unwrap());
        assert_eq!(Date::of(days_before(YEAR_MAX + 1) * DAY_MS), None);
        assert_eq!(Date::of(Moment::MAX), None);
    }

    #[test]
    fn known_days_are_where_they_are() {
        assert_eq!(at(2000, 2, 29), 951_782_400_000);
        assert_eq!(at(2027, 3, 31), 1_806_451_200_000);
        for (year, month, day) in [(2027, 2, 29), (2100, 2, 29), (2027, 0, 1), (2027, 1, 0), (1969, 12, 31)] {
            assert_eq!(Date::new(year, month, day), None);
        }
    }

    #[test]
    fn a_month_after_a_months_end_is_the_next_months_end() {
        let january = at(2027, 1, 31);
        assert_eq!(months_after(january, 1), Some(at(2027, 2, 28)));
        assert_eq!(months_after(january, 2), Some(at(2027, 3, 31)));
        assert_eq!(months_after(january, 3), Some(at(2027, 4, 30)));
        assert_eq!(months_after(january, 13), Some(at(2028, 2, 29)));
        assert_eq!(months_after(at(2028, 2, 29), 12), Some(at(2029, 2, 28)));
        assert_eq!(months_after(at(9999, 12, 1), 1), None);
    }

    proptest! {
        #[test]
        fn months_keep_their_day_and_time_where_they_can(anchor in 0u64..4_102_444_800_000, months in 0u32..1_200) {
            let (from, to) = (Date::of(anchor).unwrap(), months_after(anchor, months).unwrap());
            let date = Date::of(to).unwrap();
            prop_assert_eq!(to % DAY_MS, anchor % DAY_MS);
            let counted = date.year() * 12 + date.month() - from.year() * 12 - from.month();
            prop_assert_eq!(counted, u64::from(months));
            prop_assert_eq!(date.day(), from.day().min(days_in(date.year(), date.month())));
        }
    }
}
