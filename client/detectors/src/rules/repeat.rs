//! The same prompt, or nearly, again and again in one wallet.

use crate::{
    finding::{score, Hit},
    groups::{Member, SPAN_MS},
    observation::Observation,
};

use super::lasting;

/// Equal prompts within four hours. A vote over samples of one prompt takes 5 to 20, a failing client retries less.
const SAME: u64 = 30;

/// Prompts within four hours that are equal but for a few words: more, because a short datum in a long template looks like that, too.
const NEAR: u64 = 48;

/// Tokens below which repetition is too cheap to speak of, such as a health check's.
const TOKENS: u64 = 10_000;

pub(crate) fn repeat(member: &mut Member, seen: &Observation) -> Option<Hit> {
    if seen.purpose.is_some() {
        return None;
    }
    let (same, near) = (member.same.at(seen.at_ms, SPAN_MS), member.near.at(seen.at_ms, SPAN_MS));
    let all = same.and(near);
    let (measured, bound) = match u64::from(same.count) >= SAME {
        true => (u64::from(same.count), SAME),
        false => (u64::from(all.count), NEAR),
    };
    if measured < bound || all.tokens < TOKENS {
        return None;
    }
    let how = if near.count == 0 { "the same prompt" } else { "the same prompt, give or take a few words," };
    Some(Hit {
        from_ms: all.from_ms,
        requests: member.examples.to_vec(),
        count: all.count,
        tokens: all.tokens,
        score_permille: score(measured, bound),
        explanation: format!(
            "In the last {} {how} was sent {} times; together they used {} tokens. If the answer is needed more than once, \
             keep it. If many answers to one prompt are what you need, say what for in the header `x-stipend-purpose`. If \
             a program runs on unattended, stop it.",
            lasting(all.from_ms, seen.at_ms),
            all.count,
            all.tokens
        ),
    })
}
