//! Rows as CSV.

use super::columns::{Kind, Line, Value, COLUMNS, KINDS};
use crate::pages::words::timestamp;

/// The line of the names.
pub(super) fn header() -> String {
    format!("{}\n", COLUMNS.join(","))
}

/// Writes a row; nothing where there is no value.
pub(super) fn write(line: &Line, out: &mut String) {
    for (at, (value, kind)) in line.values().iter().zip(KINDS).enumerate() {
        if at > 0 {
            out.push(',');
        }
        match value {
            None => {}
            Some(Value::Text(text)) => quoted(text, out),
            Some(Value::Time(moment)) => out.push_str(&timestamp(*moment)),
            Some(Value::Count(count)) => out.push_str(&count.to_string()),
            Some(Value::Decimal(amount)) => {
                let places = if let Kind::Decimal(places) = kind { *places } else { 0 };
                out.push_str(&decimal(*amount, places));
            }
        }
    }
    out.push('\n');
}

fn quoted(text: &str, out: &mut String) {
    if text.contains([',', '"', '\n', '\r']) {
        out.push('"');
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

/// Units of the last of so many places as a decimal number: no exponent, no zeros at the end.
fn decimal(amount: i128, places: u8) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let one = 10u128.pow(places.into());
    let (whole, part) = (amount.unsigned_abs() / one, amount.unsigned_abs() % one);
    if part == 0 {
        return format!("{sign}{whole}");
    }
    let digits = format!("{part:0width$}", width = places.into());
    format!("{sign}{whole}.{}", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_decimals() {
        for (amount, expected) in [
            (0, "0"),
            (1, "0.000001"),
            (-1, "-0.000001"),
            (1_000_000, "1"),
            (1_500_000, "1.5"),
            (-1_500_000, "-1.5"),
            (i128::MAX, "170141183460469231731687303715884.105727"),
        ] {
            assert_eq!(decimal(amount, 6), expected);
        }
        assert_eq!(decimal(2_500_000, 12), "0.0000025");
        assert_eq!(decimal(-7, 0), "-7");
    }

    #[test]
    fn text_with_commas_and_quotes_stays_one_value() {
        let mut out = String::new();
        quoted("a, \"b\"", &mut out);
        assert_eq!(out, "\"a, \"\"b\"\"\"");
    }
}
