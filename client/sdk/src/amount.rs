//! Amounts as people write and read them: credits with up to six decimals, exactly.

use stipend_primitives::{Credits, MICRO_CREDITS_PER_CREDIT};

/// Digits after the point: a credit is a million micro-credits.
const DECIMALS: usize = 6;

/// Reads an amount of credits, such as `12`, `12.5` or `0.000001`.
pub fn parse(text: &str) -> Result<Credits, String> {
    let wrong = || {
        format!("\"{text}\" is not an amount: write credits with up to {DECIMALS} decimals, such as 12.5, without sign or separators")
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits_only = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits_only(whole) || !digits_only(fraction) || fraction.len() > DECIMALS {
        return Err(wrong());
    }
    let too_large = || format!("\"{text}\" is more credits than the chain can count");
    let whole: Credits = whole.parse().map_err(|_| too_large())?;
    let fraction: Credits = format!("{fraction:0<DECIMALS$}").parse().map_err(|_| wrong())?;
    whole
        .checked_mul(MICRO_CREDITS_PER_CREDIT)
        .and_then(|micro| micro.checked_add(fraction))
        .ok_or_else(too_large)
}

/// Writes an amount in credits with all six decimals.
pub fn credits(micro: Credits) -> String {
    let (whole, fraction) = (micro / MICRO_CREDITS_PER_CREDIT, micro % MICRO_CREDITS_PER_CREDIT);
    format!("{whole}.{fraction:0DECIMALS$}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn credits_are_read_exactly() {
        for (text, micro) in [
            ("0", 0),
            ("12", 12_000_000),
            ("12.5", 12_500_000),
            ("0.000001", 1),
            ("007.10", 7_100_000),
            ("340282366920938463463374607431768.211455", u128::MAX),
        ] {
            assert_eq!(parse(text).unwrap(), micro, "{text}");
        }
    }

    #[test]
    fn what_is_not_an_amount_is_refused() {
        for text in
            ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "1_000", " 1", "0.0000001", "1.2.3", "NaN", "١"]
        {
            assert!(parse(text).unwrap_err().contains("is not an amount"), "{text}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for text in ["340282366920938463463374607431768.211456", &"9".repeat(60)] {
            assert!(parse(text).unwrap_err().contains("more credits than"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(micro: u128) {
            prop_assert_eq!(parse(&credits(micro)).unwrap(), micro);
        }

        #[test]
        fn reading_never_panics(text in ".{0,60}") {
            let _ = parse(&text);
        }
    }
}
