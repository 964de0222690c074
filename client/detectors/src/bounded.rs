//! A map of bounded size that forgets what was not used for longest, nearly.
//!
//! Exact recency would cost a list; a bit and a hand that goes round (the "second chance" of page replacement) does as well here. No
//! answer depends on the order in which a hash map walks, so the same observations always give the same findings.

use std::{collections::HashMap, hash::Hash};

struct Slot<K, V> {
    key: K,
    value: V,
    was_used: bool,
}

/// At most so many entries.
pub(crate) struct Bounded<K, V> {
    places: HashMap<K, usize>,
    slots: Vec<Slot<K, V>>,
    hand: usize,
    max: usize,
}

impl<K: Copy + Eq + Hash, V> Bounded<K, V> {
    pub(crate) fn new(max: usize) -> Self {
        Bounded { places: HashMap::new(), slots: Vec::new(), hand: 0, max: max.max(1) }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.slots.iter().map(|slot| &slot.value)
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        Some(&self.slots[*self.places.get(key)?].value)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let slot = &mut self.slots[*self.places.get(key)?];
        slot.was_used = true;
        Some(&mut slot.value)
    }

    /// The entry, made first if there is none.
    pub(crate) fn entry(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        let place = match self.places.get(&key) {
            Some(place) => {
                self.slots[*place].was_used = true;
                *place
            }
            None => self.insert(key, make()),
        };
        &mut self.slots[place].value
    }

    /// Bytes that it takes now, what its values point to aside.
    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot<K, V>>() + Self::table_bytes(self.places.capacity())
    }

    /// Bytes that it can take. Vectors grow by doubling, and a hash map that many keys have left doubles once more.
    pub(crate) fn bytes_max(max: usize) -> usize {
        let max = max.max(4);
        max.next_power_of_two() * size_of::<Slot<K, V>>() + 2 * Self::table_bytes(max)
    }

    /// A hash map's table is filled to seven eighths.
    fn table_bytes(capacity: usize) -> usize {
        (capacity * 8 / 7 + 1).next_power_of_two() * (size_of::<(K, usize)>() + 1)
    }

    fn insert(&mut self, key: K, value: V) -> usize {
        // A newcomer has to be used once more to outlive a round of the hand.
        let slot = Slot { key, value, was_used: false };
        let place = if self.slots.len() < self.max {
            self.slots.push(slot);
            self.slots.len() - 1
        } else {
            let place = self.victim();
            self.places.remove(&self.slots[place].key);
            self.slots[place] = slot;
            place
        };
        self.places.insert(key, place);
        place
    }

    /// The next slot that was not used since the hand last passed; at most one round.
    fn victim(&mut self) -> usize {
        loop {
            let place = self.hand;
            self.hand = (self.hand + 1) % self.slots.len();
            if !std::mem::take(&mut self.slots[place].was_used) {
                return place;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_holds_more_than_its_bound() {
        let mut map = Bounded::new(8);
        for n in 0..1_000u32 {
            *map.entry(n, || 0) += n;
            assert!(map.len() <= 8);
        }
    }

    #[test]
    fn what_is_used_again_and_again_stays() {
        let mut map = Bounded::new(8);
        for n in 0..1_000u32 {
            *map.entry(u32::MAX, || 0) += 1;
            map.entry(n, || 0);
        }
        assert_eq!(map.get(&u32::MAX), Some(&1_000));
    }

    #[test]
    fn what_was_forgotten_begins_anew() {
        let mut map = Bounded::new(2);
        for key in [1, 2, 3, 4] {
            map.entry(key, || key * 10);
        }
        assert_eq!(map.get(&1), None);
        assert_eq!(*map.entry(1, || 77), 77);
    }
}
