//! Moments and durations as people write and read them. All times are UTC.

use std::time::{SystemTime, UNIX_EPOCH};

use stipend_sdk::{calendar::DAY_MS, primitives::Moment};

pub(crate) use stipend_sdk::moment::{read as parse_date, written as moment};

const SECOND_MS: u64 = 1_000;

/// Now, by this machine's clock.
pub(crate) fn now() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::try_from(since.as_millis()).unwrap_or(Moment::MAX)
}

/// Reads a moment: `2027-03-31`, `2027-03-31T12:00:00Z`, or a duration from now such as `90d`.
pub(crate) fn parse_moment(text: &str) -> Result<Moment, String> {
    if let Ok(duration) = parse_duration(text) {
        return now().checked_add(duration).ok_or_else(|| wrong_moment(text));
    }
    parse_date(text).map_err(|_| wrong_moment(text))
}

fn wrong_moment(text: &str) -> String {
    format!("\"{text}\" is not a time: write a date (2027-03-31), a UTC time (2027-03-31T12:00:00Z) or a duration from now (90d, 12h, 30m)")
}

/// Reads a duration: a whole number and `s`, `m`, `h` or `d`.
pub(crate) fn parse_duration(text: &str) -> Result<u64, String> {
    let wrong = || {
        format!("\"{text}\" is not a duration: write a whole number and s, m, h or d, such as 365d or 12h")
    };
    let unit_ms = match text.chars().last() {
        Some('s') => SECOND_MS,
        Some('m') => 60 * SECOND_MS,
        Some('h') => 3_600 * SECOND_MS,
        Some('d') => DAY_MS,
        _ => return Err(wrong()),
    };
    let count = &text[..text.len() - 1];
    if !count.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    count.parse::<u64>().ok().and_then(|count| count.checked_mul(unit_ms)).ok_or_else(wrong)
}

/// Writes a moment, or a word for its absence.
pub(crate) fn moment_or(absent: &str, at: Option<Moment>) -> String {
    at.map_or_else(|| absent.to_owned(), moment)
}

/// Writes a duration in the largest unit that is exact.
pub(crate) use stipend_sdk::moment::duration;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn dates_are_what_the_calendar_says() {
        for (text, ms) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400_000),
            ("2027-03-31T12:30:15Z", 1_806_496_215_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(parse_moment(text).unwrap(), ms, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "tomorrow",
            "2027-02-29",
            "2027-13-01",
            "2027-3-1",
            "2027-03-31T24:00:00Z",
            "2027-03-31T12:00:00",
            "1969-12-31",
            "-1d",
            "d",
            "99999999999999999999d",
        ] {
            assert!(parse_moment(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_duration_counts_from_now() {
        let until = parse_moment("90d").unwrap();
        assert!((now() + 90 * DAY_MS).abs_diff(until) < 10_000);
    }

    #[test]
    fn durations_are_written_in_their_largest_unit() {
        for text in ["365d", "12h", "90m", "61s"] {
            assert_eq!(duration(parse_duration(text).unwrap()), text);
        }
        assert_eq!(duration(1_500), "1500 ms");
    }
}
