//! One prompt to many models at once.

use super::{DAY_MS, MINUTE_MS};
use crate::{
    finding::{score, Examples, Hit},
    groups::Member,
    observation::{Endpoint, Observation},
    window::Window,
};

/// Models that get one prompt. Who compares answers side by side looks at two to four.
const MODELS: usize = 5;

/// Time within which they get it: a comparison that runs model after model takes longer for each of them.
const SPAN_MS: u64 = 2 * MINUTE_MS;

/// Prompts of a day that are sent out so. Once or twice is curiosity.
const FANS: u64 = 5;

/// Providers do not count: which of them serves a model is the gateway's choice.
#[derive(Default)]
pub(crate) struct FanOut {
    fans: Window,
    examples: Examples,
}

impl FanOut {
    pub(crate) fn see(&mut self, member: &mut Member, seen: &Observation) -> Option<Hit> {
        if seen.endpoint != Endpoint::Text || seen.purpose.is_some() {
            return None;
        }
        if member.spread(seen, SPAN_MS) < MODELS {
            return None;
        }
        member.gather();
        if self.fans.at(seen.at_ms, DAY_MS).count == 0 {
            self.examples.clear();
        }
        self.examples.note(seen.request);
        // The prompt went to so many models, at about this price each.
        let fans = self.fans.add(seen.at_ms, DAY_MS, seen.tokens().saturating_mul(MODELS as u64));
        if u64::from(fans.count) < FANS {
            return None;
        }
        Some(Hit {
            from_ms: fans.from_ms,
            requests: self.examples.to_vec(),
            count: fans.count.saturating_mul(MODELS as u32),
            tokens: fans.tokens,
            score_permille: score(fans.count.into(), FANS),
            explanation: format!(
                "Within a day {} prompts were each sent to {MODELS} models or more within two minutes. Most questions need one answer: choose \
                 a model, and ask another one if the answer is not good enough. If you compare models, say so in the header \
                 `x-stipend-purpose`.",
                fans.count
            ),
        })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.examples.bytes()
    }
}
