//! The order of those who wait at one upstream.
//!
//! The highest fee goes first. Among equal fees the wallets take turns, so that a wallet with a thousand requests holds
//! nobody else's single one up. Of one wallet the oldest goes first. Whoever has waited for longer than the ageing time
//! is not passed over for ever: while there are such, every [`OLD_EVERY`]th place goes to the oldest of all, whatever it
//! offers. Every step costs the logarithm of the number that wait.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use stipend_primitives::AccountId;

/// Of so many places one goes to the oldest, if it has waited for the ageing time. So whoever has, with `n` before it
/// who came earlier, begins after at most `OLD_EVERY * (n + 1)` further places, and fees still decide on three of four.
pub(crate) const OLD_EVERY: u32 = 4;

/// Where one of those who wait stands: the smallest is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    fee: Reverse<u32>,
    /// The how manieth turn of its wallet among those with this fee.
    turn: u64,
    arrival: u64,
}

struct Entry<T> {
    wallet: AccountId,
    since: Instant,
    value: T,
}

/// Those who offer one fee.
#[derive(Default)]
struct Level {
    /// The turn of the one who went last.
    turn: u64,
    wallets: HashMap<AccountId, Turns>,
}

/// One wallet among those who offer one fee.
struct Turns {
    last: u64,
    waiting: usize,
}

/// Those who wait.
pub(super) struct Line<T> {
    entries: BTreeMap<Rank, Entry<T>>,
    by_age: BTreeMap<u64, Rank>,
    levels: HashMap<u32, Level>,
    ageing: Duration,
    arrivals: u64,
    /// Places given since the oldest had one.
    since_oldest: u32,
}

impl<T> Line<T> {
    pub(super) fn new(ageing: Duration) -> Self {
        Line {
            entries: BTreeMap::new(),
            by_age: BTreeMap::new(),
            levels: HashMap::new(),
            ageing,
            arrivals: 0,
            since_oldest: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Puts somebody in.
    pub(super) fn push(&mut self, fee: u32, wallet: &AccountId, value: T, now: Instant) -> Rank {
        let level = self.levels.entry(fee).or_default();
        let turns = level.wallets.entry(wallet.clone()).or_insert(Turns { last: 0, waiting: 0 });
        turns.last = turns.last.max(level.turn) + 1;
        turns.waiting += 1;
        self.arrivals += 1;
        let rank = Rank { fee: Reverse(fee), turn: turns.last, arrival: self.arrivals };
        self.by_age.insert(rank.arrival, rank);
        self.entries.insert(rank, Entry { wallet: wallet.clone(), since: now, value });
        rank
    }

    /// Takes out who is next.
    pub(super) fn pop(&mut self, now: Instant) -> Option<T> {
        let oldest = *self.by_age.first_key_value()?.1;
        let first = *self.entries.first_key_value()?.0;
        let is_old = |entry: &Entry<T>| now.saturating_duration_since(entry.since) >= self.ageing;
        let is_due = self.since_oldest + 1 >= OLD_EVERY && self.entries.get(&oldest).is_some_and(is_old);
        let next = if is_due { oldest } else { first };
        self.since_oldest = if next == oldest { 0 } else { self.since_oldest.saturating_add(1) };
        if let Some(level) = self.levels.get_mut(&next.fee.0) {
            level.turn = level.turn.max(next.turn);
        }
        self.remove(next)
    }

    /// Takes somebody out who waits no longer.
    pub(super) fn remove(&mut self, rank: Rank) -> Option<T> {
        let entry = self.entries.remove(&rank)?;
        self.by_age.remove(&rank.arrival);
        if let Some(level) = self.levels.get_mut(&rank.fee.0) {
            if let Some(turns) = level.wallets.get_mut(&entry.wallet) {
                turns.waiting -= 1;
                if turns.waiting == 0 {
                    level.wallets.remove(&entry.wallet);
                }
            }
            if level.wallets.is_empty() {
                self.levels.remove(&rank.fee.0);
            }
        }
        Some(entry.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wallet(number: u8) -> AccountId {
        AccountId::new([number; 32])
    }

    fn line() -> (Line<u32>, Instant) {
        (Line::new(Duration::from_secs(5)), Instant::now())
    }

    #[test]
    fn a_wallet_with_a_thousand_waiting_holds_nobody_elses_single_one_up() {
        let (mut line, now) = line();
        for number in 0..1_000 {
            line.push(0, &wallet(1), number, now);
        }
        for _ in 0..10 {
            line.pop(now);
        }
        line.push(0, &wallet(2), 5_000, now);
        line.push(0, &wallet(3), 5_001, now);
        let next: Vec<u32> = (0..3).filter_map(|_| line.pop(now)).collect();
        assert_eq!(next, [10, 5_000, 5_001]);
    }

    #[test]
    fn wallets_take_turns_however_late_they_come() {
        let (mut line, now) = line();
        for number in 0..100 {
            line.push(7, &wallet(1), number, now);
        }
        for _ in 0..50 {
            line.pop(now);
        }
        for number in 0..100 {
            line.push(7, &wallet(2), 1_000 + number, now);
        }
        let next: Vec<u32> = (0..20).filter_map(|_| line.pop(now)).collect();
        assert_eq!(next.iter().filter(|number| **number >= 1_000).count(), 10, "{next:?}");
    }

    #[test]
    fn who_has_waited_for_the_ageing_time_begins_within_the_bound_whatever_others_offer() {
        let (mut line, began) = line();
        for elder in 0..3 {
            line.push(0, &wallet(1), elder, began);
        }
        line.push(0, &wallet(1), 99, began);
        let later = began + Duration::from_secs(5);
        let mut places = 0;
        loop {
            // Somebody who pays comes for every place that is given.
            line.push(1_000, &wallet(2), 500, later);
            places += 1;
            if line.pop(later) == Some(99) {
                break;
            }
        }
        assert!(places <= OLD_EVERY * 4, "{places} places");
        assert!(places > 4, "fees had no say");
    }

    #[test]
    fn before_the_ageing_time_only_fees_count() {
        let (mut line, began) = line();
        line.push(0, &wallet(1), 0, began);
        for _ in 0..100 {
            line.push(1, &wallet(2), 1, began);
            assert_eq!(line.pop(began + Duration::from_millis(4_999)), Some(1));
        }
    }

    proptest! {
        /// However they come, leave and go: everybody goes once or leaves, a lower fee never before a higher one
        /// while nobody is old, and nothing is kept of those who are gone.
        #[test]
        fn nobody_is_lost_or_served_twice(
            steps in proptest::collection::vec((0..4u8, 0..3u32, 0..4u8), 1..200),
        ) {
            let (mut line, now) = line();
            let mut inside: HashMap<u32, (u32, Rank)> = HashMap::new();
            for (number, (act, fee, owner)) in (0u32..).zip(steps) {
                match act {
                    0 | 1 => {
                        let rank = line.push(fee, &wallet(owner), number, now);
                        inside.insert(number, (fee, rank));
                    }
                    2 => {
                        let next = line.pop(now);
                        prop_assert_eq!(next.is_none(), inside.is_empty());
                        if let Some((fee, _)) = next.and_then(|next| inside.remove(&next)) {
                            prop_assert!(inside.values().all(|(other, _)| *other <= fee));
                        }
                    }
                    _ => {
                        if let Some(number) = inside.keys().next().copied() {
                            let gone = inside.remove(&number).and_then(|(_, rank)| line.remove(rank));
                            prop_assert_eq!(gone, Some(number));
                        }
                    }
                }
                prop_assert_eq!(line.len(), inside.len());
                prop_assert_eq!(line.by_age.len(), inside.len());
                let waiting: usize =
                    line.levels.values().flat_map(|level| level.wallets.values()).map(|turns| turns.waiting).sum();
                prop_assert_eq!(waiting, inside.len());
            }
        }
    }
}
