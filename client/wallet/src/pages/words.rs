//! Amounts, moments and names as people read them.

use maud::{html, Markup};
use sp_core::crypto::Ss58Codec;
use stipend_primitives::{AccountId, Credits, Moment};

/// Micro-credits as credits, six places, thousands apart.
pub fn credits(amount: Credits) -> String {
    format!("{}.{:06}", thousands(amount / 1_000_000), amount % 1_000_000)
}

/// A count with its thousands apart.
pub fn thousands(count: u128) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Part of a whole in per cent, one place; a whole of nothing has no parts.
pub fn percent(part: u128, whole: u128) -> String {
    match part.saturating_mul(1_000).checked_div(whole) {
        Some(thousandths) => format!("{}.{} %", thousandths / 10, thousandths % 10),
        None => "–".into(),
    }
}

/// Millijoules as joules, watt-hours or kilowatt-hours.
pub fn energy(energy_mj: u128) -> String {
    const WH: u128 = 3_600_000;
    match energy_mj {
        less if less < WH / 10 => format!("{}.{:03} J", less / 1_000, less % 1_000),
        some if some < 1_000 * WH => {
            let thousandths = some.saturating_mul(1_000) / WH;
            format!("{}.{:03} Wh", thousandths / 1_000, thousandths % 1_000)
        }
        much => {
            let thousandths = much / WH;
            format!("{}.{:03} kWh", thousands(thousandths / 1_000), thousandths % 1_000)
        }
    }
}

/// Milligrams of CO2 equivalent as grams.
pub fn grams(emitted_mg: u128) -> String {
    format!("{}.{:03} g", thousands(emitted_mg / 1_000), emitted_mg % 1_000)
}

/// Year, month and day of a day counted from 1970.
pub fn civil(day: u64) -> (i64, u32, u32) {
    // Howard Hinnant's days-from-civil, backwards: eras of 400 years that begin in March.
    let shifted = i64::try_from(day).unwrap_or(i64::MAX / 2) + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A day as `2026-11-22`.
pub fn date(day: u64) -> String {
    let (year, month, day) = civil(day);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A moment as `2026-11-22T01:02:03Z`.
pub fn timestamp(moment: Moment) -> String {
    let seconds = moment / 1_000;
    let of_day = seconds % 86_400;
    let (hours, minutes) = (of_day / 3_600, of_day / 60 % 60);
    format!("{}T{hours:02}:{minutes:02}:{:02}Z", date(seconds / 86_400), of_day % 60)
}

/// First moment of the month, and of the next one.
pub fn month(moment: Moment) -> (Moment, Moment) {
    let today = moment / 86_400_000;
    let (_, _, day) = civil(today);
    let first = today.saturating_sub(u64::from(day) - 1);
    // The 32nd day after the first of a month is in the next one.
    let (_, _, beyond) = civil(first + 31);
    let next = first + 31 - (u64::from(beyond) - 1);
    (first * 86_400_000, next * 86_400_000)
}

/// A moment for a page.
pub fn when(moment: Moment) -> Markup {
    let text = timestamp(moment);
    html! { time datetime=(text) { (text.replace('T', " ").trim_end_matches('Z')) } }
}

/// The beginning and the end of an address; all of it for those who copy or listen.
pub fn short(account: &AccountId) -> Markup {
    let address = account.to_ss58check();
    let (first, last) = (&address[..6], &address[address.len() - 6..]);
    html! { span.address title=(address) { (first) "…" (last) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_what_the_calendar_says() {
        for (day, expected) in
            [(0, "1970-01-01"), (11_016, "2000-02-29"), (20_779, "2026-11-22"), (19_722, "2023-12-31")]
        {
            assert_eq!(date(day), expected);
        }
        assert_eq!(timestamp(1_700_000_000_000), "2023-11-14T22:13:20Z");
        let (start, end) = month(1_700_000_000_000);
        assert_eq!(
            (timestamp(start), timestamp(end)),
            ("2023-11-01T00:00:00Z".into(), "2023-12-01T00:00:00Z".into())
        );
        let (start, end) = month(1_706_700_000_000);
        assert_eq!(
            (timestamp(start), timestamp(end)),
            ("2024-01-01T00:00:00Z".into(), "2024-02-01T00:00:00Z".into())
        );
    }

    #[test]
    fn amounts_are_read_easily() {
        assert_eq!(credits(1_234_567_890_123), "1\u{202f}234\u{202f}567.890123");
        assert_eq!(credits(1), "0.000001");
        assert_eq!(percent(1, 3), "33.3 %");
        assert_eq!(percent(1, 0), "–");
        assert_eq!(energy(9_000), "9.000 J");
        assert_eq!(energy(7_200_000), "2.000 Wh");
        assert_eq!(grams(1_234_567), "1\u{202f}234.567 g");
    }
}
