//! How much to reserve.

use stipend_primitives::{Credits, Moment};

use crate::{
    config::Reservations,
    credits::{credits, Micro},
    wallet::Figures,
};

/// Micro-credits to reserve now for an account that somebody wants `wanted` of; 0: nothing can or
/// need be done.
///
/// A gateway that takes all at once starves its neighbours, so it leaves half of a large remainder
/// where it is, unless a request needs it.
pub(crate) fn top_up(figures: &Figures, wanted: Micro, target: Credits, settings: &Reservations) -> Credits {
    let free = credits(figures.free);
    let available = credits(figures.available);
    let wanted = credits(wanted);
    let is_low = free < settings.low_water.max(1) || free < wanted;
    if !is_low {
        return 0;
    }
    if wanted > 0
        && free.saturating_add(available) < wanted
        && figures.elsewhere.is_some_and(|there| there > 0)
    {
        // It would serve no request that waits here, and one at another gateway might need it.
        return 0;
    }
    // Below zero, the first credits only make up for what is missing.
    let missing = credits(figures.free.min(0).saturating_neg());
    let needed = wanted.saturating_sub(free).saturating_add(missing);
    let fill = target.max(wanted).saturating_sub(free).saturating_add(missing);
    let share = if available / 2 > settings.low_water { available.div_ceil(2) } else { available };
    fill.min(share.max(needed)).min(available)
}

/// Whether a reservation is so near its end that it takes no new request until it is extended.
pub(crate) fn is_ending(figures: &Figures, margin_ms: u64, now_ms: Moment) -> bool {
    figures.reserved > 0 && figures.expires_at.saturating_sub(margin_ms) <= now_ms
}

/// Whether a reservation in use is near enough to its end to be renewed.
pub(crate) fn is_ageing(figures: &Figures, settings: &Reservations, now_ms: Moment) -> bool {
    let lifetime_ms = u64::try_from(settings.lifetime.as_millis()).unwrap_or(u64::MAX);
    figures.reserved > 0 && figures.expires_at.saturating_sub(now_ms) < lifetime_ms / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn settings() -> Reservations {
        Reservations {
            target: 100,
            low_water: 25,
            lifetime: Duration::from_secs(1_000),
            wait_max: Duration::ZERO,
        }
    }

    fn figures(free: Micro, available: Micro) -> Figures {
        Figures {
            free,
            held: 0,
            available,
            elsewhere: None,
            looked_at_ms: 0,
            reserved: 1,
            expires_at: 10_000_000,
        }
    }

    #[test]
    fn an_account_is_filled_up_to_its_target() {
        for (free, available, wanted, target, expected) in [
            // Enough is left.
            (25, 1_000, 0, 100, 0),
            // Low: up to the target.
            (24, 1_000, 0, 100, 76),
            // Half of what is there is left for other gateways, but not of crumbs.
            (0, 100, 0, 100, 50),
            (0, 40, 0, 100, 40),
            // A request that needs more gets more.
            (0, 100, 80, 100, 80),
            (30, 1_000, 500, 100, 470),
            // No more than is there.
            (0, 60, 500, 100, 60),
            (0, 0, 500, 100, 0),
            // A larger target, because the last one did not last.
            (0, 1_000, 0, 400, 400),
            // An engine counted beyond its bound: that is made up for first.
            (-10, 1_000, 5, 100, 110),
        ] {
            let amount = top_up(&figures(free, available), wanted, target, &settings());
            assert_eq!(amount, expected, "free {free}, available {available}, wanted {wanted}");
        }
    }

    #[test]
    fn what_helps_no_request_here_is_left_to_others() {
        let shared = |free, available| Figures { elsewhere: Some(30), ..figures(free, available) };
        assert_eq!(top_up(&shared(20, 70), 100, 100, &settings()), 0);
        assert_eq!(top_up(&shared(20, 80), 100, 100, &settings()), 80);
        let alone = Figures { elsewhere: Some(0), ..figures(20, 70) };
        assert_eq!(top_up(&alone, 100, 100, &settings()), 70);
    }

    #[test]
    fn a_reservation_is_renewed_in_its_second_half() {
        assert!(!is_ageing(&figures(1, 1), &settings(), 10_000_000 - 500_000));
        assert!(is_ageing(&figures(1, 1), &settings(), 10_000_000 - 499_999));
        assert!(is_ending(&figures(1, 1), 1_000, 9_999_000) && !is_ending(&figures(1, 1), 1_000, 9_998_999));
        let none = Figures { reserved: 0, ..figures(1, 1) };
        assert!(!is_ageing(&none, &settings(), 10_000_000));
    }
}
