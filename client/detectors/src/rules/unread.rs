//! Answers that nobody fetched.

use super::{lasting, DAY_MS};
use crate::{
    finding::{score, Examples, Hit},
    observation::{Endpoint, Observation},
};

/// Answers that are looked back at.
const ANSWERS: usize = 64;

/// Answers of them that have to be there before a share means anything.
const ANSWERS_MIN: usize = 32;

/// Thousandths of an answer below which it counts as not fetched. Who presses "stop" has read some of it.
const READ_PERMILLE: u16 = 100;

/// Of the last answers, how many in a hundred were left.
const SHARE: u64 = 50;

/// Tokens of those.
const TOKENS: u64 = 40_000;

/// Answers that can be no longer than this do not count: editors ask for completions as one types, and leave most of them.
const TYPED_AHEAD_TOKENS_MAX: u32 = 256;

#[derive(Clone, Copy, Default)]
struct Left {
    at_ms: u64,
    /// Tokens of a request whose answer was not fetched; 0: it was.
    tokens: u64,
}

/// The last answers of a wallet.
#[derive(Default)]
pub(crate) struct Unread {
    answers: Vec<Left>,
    next: usize,
    last_ms: u64,
    examples: Examples,
}

impl Unread {
    pub(crate) fn see(&mut self, seen: &Observation) -> Option<Hit> {
        if seen.endpoint != Endpoint::Text || seen.max_tokens <= TYPED_AHEAD_TOKENS_MAX {
            return None;
        }
        if seen.at_ms.saturating_sub(self.last_ms) > DAY_MS {
            self.answers.clear();
            self.examples.clear();
            self.next = 0;
        }
        self.last_ms = self.last_ms.max(seen.at_ms);
        let is_left = seen.fetched_permille < READ_PERMILLE;
        let tokens = if is_left { seen.tokens().max(1) } else { 0 };
        let left = Left { at_ms: seen.at_ms, tokens };
        match self.answers.get_mut(self.next) {
            Some(place) => *place = left,
            None => self.answers.push(left),
        }
        self.next = (self.next + 1) % ANSWERS;
        if !is_left {
            return None;
        }
        self.examples.note(seen.request);
        self.judge(seen)
    }

    fn judge(&self, seen: &Observation) -> Option<Hit> {
        let left = || self.answers.iter().filter(|answer| answer.tokens > 0);
        let (all, count) = (self.answers.len() as u64, left().count() as u64);
        let tokens: u64 = left().map(|answer| answer.tokens).sum();
        let percent = count * 100 / all.max(1);
        if self.answers.len() < ANSWERS_MIN || percent < SHARE || tokens < TOKENS {
            return None;
        }
        let from_ms = left().map(|answer| answer.at_ms).min().unwrap_or(seen.at_ms);
        Some(Hit {
            from_ms,
            requests: self.examples.to_vec(),
            count: count as u32,
            tokens,
            score_permille: score(percent, SHARE),
            explanation: format!(
                "Of the last {all} answers, {count} were not fetched: within {} the caller left before a tenth of them had come, and {tokens} \
                 tokens were paid for nothing. Perhaps a client's time limit is too short; raise it, or read the answers as streams. \
                 If a program only asks, stop it.",
                lasting(from_ms, seen.at_ms)
            ),
        })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.answers.capacity() * size_of::<Left>() + self.examples.bytes()
    }

    pub(crate) const BYTES_MAX: usize = ANSWERS * size_of::<Left>() + Examples::BYTES_MAX;
}
