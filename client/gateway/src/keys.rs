//! API keys by their full hash, in memory.
//!
//! Reads take no lock: the table is split into shards that are replaced as a whole. Only the task
//! that follows the chain writes.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use stipend_primitives::{key::KeyLimits, AccountId, KeyHash, ModelId, Moment};

use crate::{
    caps::{Amounts, CapHold, CapReached, Caps, Use},
    rate::RateWindow,
    wallet::Wallet,
};

/// Shards of the table: a changed key copies a 256th of all keys.
const SHARDS: usize = 256;

/// A key that the chain knows.
pub(crate) struct Key {
    pub(crate) hash: KeyHash,
    pub(crate) wallet: Arc<Wallet>,
    pub(crate) limits: KeyLimits,
    pub(crate) caps: Caps,
    /// Outlives a change of the limits, as does `used`.
    pub(crate) rate: Arc<RateWindow>,
    pub(crate) used: Arc<Use>,
}

impl Key {
    pub(crate) fn new(hash: KeyHash, wallet: Arc<Wallet>, limits: KeyLimits, known: Known) -> Self {
        let Known { rate, used } = known;
        Key { hash, wallet, caps: Caps::of(&limits), limits, rate, used }
    }

    /// What one request can use is held against the caps; `None` if there are none.
    pub(crate) fn hold(
        &self,
        model: ModelId,
        most: Amounts,
        now_ms: Moment,
    ) -> Result<Option<CapHold>, CapReached> {
        match self.caps.is_none() {
            true => Ok(None),
            false => self.used.hold(&self.caps, model, most, now_ms).map(Some),
        }
    }

    pub(crate) fn owner(&self) -> &AccountId {
        &self.wallet.owner
    }

    pub(crate) fn is_expired(&self, now_ms: Moment) -> bool {
        self.limits.expires_at.is_some_and(|expires_at| now_ms >= expires_at)
    }

    pub(crate) fn may_use(&self, model: ModelId) -> bool {
        self.limits.models.is_empty() || self.limits.models.contains(&model)
    }
}

/// The first bytes of a hash are as good a hash as any.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        let mut first = [0; 8];
        let len = bytes.len().min(8);
        first[..len].copy_from_slice(&bytes[..len]);
        self.0 ^= u64::from_le_bytes(first);
    }
}

type Shard = HashMap<KeyHash, Arc<Key>, BuildHasherDefault<FirstBytes>>;

/// What was counted of a key so far.
#[derive(Clone, Default)]
pub(crate) struct Known {
    pub(crate) rate: Arc<RateWindow>,
    pub(crate) used: Arc<Use>,
}

/// All keys that the chain knows.
pub(crate) struct KeyTable {
    shards: Vec<ArcSwap<Shard>>,
    /// What keys have used today by the log, until the chain names them.
    restored: Mutex<HashMap<KeyHash, Arc<Use>>>,
}

impl Default for KeyTable {
    fn default() -> Self {
        KeyTable { shards: (0..SHARDS).map(|_| ArcSwap::default()).collect(), restored: Mutex::default() }
    }
}

impl KeyTable {
    /// The key with this hash, all 32 bytes of it.
    pub(crate) fn get(&self, hash: &KeyHash) -> Option<Arc<Key>> {
        self.shard(hash).load().get(hash).cloned()
    }

    /// Takes in what keys have used by the log of an earlier run.
    pub(crate) fn restore(&self, used: HashMap<KeyHash, Arc<Use>>) {
        *self.restored.lock() = used;
    }

    /// What was counted of a key so far, here or in an earlier run.
    pub(crate) fn known(&self, hash: &KeyHash) -> Known {
        match self.get(hash) {
            Some(key) => Known { rate: key.rate.clone(), used: key.used.clone() },
            None => {
                Known { used: self.restored.lock().remove(hash).unwrap_or_default(), rate: Arc::default() }
            }
        }
    }

    /// Puts keys in or replaces them.
    pub(crate) fn insert(&self, keys: impl IntoIterator<Item = (KeyHash, Arc<Key>)>) {
        let mut changes: HashMap<usize, Vec<(KeyHash, Arc<Key>)>> = HashMap::new();
        for (hash, key) in keys {
            changes.entry(shard_index(&hash)).or_default().push((hash, key));
        }
        for (index, keys) in changes {
            let mut shard = self.shards[index].load().as_ref().clone();
            shard.extend(keys);
            self.shards[index].store(Arc::new(shard));
        }
    }

    /// Takes keys out.
    pub(crate) fn retain(&self, mut keep: impl FnMut(&KeyHash, &Key) -> bool) {
        for shard in &self.shards {
            let current = shard.load();
            if current.iter().all(|(hash, key)| keep(hash, key)) {
                continue;
            }
            let kept =
                current.iter().filter(|(hash, key)| keep(hash, key)).map(|(hash, key)| (*hash, key.clone()));
            shard.store(Arc::new(kept.collect()));
        }
    }

    /// Takes one key out.
    pub(crate) fn remove(&self, hash: &KeyHash) {
        let shard = self.shard(hash);
        let current = shard.load();
        if current.contains_key(hash) {
            let mut changed = current.as_ref().clone();
            changed.remove(hash);
            shard.store(Arc::new(changed));
        }
    }

    /// Whether there is such a key.
    pub(crate) fn any(&self, is_it: impl Fn(&Key) -> bool) -> bool {
        self.shards.iter().any(|shard| shard.load().values().any(|key| is_it(key)))
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.load().len()).sum()
    }

    fn shard(&self, hash: &KeyHash) -> &ArcSwap<Shard> {
        &self.shards[shard_index(hash)]
    }
}

/// By the last byte: the first ones choose the place inside the shard.
fn shard_index(hash: &KeyHash) -> usize {
    usize::from(hash.0[31]) % SHARDS
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn key(owner: u8) -> Arc<Key> {
        let wallet = Arc::new(Wallet::new(AccountId::new([owner; 32])));
        Arc::new(Key::new(KeyHash::zero(), wallet, KeyLimits::default(), Known::default()))
    }

    #[test]
    fn a_key_is_found_by_its_whole_hash_only() {
        let table = KeyTable::default();
        let hash = KeyHash::from([9; 32]);
        table.insert([(hash, key(1))]);
        assert_eq!(table.get(&hash).unwrap().owner(), &AccountId::new([1; 32]));
        for byte in 0..32 {
            let mut other = hash;
            other.0[byte] ^= 1;
            assert!(table.get(&other).is_none(), "byte {byte} was not compared");
        }
    }

    #[test]
    fn keys_are_replaced_and_removed() {
        let table = KeyTable::default();
        let hashes: Vec<KeyHash> =
            (0..1_000u32).map(|n| stipend_primitives::key::hash(&n.to_string())).collect();
        table.insert(hashes.iter().map(|hash| (*hash, key(1))));
        table.insert([(hashes[5], key(2))]);
        assert_eq!(table.len(), 1_000);
        assert_eq!(table.get(&hashes[5]).unwrap().owner(), &AccountId::new([2; 32]));
        table.remove(&hashes[6]);
        assert!(table.get(&hashes[6]).is_none());
        table.retain(|_, key| key.owner() == &AccountId::new([2; 32]));
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn a_key_expires_at_its_moment() {
        let mut limits = KeyLimits { expires_at: Some(1_000), ..KeyLimits::default() };
        limits.models.try_push(ModelId(3)).unwrap();
        let wallet = Arc::new(Wallet::new(AccountId::new([1; 32])));
        let key = Key::new(KeyHash::zero(), wallet, limits, Known::default());
        assert!(!key.is_expired(999) && key.is_expired(1_000));
        assert!(key.may_use(ModelId(3)) && !key.may_use(ModelId(4)));
    }
}
