//! How much can be earned in a period: what an evaluator's stolen key is worth, and what a wallet can gain.

use stipend_primitives::{Credits, Moment};

use crate::types::Use;

impl Use {
    /// As of a moment: what was earned in a period that is over counts no longer.
    pub fn at(self, now: Moment, period_ms: Moment) -> Self {
        if now < self.ends_at {
            return self;
        }
        // A period of no length is never stored; if it were, it would end with this moment.
        let period = now.checked_div(period_ms).unwrap_or(now);
        Use { ends_at: period.saturating_add(1).saturating_mul(period_ms), awarded: 0, ceiling: 0 }
    }

    /// With `amount` more; `None` if that is beyond the cap.
    pub fn with(mut self, amount: Credits, cap: Credits) -> Option<Self> {
        self.awarded = self.awarded.checked_add(amount).filter(|awarded| *awarded <= cap)?;
        self.ceiling = self.ceiling.max(cap);
        Some(self)
    }
}
