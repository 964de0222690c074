//! The same prompt, or nearly, again and again in several wallets: a script that goes round.

use crate::{
    finding::{score, Hit},
    groups::{Group, SPAN_MS},
    observation::Observation,
    window::Tally,
};

use super::lasting;

/// Wallets that each repeat it. A class that works through one tutorial has more, but nobody in it repeats a step often.
const WALLETS: u64 = 4;

/// Times within four hours that each of them sends it.
const EACH: u32 = 6;

/// Tokens of all of them, below which it is too cheap to speak of: shared smoke tests are short.
const TOKENS: u64 = 30_000;

pub(crate) fn copied(group: &mut Group, at: usize, seen: &Observation) -> Option<Hit> {
    if seen.purpose.is_some() {
        return None;
    }
    let (mut wallets, mut all) = (0u64, Tally::default());
    let mut is_one = false;
    for (place, member) in group.members().iter_mut().enumerate() {
        let sum = member.same.at(seen.at_ms, SPAN_MS).and(member.near.at(seen.at_ms, SPAN_MS));
        if sum.count >= EACH {
            wallets += 1;
            all = all.and(sum);
            is_one |= place == at;
        }
    }
    if !is_one || wallets < WALLETS || all.tokens < TOKENS {
        return None;
    }
    Some(Hit {
        from_ms: all.from_ms,
        requests: group.members()[at].examples.to_vec(),
        count: all.count,
        tokens: all.tokens,
        score_permille: score(wallets, WALLETS),
        explanation: format!(
            "In the last {} this wallet and at least {} others each sent the same prompt, give or take a few words, {EACH} times or \
             more. If it is a script that colleagues share, run it once and share its answers; if it is work that has to be \
             done apart, say what for in the header `x-stipend-purpose`.",
            lasting(all.from_ms, seen.at_ms),
            wallets - 1
        ),
    })
}
