//! Moments as people write and read them. All times are UTC.

use stipend_primitives::Moment;

use crate::calendar::{Date, DAY_MS};

const SECOND_MS: u64 = 1_000;

/// Reads a moment that does not depend on now: a date (`2027-03-31`) or a UTC time (`2027-03-31T12:00:00Z`).
pub fn read(text: &str) -> Result<Moment, String> {
    moment_of(text).ok_or_else(|| {
        format!("\"{text}\" is not a time: write a date (2027-03-31) or a UTC time (2027-03-31T12:00:00Z)")
    })
}

fn moment_of(text: &str) -> Option<Moment> {
    let (date, clock) = match text.split_once('T') {
        Some((date, clock)) => (date, clock.strip_suffix('Z')?),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let date = Date::new(year, month, day)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(date.start() + (hour * 3_600 + minute * 60 + second) * SECOND_MS)
}

/// Three numbers of fixed widths between separators.
fn numbers(text: &str, separator: char, widths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut found = [0; 3];
    for (number, width) in found.iter_mut().zip(widths) {
        let part = parts.next()?;
        if part.len() != width || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

/// Writes a moment to the second, or in full if it is beyond the calendar.
pub fn written(moment: Moment) -> String {
    let Some(date) = Date::of(moment) else { return format!("{moment} ms") };
    let of_day = moment % DAY_MS / SECOND_MS;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    let (year, month, day) = (date.year(), date.month(), date.day());
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Writes a duration in the largest unit that is exact.
pub fn duration(ms: u64) -> String {
    for (unit_ms, unit) in [(DAY_MS, "d"), (3_600 * SECOND_MS, "h"), (60 * SECOND_MS, "m"), (SECOND_MS, "s")]
    {
        if ms >= unit_ms && ms.is_multiple_of(unit_ms) {
            return format!("{}{unit}", ms / unit_ms);
        }
    }
    format!("{ms} ms")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_what_the_calendar_says() {
        for (text, ms) in [
            ("1970-01-01", 0),
            ("2000-02-29", 951_782_400_000),
            ("2027-03-31T12:30:15Z", 1_806_496_215_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(read(text).unwrap(), ms, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "tomorrow", "90d", "2027-02-29", "2027-13-01", "2027-3-1", "2027-03-31T12:00:00"] {
            assert!(read(text).unwrap_err().contains("is not a time"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in 0u64..253_402_300_800) {
            let at = seconds * SECOND_MS;
            prop_assert_eq!(read(&written(at)), Ok(at));
        }

        #[test]
        fn any_moment_can_be_written(at: u64) {
            prop_assert!(!written(at).is_empty());
        }
    }
}
