//! Amounts as the hot path counts them, and as people read them.

use stipend_primitives::{Credits, MICRO_CREDITS_PER_CREDIT};

/// Micro-credits in one machine word, so that a hold is one atomic step. Holds 9 * 10^12 credits.
pub(crate) type Micro = i64;

/// The largest amount that is counted; a few of them still fit a [`Micro`].
pub(crate) const MICRO_MAX: Micro = i64::MAX / 8;

/// An amount of the chain, cut off at [`MICRO_MAX`]: a reservation beyond it only seems smaller, and
/// a cost beyond it is above every reservation all the same.
pub(crate) fn micro(amount: Credits) -> Micro {
    Micro::try_from(amount).map_or(MICRO_MAX, |amount| amount.min(MICRO_MAX))
}

/// An amount as the chain counts it; a negative one is none.
pub(crate) fn credits(amount: Micro) -> Credits {
    Credits::try_from(amount).unwrap_or(0)
}

/// An amount in credits for people: `12.5`, never a float.
pub(crate) fn show(amount: Credits) -> String {
    let (whole, micro) = (amount / MICRO_CREDITS_PER_CREDIT, amount % MICRO_CREDITS_PER_CREDIT);
    let digits = format!("{micro:06}");
    match digits.trim_end_matches('0') {
        "" => whole.to_string(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_in_credits_without_loss() {
        for (amount, text) in
            [(0, "0"), (1, "0.000001"), (1_500_000, "1.5"), (10_000_000, "10"), (123_000_010, "123.00001")]
        {
            assert_eq!(show(amount), text);
        }
    }

    #[test]
    fn huge_amounts_only_seem_smaller() {
        assert_eq!(micro(Credits::MAX), MICRO_MAX);
        assert_eq!(micro(7), 7);
        assert_eq!(credits(-1), 0);
    }
}
