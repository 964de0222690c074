//! One key used from many places at once.

use super::{DAY_MS, MINUTE_MS};
use crate::{
    finding::{score, Examples, Hit},
    observation::{Observation, Origin},
    window::Window,
};

/// Time in which origins count as at once.
const AT_ONCE_MS: u64 = 10 * MINUTE_MS;

/// Networks and programs at once. One person has an office, a phone and a tunnel; a build farm has many networks, and one or two programs.
const NETWORKS: u64 = 4;
const AGENTS: u64 = 3;

/// Networks at once that are too many for one key, whatever the program.
const NETWORKS_ANY: u64 = 12;

/// Times in a day, ten minutes apart, before anybody is told: a journey can look like it once.
const TIMES: u64 = 3;

/// Origins that are remembered at a time. More than the bounds above is enough.
const ORIGINS_MAX: usize = 16;

/// Where a key's requests came from lately.
#[derive(Default)]
pub(crate) struct SharedKey {
    origins: Vec<(Origin, u64)>,
    times: Window,
    last_time_ms: u64,
    examples: Examples,
    /// When somebody was last told.
    pub(crate) told_ms: Option<u64>,
}

impl SharedKey {
    pub(crate) fn see(&mut self, seen: &Observation) -> Option<Hit> {
        self.note(seen);
        if (self.origins.len() as u64) < NETWORKS {
            return None;
        }
        let networks = distinct(self.origins.iter().map(|(origin, _)| origin.network));
        let agents = distinct(self.origins.iter().map(|(origin, _)| origin.agent));
        if (networks < NETWORKS || agents < AGENTS) && networks < NETWORKS_ANY {
            return None;
        }
        if self.last_time_ms > 0 && seen.at_ms.saturating_sub(self.last_time_ms) < AT_ONCE_MS {
            return None;
        }
        self.last_time_ms = seen.at_ms;
        if self.times.at(seen.at_ms, DAY_MS).count == 0 {
            self.examples.clear();
        }
        self.examples.note(seen.request);
        let times = self.times.add(seen.at_ms, DAY_MS, seen.tokens());
        if u64::from(times.count) < TIMES {
            return None;
        }
        Some(Hit {
            from_ms: times.from_ms,
            requests: self.examples.to_vec(),
            count: times.count,
            tokens: times.tokens,
            score_permille: score(times.count.into(), TIMES),
            explanation: format!(
                "{} times within a day this API key was used from several places within ten minutes, the last time from {networks} networks \
                 by {agents} programs. Either it is shared, or somebody has taken it. Ask its owner; if in doubt revoke it, and let everybody \
                 who needs one have a key of their own.",
                times.count
            ),
        })
    }

    fn note(&mut self, seen: &Observation) {
        self.origins.retain(|(origin, at_ms)| {
            *origin != seen.origin && seen.at_ms.saturating_sub(*at_ms) <= AT_ONCE_MS
        });
        if self.origins.len() == ORIGINS_MAX {
            self.origins.remove(0);
        }
        self.origins.push((seen.origin, seen.at_ms));
    }

    pub(crate) fn bytes(&self) -> usize {
        self.origins.capacity() * size_of::<(Origin, u64)>() + self.examples.bytes()
    }

    pub(crate) const BYTES_MAX: usize = ORIGINS_MAX * size_of::<(Origin, u64)>() + Examples::BYTES_MAX;
}

/// How many different numbers there are.
fn distinct(numbers: impl Iterator<Item = u64>) -> u64 {
    let mut numbers: Vec<u64> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len() as u64
}
