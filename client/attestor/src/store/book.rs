//! What is known of one gateway.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use dashmap::{mapref::entry, DashMap, DashSet};
use parking_lot::RwLock;
use stipend_primitives::{
    attestation::Claim, cost::Usage, leaf::UsageLeaf, AccountId, Digest, ModelId, Moment, Sequence,
};

use super::types::{CannotBegin, Metered, Range, Resolved, Standing};
use crate::gpu::Share;

/// A gateway's requests and ranges.
pub(crate) struct Book {
    pub(crate) account: AccountId,
    /// Requests that are served or wait to be claimed.
    entries: DashMap<Digest, Entry>,
    /// Requests that stand in a range which is still known.
    claimed: DashSet<Digest>,
    ranges: RwLock<Ranges>,
    /// Held from looking at the ranges until a new one stands among them.
    pub(crate) claiming: tokio::sync::Mutex<()>,
}

/// A request that no range names yet.
enum Entry {
    /// It is being served. Its record will stand in the log at this position or later.
    InFlight { since: u64 },
    /// It was served.
    Metered(Metered),
}

#[derive(Default)]
struct Ranges {
    by_first: BTreeMap<Sequence, Arc<Range>>,
    leaves_count: usize,
    /// Ranges that begin before this are forgotten and refused.
    watermark: Sequence,
}

/// A request that is being served; dropping it lets its digest go.
pub(crate) struct Ticket {
    pub(crate) book: Arc<Book>,
    pub(crate) digest: Digest,
}

impl Book {
    pub(crate) fn new(account: AccountId) -> Self {
        Book {
            account,
            entries: DashMap::new(),
            claimed: DashSet::new(),
            ranges: RwLock::default(),
            claiming: tokio::sync::Mutex::new(()),
        }
    }

    /// Begins a request; `next_position` is where the log stands.
    pub(crate) fn begin(
        self: &Arc<Self>,
        digest: Digest,
        next_position: u64,
        unclaimed_max: usize,
    ) -> Result<Ticket, CannotBegin> {
        if self.claimed.contains(&digest) {
            return Err(CannotBegin::Repeated);
        }
        if self.entries.len() >= unclaimed_max {
            return Err(CannotBegin::Full);
        }
        match self.entries.entry(digest) {
            entry::Entry::Occupied(_) => Err(CannotBegin::Repeated),
            entry::Entry::Vacant(vacant) => {
                vacant.insert(Entry::InFlight { since: next_position });
                Ok(Ticket { book: self.clone(), digest })
            }
        }
    }

    /// Takes in a record of the log: one that was read back, or a ticket's.
    pub(crate) fn metered(&self, digest: Digest, metered: Metered) {
        // A record can stand behind its claim only if it was written again to let go of the log's beginning.
        if !self.claimed.contains(&digest) {
            self.entries.insert(digest, Entry::Metered(metered));
        }
    }

    /// The GPUs were read after a request's end.
    pub(crate) fn measured(&self, digest: &Digest, gpu: Share) {
        if let Some(Entry::Metered(metered)) = self.entries.get_mut(digest).as_deref_mut() {
            metered.gpu = gpu;
        }
    }

    /// A request's record stands in the log at another position now.
    pub(crate) fn moved(&self, digest: &Digest, position: u64) {
        if let Some(Entry::Metered(metered)) = self.entries.get_mut(digest).as_deref_mut() {
            metered.position = position;
        }
    }

    /// How a claim stands to what is known. Its caller holds [`Book::claiming`].
    pub(crate) fn standing(&self, claim: &Claim) -> Standing {
        let ranges = self.ranges.read();
        if let Some(range) = ranges.by_first.get(&claim.first_seq) {
            if range.is_of(claim) {
                return Standing::Same;
            }
            return Standing::Conflict("another claim for a range with this beginning was answered already");
        }
        if claim.first_seq < ranges.watermark {
            return Standing::Conflict("the range is older than what is kept: it was answered and forgotten");
        }
        let before = ranges.by_first.range(..claim.first_seq).next_back();
        let after = ranges.by_first.range(claim.first_seq..).next();
        let overlaps = before.is_some_and(|(_, range)| range.signed.attestation.last_seq >= claim.first_seq)
            || after.is_some_and(|(first, _)| *first <= claim.last_seq);
        if overlaps {
            return Standing::Conflict("the range overlaps one that was answered already");
        }
        Standing::New
    }

    /// What a new claim comes to. A request counts once, however often it is claimed.
    pub(crate) fn resolve(&self, claim: &Claim) -> Resolved {
        let mut seen = HashSet::with_capacity(claim.requests.len());
        let (mut unknown_count, mut gpu) = (0, Share::ZERO);
        let leaves = claim.requests.iter().map(|(seq, digest)| {
            let is_first = seen.insert(*digest) && !self.claimed.contains(digest);
            let entry = if is_first { self.entries.get(digest) } else { None };
            let (model, usage) = match entry.as_deref() {
                Some(Entry::Metered(metered)) => {
                    gpu += metered.gpu;
                    (metered.model, metered.usage)
                }
                _ => {
                    unknown_count += 1;
                    (ModelId::UNKNOWN, Usage::default())
                }
            };
            UsageLeaf { seq: *seq, model, usage, digest: *digest }
        });
        let leaves: Vec<UsageLeaf> = leaves.collect();
        if unknown_count == leaves.len() {
            gpu = Share::UNKNOWN;
        }
        Resolved { leaves, unknown_count, gpu }
    }

    /// Takes in a range that stands in the log.
    pub(crate) fn insert(&self, range: Range) {
        for leaf in range.leaves() {
            self.claimed.insert(leaf.digest);
            self.entries.remove_if(&leaf.digest, |_, entry| matches!(entry, Entry::Metered(_)));
        }
        let mut ranges = self.ranges.write();
        ranges.leaves_count += range.leaves().len();
        ranges.by_first.insert(range.signed.attestation.first_seq, Arc::new(range));
    }

    /// A range that was claimed exactly so.
    pub(crate) fn range(&self, first_seq: Sequence, last_seq: Sequence) -> Option<Arc<Range>> {
        let ranges = self.ranges.read();
        let range = ranges.by_first.get(&first_seq)?;
        (range.signed.attestation.last_seq == last_seq).then(|| range.clone())
    }

    /// Where the watermark must go so that no range is older than `oldest_ms` and no more than `leaves_max` leaves
    /// are kept, but for those of the newest `open_max` ranges; `None` if it can stay.
    pub(crate) fn next_watermark(
        &self,
        oldest_ms: Moment,
        leaves_max: usize,
        open_max: usize,
    ) -> Option<Sequence> {
        let ranges = self.ranges.read();
        let (mut leaves_count, mut count) = (ranges.leaves_count, ranges.by_first.len());
        let mut watermark = None;
        for range in ranges.by_first.values() {
            let is_too_much = leaves_count > leaves_max && count > open_max;
            if range.at_ms >= oldest_ms && !is_too_much {
                break;
            }
            leaves_count -= range.leaves().len();
            count -= 1;
            watermark = Some(range.signed.attestation.last_seq.saturating_add(1));
        }
        watermark
    }

    /// Forgets the ranges that begin before `watermark`, which stands in the log.
    pub(crate) fn forget_before(&self, watermark: Sequence) {
        let forgotten = {
            let mut ranges = self.ranges.write();
            ranges.watermark = ranges.watermark.max(watermark);
            let kept = ranges.by_first.split_off(&watermark);
            let forgotten = std::mem::replace(&mut ranges.by_first, kept);
            let leaves_count: usize = forgotten.values().map(|range| range.leaves().len()).sum();
            ranges.leaves_count -= leaves_count;
            forgotten
        };
        for leaf in forgotten.values().flat_map(|range| range.leaves()) {
            self.claimed.remove(&leaf.digest);
        }
    }

    /// The watermark, if there is one.
    pub(crate) fn watermark(&self) -> Option<Sequence> {
        let watermark = self.ranges.read().watermark;
        (watermark > 0).then_some(watermark)
    }

    /// Forgets requests that ended before `oldest_ms` and were not claimed; returns how many.
    pub(crate) fn forget_unclaimed(&self, oldest_ms: Moment) -> usize {
        let before = self.entries.len();
        self.entries.retain(|_, entry| match entry {
            Entry::InFlight { .. } => true,
            Entry::Metered(metered) => metered.at_ms >= oldest_ms,
        });
        before.saturating_sub(self.entries.len())
    }

    /// Requests that wait to be claimed and whose records stand before `position`, up to `count_max`.
    pub(crate) fn stragglers(&self, position: u64, count_max: usize) -> Vec<(Digest, Metered)> {
        let metered = self.entries.iter().filter_map(|entry| match entry.value() {
            Entry::Metered(metered) if metered.position < position => Some((*entry.key(), *metered)),
            _ => None,
        });
        metered.take(count_max).collect()
    }

    /// Position of the oldest record that is still needed, if any is. Its caller holds
    /// [`Book::claiming`].
    pub(crate) fn oldest_position(&self) -> Option<u64> {
        let entries = self.entries.iter().map(|entry| match entry.value() {
            Entry::InFlight { since } => *since,
            Entry::Metered(metered) => metered.position,
        });
        let ranges = self.ranges.read();
        entries.chain(ranges.by_first.values().map(|range| range.position)).min()
    }

    /// Requests served or waiting to be claimed, ranges, and leaves in them.
    pub(crate) fn sizes(&self) -> (usize, usize, usize) {
        let ranges = self.ranges.read();
        (self.entries.len(), ranges.by_first.len(), ranges.leaves_count)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.book.entries.remove_if(&self.digest, |_, entry| matches!(entry, Entry::InFlight { .. }));
    }
}
