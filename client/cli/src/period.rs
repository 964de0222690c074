//! Stretches of the calendar, in UTC.

use anyhow::Result;
use stipend_sdk::{
    calendar::{months_after, Date},
    primitives::Moment,
    RpcError,
};

/// From a first moment up to another that is no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) start: Moment,
    pub(crate) end: Moment,
}

impl Period {
    /// So many whole months from the first of one on; `None` beyond the calendar.
    fn months(year: u64, month: u64, count: u32) -> Option<Self> {
        let start = Date::new(year, month, 1)?.start();
        Some(Period { start, end: months_after(start, count)? })
    }

    /// The twelve months of a year.
    pub(crate) fn months_of(year: u64) -> Option<Vec<Self>> {
        (1..=12).map(|month| Self::months(year, month, 1)).collect()
    }
}

/// Reads a quarter, such as `2026Q3`.
pub(crate) fn parse_quarter(text: &str) -> Result<Period, String> {
    let read = || {
        let (year, quarter) = text.split_once(['Q', 'q'])?;
        let digits = |text: &str, len| text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(year, 4) || !digits(quarter, 1) {
            return None;
        }
        let quarter: u64 = quarter.parse().ok()?;
        Period::months(year.parse().ok()?, quarter.checked_sub(1)? * 3 + 1, 3)
    };
    read().ok_or_else(|| format!("\"{text}\" is not a quarter: write the year and Q1 to Q4, such as 2026Q3"))
}

/// Says what to do where a node does not know the past.
pub(crate) fn of_the_past<T>(answer: Result<T, RpcError>) -> Result<T> {
    answer.map_err(|error| match error {
        error @ RpcError::Call { .. } => anyhow::Error::from(error).context(
            "this needs the state of old blocks, which an ordinary node forgets; name a node that was started with --state-pruning=archive-canonical with --url",
        ),
        error => error.into(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::time;

    #[test]
    fn a_quarter_is_three_months() {
        let at = |text| time::parse_date(text).unwrap();
        let third = parse_quarter("2026Q3").unwrap();
        assert_eq!(third, Period { start: at("2026-07-01"), end: at("2026-10-01") });
        assert_eq!(parse_quarter("2026q4").unwrap().end, at("2027-01-01"));
        for text in ["", "2026", "2026Q0", "2026Q5", "26Q1", "2026Q11", "Q1", "2026-Q1", "2026Q\u{661}"] {
            assert!(parse_quarter(text).unwrap_err().contains("is not a quarter"), "{text}");
        }
    }

    #[test]
    fn the_months_of_a_year_adjoin() {
        let months = Period::months_of(2028).unwrap();
        assert_eq!(months.len(), 12);
        assert!(months.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert_eq!(months[1].end, time::parse_date("2028-03-01").unwrap());
    }
}
