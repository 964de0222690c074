//! Much more than usual just before credits expire: use it or lose it.

use super::DAY_MS;
use crate::{
    finding::{score, Examples, Hit},
    observation::Observation,
};

/// Time before the credits' end in which a burst is one.
const LATE_MS: u64 = 2 * DAY_MS;

/// Days that are looked back at.
const DAYS: usize = 28;

/// Days with requests that have to be there: of whoever worked on fewer nobody knows what is usual.
const ACTIVE_MIN: usize = 6;

/// How many times the middle one of those days. The end of a month brings two to four times as much where it brings work.
const TIMES: u64 = 6;

/// Tokens of the day.
const TOKENS: u64 = 200_000;

#[derive(Clone, Copy, Default)]
struct Day {
    /// Days since 1970.
    number: u64,
    tokens: u64,
    count: u32,
}

/// The days of a wallet.
#[derive(Default)]
pub(crate) struct Burst {
    days: Vec<Day>,
    examples: Examples,
}

impl Burst {
    pub(crate) fn see(&mut self, seen: &Observation) -> Option<Hit> {
        let number = seen.at_ms / DAY_MS;
        let is_late = seen.period_ends_ms.is_some_and(|end| end >= seen.at_ms && end - seen.at_ms <= LATE_MS);
        let today = self.day(number);
        today.tokens = today.tokens.saturating_add(seen.tokens());
        today.count = today.count.saturating_add(1);
        let today = *today;
        if !is_late {
            self.examples.clear();
            return None;
        }
        self.examples.note(seen.request);
        if seen.purpose.is_some() || today.tokens < TOKENS {
            return None;
        }
        let usual = self.usual(seen.period_ends_ms?)?;
        let bound = usual.saturating_mul(TIMES);
        if today.tokens < bound {
            return None;
        }
        Some(Hit {
            from_ms: number * DAY_MS,
            requests: self.examples.to_vec(),
            count: today.count,
            tokens: today.tokens,
            score_permille: score(today.tokens, bound),
            explanation: format!(
                "Credits of this wallet expire within two days, and today {} tokens were used, {} times as many as on a usual day. Unused \
                 credits are no loss to anybody. If it is work that had to wait, say what for in the header \
                 `x-stipend-purpose`; if credits expire too early for your work, tell those who grant them.",
                today.tokens,
                today.tokens / usual.max(1)
            ),
        })
    }

    fn day(&mut self, number: u64) -> &mut Day {
        if let Some(at) = self.days.iter().position(|day| day.number == number) {
            return &mut self.days[at];
        }
        if self.days.len() == DAYS {
            let oldest = (0..DAYS).min_by_key(|at| self.days[*at].number).unwrap_or_default();
            self.days.swap_remove(oldest);
        }
        self.days.push(Day { number, ..Day::default() });
        self.days.last_mut().expect("it was pushed in the line above; qed")
    }

    /// Tokens of the middle one of the active days before the last two; `None` where there are too few.
    fn usual(&self, end_ms: u64) -> Option<u64> {
        let late = (end_ms - end_ms.min(LATE_MS)) / DAY_MS;
        let first = late.saturating_sub(DAYS as u64);
        let mut before =
            self.days.iter().filter(|day| (first..late).contains(&day.number)).collect::<Vec<_>>();
        before.sort_unstable_by_key(|day| day.tokens);
        (before.len() >= ACTIVE_MIN).then(|| before[before.len() / 2].tokens)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.days.capacity() * size_of::<Day>() + self.examples.bytes()
    }

    pub(crate) const BYTES_MAX: usize = DAYS.next_power_of_two() * size_of::<Day>() + Examples::BYTES_MAX;
}
