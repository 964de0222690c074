//! What became of acts that were sent, as far as this process followed them.

use std::collections::HashMap;

use parking_lot::Mutex;
use serde::Serialize;
use sp_core::H256;
use stipend_primitives::{AccountId, BlockNumber};
use stipend_sdk::{PoolRefusal, SubmitError};

use crate::project::now_ms;

/// Acts of one account that may be on their way at a time. They take turns, so one would do; a page that is
/// closed leaves some behind.
const OPEN_MAX: usize = 8;

/// Acts that are remembered: some megabytes.
const KEPT_MAX: usize = 20_000;

/// For how long: as long as a page may be asleep.
const KEPT_MS: u64 = 3_600_000;

/// Where an act stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Stage {
    /// The node has it; no block does.
    Pending,
    /// The newest chain has it, which may still change.
    InBlock {
        /// The newest block when it was seen.
        block: BlockNumber,
    },
    /// It happened, for good, and the tables show it.
    Final {
        /// The block that holds it, or a later one that shows it.
        block: BlockNumber,
    },
    /// It did not happen.
    Refused {
        /// Why, and what to do.
        reason: String,
        /// Whether the same act may be made anew at once: the chain was merely past this transaction.
        again: bool,
    },
    /// Nobody knows yet: the node could not be asked any more.
    Unknown {
        /// Why, and what to do.
        reason: String,
    },
}

impl Stage {
    /// What an error makes of an act.
    pub fn of(error: &SubmitError) -> Self {
        let reason = error.to_string();
        match error {
            SubmitError::Refused(PoolRefusal::NonceTaken | PoolRefusal::Stale | PoolRefusal::Full) => {
                Stage::Refused { reason, again: true }
            }
            SubmitError::Replaced { .. } | SubmitError::Expired { .. } => {
                Stage::Refused { reason, again: true }
            }
            SubmitError::Refused(_) | SubmitError::Failed { .. } | SubmitError::Version { .. } => {
                Stage::Refused { reason, again: false }
            }
            SubmitError::Rpc(_) | SubmitError::OutcomeForgotten { .. } => Stage::Unknown { reason },
        }
    }

    fn is_open(&self) -> bool {
        matches!(self, Stage::Pending | Stage::InBlock { .. })
    }
}

/// An act by the account that signed it and the hash of its transaction.
type Name = (AccountId, H256);

/// The acts of the last hour. What is lost with the process stands in the chain.
#[derive(Default)]
pub struct Followed(Mutex<HashMap<Name, (Stage, u64)>>);

impl Followed {
    /// Begins to follow an act; `false` if the account has too many on their way. One that is followed
    /// already stays as it is.
    pub fn begin(&self, account: &AccountId, hash: H256) -> bool {
        let mut kept = self.0.lock();
        let now = now_ms();
        if kept.len() >= KEPT_MAX {
            kept.retain(|_, (_, since)| now.saturating_sub(*since) < KEPT_MS);
        }
        let open = kept.iter().filter(|((whose, _), (stage, since))| {
            whose == account && stage.is_open() && now.saturating_sub(*since) < KEPT_MS
        });
        if open.count() >= OPEN_MAX || kept.len() >= KEPT_MAX {
            return false;
        }
        kept.entry((account.clone(), hash)).or_insert((Stage::Pending, now));
        true
    }

    /// Notes where an act stands.
    pub fn note(&self, account: &AccountId, hash: H256, stage: Stage) {
        self.0.lock().insert((account.clone(), hash), (stage, now_ms()));
    }

    /// Where an act of an account stands, if it is known here.
    pub fn stage(&self, account: &AccountId, hash: H256) -> Option<Stage> {
        self.0.lock().get(&(account.clone(), hash)).map(|(stage, _)| stage.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_account_cannot_have_everything_followed() {
        let (followed, account) = (Followed::default(), AccountId::new([1; 32]));
        for number in 0..OPEN_MAX as u64 {
            assert!(followed.begin(&account, H256::from_low_u64_be(number)));
        }
        assert!(!followed.begin(&account, H256::from_low_u64_be(99)));
        assert!(followed.begin(&AccountId::new([2; 32]), H256::from_low_u64_be(99)));
        followed.note(&account, H256::from_low_u64_be(3), Stage::Final { block: 9 });
        assert!(followed.begin(&account, H256::from_low_u64_be(99)));
        assert_eq!(followed.stage(&account, H256::from_low_u64_be(3)), Some(Stage::Final { block: 9 }));
        assert_eq!(followed.stage(&AccountId::new([2; 32]), H256::from_low_u64_be(3)), None);
    }

    #[test]
    fn only_what_the_chain_was_merely_past_may_be_made_anew_at_once() {
        let again = |refusal: PoolRefusal| {
            matches!(Stage::of(&SubmitError::Refused(refusal)), Stage::Refused { again: true, .. })
        };
        assert!(again(PoolRefusal::NonceTaken) && again(PoolRefusal::Stale));
        assert!(!again(PoolRefusal::NotAdmitted) && !again(PoolRefusal::Invalid("no".into())));
        assert!(matches!(
            Stage::of(&SubmitError::Expired { last_block: 3 }),
            Stage::Refused { again: true, .. }
        ));
    }
}
