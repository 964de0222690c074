//! An agent that makes the same tool calls over and over.

use super::{lasting, HOUR_MS};
use crate::{
    finding::{score, Examples, Hit},
    observation::Observation,
};

/// Turns of a conversation that are looked back at.
const TURNS: usize = 24;

/// The most frequent calls that are counted: an agent in a loop goes round through one to three of them.
const CALLS: usize = 3;

/// Turns of all that those calls make up. Who edits, tests and compares has as many edits, each another one, and stays at two thirds.
const SHARE: u64 = 19;

/// Tokens of those turns, below which a loop is too cheap to speak of.
const TOKENS: u64 = 20_000;

/// A conversation that was quiet for so long has ended.
const PAUSE_MS: u64 = 2 * HOUR_MS;

/// Conversations with tools that one wallet can have at a time before the quietest is forgotten.
const CONVERSATIONS_MAX: usize = 8;

struct Conversation {
    opening: u64,
    last_ms: u64,
    turns: [Turn; TURNS],
    len: usize,
    next: usize,
    examples: Examples,
}

#[derive(Clone, Copy, Default)]
struct Turn {
    calls: u64,
    at_ms: u64,
    tokens: u64,
}

/// The conversations with tools of a wallet.
#[derive(Default)]
pub(crate) struct Loops(Vec<Conversation>);

impl Loops {
    pub(crate) fn see(&mut self, seen: &Observation) -> Option<Hit> {
        let calls = seen.tool_calls?;
        let conversation = self.conversation(seen);
        conversation.last_ms = conversation.last_ms.max(seen.at_ms);
        conversation.note(Turn { calls, at_ms: seen.at_ms, tokens: seen.tokens() });
        conversation.examples.note(seen.request);
        if conversation.len < TURNS {
            return None;
        }
        let looping = conversation.most_frequent();
        let turns = &conversation.turns;
        let tokens: u64 = turns.iter().map(|turn| turn.tokens).sum();
        if looping < SHARE || tokens < TOKENS {
            return None;
        }
        let from_ms = turns.iter().map(|turn| turn.at_ms).min().unwrap_or(seen.at_ms);
        Some(Hit {
            from_ms,
            requests: conversation.examples.to_vec(),
            count: TURNS as u32,
            tokens,
            score_permille: score(looping - SHARE / 2, SHARE - SHARE / 2),
            explanation: format!(
                "Of an agent's last {TURNS} turns in one conversation, within {}, {looping} made the same one to {CALLS} tool calls with the same \
                 arguments. It is probably stuck: stop it, look at the tool's last answers, and give it a limit on turns. Where it \
                 waits for something, let a program wait instead.",
                lasting(from_ms, seen.at_ms)
            ),
        })
    }

    fn conversation(&mut self, seen: &Observation) -> &mut Conversation {
        let opening = seen.prompt.opening;
        let known = self.0.iter().position(|known| known.opening == opening);
        let at = known.unwrap_or_else(|| {
            let new = Conversation {
                opening,
                last_ms: seen.at_ms,
                turns: [Turn::default(); TURNS],
                len: 0,
                next: 0,
                examples: Examples::default(),
            };
            if self.0.len() < CONVERSATIONS_MAX {
                self.0.push(new);
                return self.0.len() - 1;
            }
            let oldest = (0..self.0.len()).min_by_key(|at| self.0[*at].last_ms).unwrap_or_default();
            self.0[oldest] = new;
            oldest
        });
        let conversation = &mut self.0[at];
        if seen.at_ms.saturating_sub(conversation.last_ms) > PAUSE_MS {
            conversation.len = 0;
            conversation.examples.clear();
        }
        conversation
    }

    pub(crate) fn bytes(&self) -> usize {
        let examples = self.0.iter().map(|conversation| conversation.examples.bytes()).sum::<usize>();
        self.0.capacity() * size_of::<Conversation>() + examples
    }

    pub(crate) const BYTES_MAX: usize = CONVERSATIONS_MAX * (size_of::<Conversation>() + Examples::BYTES_MAX);
}

impl Conversation {
    fn note(&mut self, turn: Turn) {
        if self.len == 0 {
            self.next = 0;
        }
        self.turns[self.next] = turn;
        self.next = (self.next + 1) % TURNS;
        self.len = (self.len + 1).min(TURNS);
    }

    /// Turns that the most frequent calls make up.
    fn most_frequent(&self) -> u64 {
        let mut calls = self.turns.map(|turn| turn.calls);
        calls.sort_unstable();
        let mut runs =
            calls.chunk_by(|one, next| one == next).map(|run| run.len() as u64).collect::<Vec<_>>();
        runs.sort_unstable();
        runs.iter().rev().take(CALLS).sum()
    }
}
