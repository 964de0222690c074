//! What a worker remembers from one block to the next, in the node's local storage.
//!
//! Nothing of it is needed: a worker that forgets only asks once more.

use alloc::vec::Vec;

use codec::Encode;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use sp_runtime::offchain::storage::StorageValueRef;
use stipend_primitives::BlockNumber;

use crate::types::Subject;

/// Blocks until the same is asked for again in a round: an attestor whose GPUs or issuer were slow has its
/// answer by then, a report that got lost is missed, and one that has nothing is not asked all the time.
const RETRY_BLOCKS: BlockNumber = 10;

const KEY: &[u8] = b"stipend/evidence/tried";

/// Subjects by the hash of their name, each with the block of the attempt.
type Attempts = Vec<(H256, BlockNumber)>;

/// What was asked for in the last few blocks of a round.
pub(crate) struct Tried {
    round: H256,
    now: BlockNumber,
    attempts: Attempts,
}

impl Tried {
    /// Loads what still stands at block `now`, in the round of the block with this hash.
    pub(crate) fn load(round: H256, now: BlockNumber) -> Self {
        let stored: Option<(H256, Attempts)> = StorageValueRef::persistent(KEY).get().ok().flatten();
        let mut attempts = stored.filter(|(of, _)| *of == round).map(|(_, attempts)| attempts);
        if let Some(attempts) = &mut attempts {
            // One from the future is of a chain that is no more.
            attempts.retain(|(_, at)| *at <= now && now - *at < RETRY_BLOCKS);
        }
        Tried { round, now, attempts: attempts.unwrap_or_default() }
    }

    /// Whether `subject` was asked for.
    pub(crate) fn has(&self, subject: &Subject) -> bool {
        let name = name_of(subject);
        self.attempts.iter().any(|(tried, _)| *tried == name)
    }

    /// Remembers that `subject` is asked for now.
    pub(crate) fn add(&mut self, subject: &Subject) {
        self.attempts.push((name_of(subject), self.now));
    }

    /// Forgets it.
    pub(crate) fn remove(&mut self, subject: &Subject) {
        let name = name_of(subject);
        self.attempts.retain(|(tried, _)| *tried != name);
    }

    /// Stores it for the next block.
    pub(crate) fn save(self) {
        StorageValueRef::persistent(KEY).set(&(self.round, self.attempts));
    }
}

fn name_of(subject: &Subject) -> H256 {
    H256(subject.using_encoded(blake2_256))
}
