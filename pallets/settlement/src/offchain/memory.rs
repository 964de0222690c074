//! What a worker remembers from one block to the next, in the node's local storage.
//!
//! Nothing of it is needed: a worker that forgets only asks and votes once more. Each part is one
//! value, so nothing has to be cleaned up.

use alloc::{collections::BTreeSet, vec::Vec};

use codec::Encode;
use sp_core::{
    offchain::{Duration, Timestamp},
    H256,
};
use sp_io::{hashing::blake2_256, offchain};
use sp_runtime::offchain::storage::StorageValueRef;
use stipend_primitives::{settlement::Item, AccountId, BlockNumber};

use super::fetch::Limits;

/// Blocks in which a vote is taken to be on its way into one.
const MARK_BLOCKS: BlockNumber = 8;

/// Time for a provider to connect and answer with headers.
const HEADERS_MS_MAX: u64 = 2_000;

/// Time for the body after that: 4 MB in 3 s is a slow wide-area link.
const BODY_MS_MAX: u64 = 3_000;

/// A provider that takes this long is asked in the slow lane.
const SLOW_AFTER_MS: u64 = 500;

/// For this long.
const SLOW_FOR_MS: u64 = 60_000;

const SLOW_KEY: &[u8] = b"stipend/settlement/slow";

/// Which providers a run asks. Runs of either lane exclude each other but not the other lane's, so
/// that a provider that hangs holds up none but its like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Providers that answer promptly.
    Prompt,
    /// Providers that did not, lately.
    Slow,
}

impl Lane {
    /// Key of the lane's lock.
    pub(crate) fn lock_key(self) -> &'static [u8] {
        match self {
            Lane::Prompt => b"stipend/settlement/lock/prompt",
            Lane::Slow => b"stipend/settlement/lock/slow",
        }
    }

    /// How long the lane waits for an answer. What takes longer than the prompt lane waits is not
    /// given up, it is left to the slow lane.
    pub(crate) fn limits(self) -> Limits {
        match self {
            Lane::Prompt => Limits { headers_ms: SLOW_AFTER_MS, whole_ms: 2 * SLOW_AFTER_MS },
            Lane::Slow => Limits { headers_ms: HEADERS_MS_MAX, whole_ms: HEADERS_MS_MAX + BODY_MS_MAX },
        }
    }

    /// How long a run of the lane may compute refunds; at least one block's are computed.
    pub(crate) fn compute_ms_max(self) -> u64 {
        match self {
            Lane::Prompt => 500,
            Lane::Slow => 5_000,
        }
    }

    fn marks_key(self) -> &'static [u8] {
        match self {
            Lane::Prompt => b"stipend/settlement/marks/prompt",
            Lane::Slow => b"stipend/settlement/marks/slow",
        }
    }
}

/// The items that this node voted on in the last few blocks.
pub(crate) struct Marks {
    lane: Lane,
    now: BlockNumber,
    marks: Vec<(H256, BlockNumber)>,
}

impl Marks {
    /// Loads the marks that still stand at block `now`.
    pub(crate) fn load(lane: Lane, now: BlockNumber) -> Self {
        let mut marks: Vec<(H256, BlockNumber)> =
            StorageValueRef::persistent(lane.marks_key()).get().ok().flatten().unwrap_or_default();
        // A mark from the future is one of a chain that is no more.
        marks.retain(|(_, at)| *at <= now && now - *at < MARK_BLOCKS);
        Marks { lane, now, marks }
    }

    /// Whether a vote on `item` is on its way.
    pub(crate) fn has(&self, item: &Item) -> bool {
        let name = name_of(item);
        self.marks.iter().any(|(marked, _)| *marked == name)
    }

    /// Remembers a vote on `item`.
    pub(crate) fn add(&mut self, item: &Item) {
        self.marks.push((name_of(item), self.now));
    }

    /// Stores the marks for the next block.
    pub(crate) fn save(self) {
        StorageValueRef::persistent(self.lane.marks_key()).set(&self.marks);
    }
}

fn name_of(item: &Item) -> H256 {
    H256(item.using_encoded(blake2_256))
}

/// The providers of the slow lane, each until when.
pub(crate) struct SlowProviders {
    until: Vec<(AccountId, Timestamp)>,
    noted: BTreeSet<AccountId>,
}

impl SlowProviders {
    /// Loads the providers that are in the slow lane now.
    pub(crate) fn load() -> Self {
        let stored = StorageValueRef::persistent(SLOW_KEY).get().ok().flatten();
        SlowProviders { until: current(stored.unwrap_or_default()), noted: BTreeSet::new() }
    }

    /// The lane that `provider` is in.
    pub(crate) fn lane_of(&self, provider: &AccountId) -> Lane {
        if self.until.iter().any(|(slow, _)| slow == provider) {
            Lane::Slow
        } else {
            Lane::Prompt
        }
    }

    /// Takes note of how long `provider` took. Stored at once, because a run of the other lane may
    /// be under way.
    pub(crate) fn note(&mut self, provider: &AccountId, elapsed_ms: u64) {
        if elapsed_ms < SLOW_AFTER_MS || !self.noted.insert(provider.clone()) {
            return;
        }
        let until = offchain::timestamp().add(Duration::from_millis(SLOW_FOR_MS));
        // A note that loses the race against another run's is taken again with the next request.
        let _ = StorageValueRef::persistent(SLOW_KEY).mutate(
            |stored: Result<Option<Vec<(AccountId, Timestamp)>>, _>| {
                let mut list = current(stored.ok().flatten().unwrap_or_default());
                list.retain(|(slow, _)| slow != provider);
                list.push((provider.clone(), until));
                Ok::<_, ()>(list)
            },
        );
    }
}

fn current(mut list: Vec<(AccountId, Timestamp)>) -> Vec<(AccountId, Timestamp)> {
    let now = offchain::timestamp();
    list.retain(|(_, until)| *until > now);
    list
}
