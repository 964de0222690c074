//! A model or a body of text taken out piece by piece.

use super::{lasting, DAY_MS};
use crate::{
    finding::{score, Examples, Hit},
    observation::{Endpoint, Finish, Observation},
    window::Window,
};

/// Answers of a day that ended at the most they could have, each to a new prompt.
const CAPPED: u64 = 150;

/// Of a hundred answers, how many ended so. Work that is done well is seldom cut off.
const CAPPED_SHARE: u64 = 70;

/// Tokens that an answer could have at least for its end to count: short ones are cut off on purpose.
const CAPPED_TOKENS_MIN: u32 = 512;

/// New texts of a day that were turned into vectors, and their tokens. An index of somebody's own notes is smaller.
const EMBEDDED: u64 = 300;
const EMBEDDED_TOKENS: u64 = 500_000;

/// A purpose raises all counts, and does not lift them: whoever took a key can name one, too.
const WITH_PURPOSE: u64 = 10;

/// What a wallet took out lately.
#[derive(Default)]
pub(crate) struct Extraction {
    capped: Window,
    answers: Window,
    embedded: Window,
    examples: Examples,
}

impl Extraction {
    /// `is_new`: whether the same prompt did not come before.
    pub(crate) fn see(&mut self, seen: &Observation, is_new: bool) -> Option<Hit> {
        let times = if seen.purpose.is_some() { WITH_PURPOSE } else { 1 };
        match seen.endpoint {
            Endpoint::Text => self.swept(seen, is_new, times),
            Endpoint::Embeddings => self.indexed(seen, is_new, times),
            Endpoint::Other => None,
        }
    }

    fn swept(&mut self, seen: &Observation, is_new: bool, times: u64) -> Option<Hit> {
        let answers = self.answers.add(seen.at_ms, DAY_MS, seen.tokens());
        let is_capped = seen.finish == Finish::Length && seen.max_tokens >= CAPPED_TOKENS_MIN;
        if !is_capped || !is_new {
            return None;
        }
        self.note(seen);
        let capped = self.capped.add(seen.at_ms, DAY_MS, seen.tokens());
        let (count, bound) = (u64::from(capped.count), CAPPED * times);
        if count < bound || count * 100 < u64::from(answers.count) * CAPPED_SHARE {
            return None;
        }
        Some(Hit {
            from_ms: capped.from_ms,
            requests: self.examples.to_vec(),
            count: capped.count,
            tokens: capped.tokens,
            score_permille: score(count, bound),
            explanation: format!(
                "Within {} this wallet sent {count} different prompts whose answers all ran to the most tokens they could have, {} in a hundred of \
                 its answers. Sweeps like that copy what a model knows. Ask the key's owner what they are for.",
                lasting(capped.from_ms, seen.at_ms),
                count * 100 / u64::from(answers.count).max(1)
            ),
        })
    }

    fn indexed(&mut self, seen: &Observation, is_new: bool, times: u64) -> Option<Hit> {
        if !is_new {
            return None;
        }
        self.note(seen);
        let embedded = self.embedded.add(seen.at_ms, DAY_MS, seen.tokens());
        let (count, bound) = (u64::from(embedded.count), EMBEDDED * times);
        if count < bound || embedded.tokens < EMBEDDED_TOKENS * times {
            return None;
        }
        Some(Hit {
            from_ms: embedded.from_ms,
            requests: self.examples.to_vec(),
            count: embedded.count,
            tokens: embedded.tokens,
            score_permille: score(count, bound),
            explanation: format!(
                "Within {} this wallet turned {} tokens of text that is new to the gateway into vectors, in {count} requests. An index of a whole body \
                 of documents is built like that, also by somebody who takes it along. Ask the key's owner what it is for; \
                 builds that are planned name a purpose in the header `x-stipend-purpose`.",
                lasting(embedded.from_ms, seen.at_ms),
                embedded.tokens
            ),
        })
    }

    fn note(&mut self, seen: &Observation) {
        let is_quiet =
            self.capped.at(seen.at_ms, DAY_MS).count == 0 && self.embedded.at(seen.at_ms, DAY_MS).count == 0;
        if is_quiet {
            self.examples.clear();
        }
        self.examples.note(seen.request);
    }

    pub(crate) fn bytes(&self) -> usize {
        self.examples.bytes()
    }
}
