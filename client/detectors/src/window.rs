//! Counts over the last while, in constant memory.

/// What fell into a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) count: u32,
    pub(crate) tokens: u64,
    /// Unix milliseconds of the first of them; 0 if there are none.
    pub(crate) from_ms: u64,
}

impl Tally {
    fn note(&mut self, at_ms: u64, tokens: u64) {
        if self.count == 0 {
            self.from_ms = at_ms;
        }
        self.count = self.count.saturating_add(1);
        self.tokens = self.tokens.saturating_add(tokens);
    }

    pub(crate) fn and(self, other: Tally) -> Tally {
        let from_ms = match (self.count, other.count) {
            (0, _) => other.from_ms,
            (_, 0) => self.from_ms,
            _ => self.from_ms.min(other.from_ms),
        };
        Tally {
            count: self.count.saturating_add(other.count),
            tokens: self.tokens.saturating_add(other.tokens),
            from_ms,
        }
    }
}

/// A sliding window in two halves: it covers between half a span and a whole one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    half: u64,
    now: Tally,
    before: Tally,
}

impl Window {
    /// Counts something in; says what the window holds with it. What comes late counts as the newest: it cannot turn time back.
    pub(crate) fn add(&mut self, at_ms: u64, span_ms: u64, tokens: u64) -> Tally {
        self.turn(at_ms, span_ms);
        self.now.note(at_ms, tokens);
        self.now.and(self.before)
    }

    /// What the window holds at a time.
    pub(crate) fn at(&mut self, at_ms: u64, span_ms: u64) -> Tally {
        self.turn(at_ms, span_ms);
        self.now.and(self.before)
    }

    fn turn(&mut self, at_ms: u64, span_ms: u64) {
        let half = at_ms / (span_ms / 2).max(1);
        match half.saturating_sub(self.half) {
            0 => return,
            1 => self.before = self.now,
            _ => self.before = Tally::default(),
        }
        self.now = Tally::default();
        self.half = half;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_holds_the_last_half_at_least_and_the_last_whole_at_most() {
        let mut window = Window::default();
        for minute in 0..600u64 {
            let held = window.add(minute * 60_000, 3_600_000, 5);
            assert!(u64::from(held.count) >= 30.min(minute + 1), "minute {minute}");
            assert!(held.count <= 60, "minute {minute}");
            assert_eq!(held.tokens, u64::from(held.count) * 5);
            assert!(minute * 60_000 - held.from_ms < 3_600_000);
        }
    }

    #[test]
    fn a_pause_empties_it() {
        let mut window = Window::default();
        window.add(1_000, 3_600_000, 1);
        assert_eq!(window.at(10_000_000, 3_600_000), Tally::default());
    }

    #[test]
    fn what_comes_late_is_counted_now() {
        let mut window = Window::default();
        window.add(7_200_000, 3_600_000, 1);
        assert_eq!(window.add(1_000, 3_600_000, 1).count, 2);
    }
}
