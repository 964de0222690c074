//! Requests per minute of one key.

use parking_lot::Mutex;
use stipend_primitives::Moment;

const MINUTE_MS: u64 = 60_000;

/// Counts requests in a window that slides over two fixed minutes: the minute before counts for the
/// share of it that the window still covers, as if its requests had come evenly.
///
/// Locks only the key's own counter, and only for keys that have a limit.
#[derive(Default)]
pub(crate) struct RateWindow(Mutex<Minutes>);

#[derive(Default)]
struct Minutes {
    current: u64,
    count: u64,
    count_before: u64,
}

impl RateWindow {
    /// Counts one request; `Err` says in how many seconds to try again, and nothing was counted.
    pub(crate) fn admit(&self, limit: u32, now_ms: Moment) -> Result<(), u64> {
        let (minute, into) = (now_ms / MINUTE_MS, now_ms % MINUTE_MS);
        let mut minutes = self.0.lock();
        if minute != minutes.current {
            let is_next = minute == minutes.current + 1;
            minutes.count_before = if is_next { minutes.count } else { 0 };
            minutes.count = 0;
            minutes.current = minute;
        }
        let limit = u64::from(limit);
        let room_before = minutes.count_before * (MINUTE_MS - into);
        if room_before + (minutes.count + 1) * MINUTE_MS <= limit * MINUTE_MS {
            minutes.count += 1;
            return Ok(());
        }
        Err(retry_after_s(limit, &minutes, into))
    }
}

/// Seconds until the window has room for one more, if nothing else comes.
fn retry_after_s(limit: u64, minutes: &Minutes, into: u64) -> u64 {
    let wait_ms = if minutes.count < limit {
        // Enough of the minute before must slide out.
        let left_max = (limit - minutes.count - 1) * MINUTE_MS / minutes.count_before.max(1);
        (MINUTE_MS - into).saturating_sub(left_max)
    } else {
        MINUTE_MS - into
    };
    wait_ms.div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_limit_pass_at_once() {
        let window = RateWindow::default();
        for _ in 0..3 {
            assert_eq!(window.admit(3, 1_000_000), Ok(()));
        }
        assert!(window.admit(3, 1_000_000).is_err());
    }

    #[test]
    fn a_full_minute_still_counts_at_the_beginning_of_the_next() {
        let window = RateWindow::default();
        for _ in 0..60 {
            assert_eq!(window.admit(60, 59_999), Ok(()));
        }
        assert!(window.admit(60, 60_000).is_err());
        // A quarter of a minute later a quarter of the requests slid out.
        let passed = (0..60).filter(|_| window.admit(60, 75_000).is_ok()).count();
        assert_eq!(passed, 15);
        // After two quiet minutes nothing counts any more.
        let passed = (0..70).filter(|_| window.admit(60, 250_000).is_ok()).count();
        assert_eq!(passed, 60);
    }

    #[test]
    fn after_the_seconds_it_names_a_request_passes() {
        for (limit, at) in [(1, 10_000), (3, 59_000), (60, 30_000), (7, 0)] {
            let window = RateWindow::default();
            let mut now = at;
            let mut passed = 0;
            while passed < 5 * limit {
                match window.admit(limit, now) {
                    Ok(()) => passed += 1,
                    Err(seconds) => {
                        assert!(seconds <= 120);
                        let waits = (0..)
                            .take_while(|wait| window.admit(limit, now + (seconds + wait) * 1_000).is_err());
                        let waits = waits.count() as u64;
                        // A second announcement may be needed where a minute begins in between.
                        assert!(waits <= 60, "waited {waits} s more than announced");
                        passed += 1;
                        now += (seconds + waits) * 1_000;
                    }
                }
            }
        }
    }

    #[test]
    fn a_limit_of_zero_lets_nothing_through() {
        assert!(RateWindow::default().admit(0, 5).is_err());
    }
}
