//! Verdicts that need the batch itself: its receipts are read from the block that it came in.

use alloc::{collections::BTreeMap, vec::Vec};

use sp_core::{offchain::Duration, H256};
use sp_io::offchain;
use stipend_primitives::{
    batch::Batch,
    leaf::UsageLeaf,
    ledger::{Ledger, OpenItem, Prices, Unsettled},
    settlement::Verdict,
    BlockNumber,
};

use crate::{
    block_body::settlement_host::block_body, pallet::Config, refunds::total, types::ExtractBatch, LOG_TARGET,
};

use super::receipts::{Fault, ProviderReceipts};

/// What a verdict is computed from.
enum Claims {
    /// The provider's leaves and their root.
    Attested {
        root: H256,
        leaves: Vec<UsageLeaf>,
        /// Whether the item is unattested if these do not fit the receipts.
        overdue: bool,
    },
    /// There are none.
    Unattested,
}

/// An item whose verdict needs its batch.
pub(crate) struct Work {
    open: OpenItem,
    claims: Claims,
}

impl Work {
    /// An adjustment by the provider's leaves.
    pub(crate) fn adjust(open: OpenItem, root: H256, leaves: Vec<UsageLeaf>, overdue: bool) -> Self {
        Work { open, claims: Claims::Attested { root, leaves, overdue } }
    }

    /// What becomes of an item without an attestation.
    pub(crate) fn unattested(open: OpenItem) -> Self {
        Work { open, claims: Claims::Unattested }
    }
}

/// Computes verdicts block by block, so that one body is in memory at a time. What does not get its
/// turn within `ms_max` is left to the next run.
pub(crate) fn compute<T: Config>(works: Vec<Work>, ms_max: u64) -> Vec<(OpenItem, Verdict)> {
    let end = offchain::timestamp().add(Duration::from_millis(ms_max));
    let mut blocks: BTreeMap<BlockNumber, Vec<Work>> = BTreeMap::new();
    for work in works {
        blocks.entry(work.open.submitted_at).or_default().push(work);
    }
    let mut verdicts = Vec::new();
    for (number, works) in blocks {
        let batches = batches_of::<T>(number, &works);
        for work in works {
            let verdict = match batches.get(&work.open.batch_hash) {
                Some(batch) => verdict::<T>(&work, batch).map_err(reason),
                None => {
                    Err("this node does not have the block that its batch came in; a validator must keep \
                             all block bodies (--blocks-pruning archive)")
                }
            };
            match verdict {
                Ok(verdict) => verdicts.push((work.open, verdict)),
                Err(why) => {
                    log::error!(target: LOG_TARGET, "cannot settle {:?}: {why}", work.open.item)
                }
            }
        }
        if offchain::timestamp() >= end {
            break;
        }
    }
    verdicts
}

/// The batches of a block that are wanted, by their hashes.
fn batches_of<T: Config>(number: BlockNumber, works: &[Work]) -> BTreeMap<H256, Batch> {
    let mut batches = BTreeMap::new();
    for extrinsic in block_body(number).unwrap_or_default() {
        let Some(signed) = T::ExtractBatch::extract(&extrinsic) else { continue };
        let hash = signed.batch.hash();
        if works.iter().any(|work| work.open.batch_hash == hash) {
            batches.insert(hash, signed.batch);
        }
    }
    batches
}

fn verdict<T: Config>(work: &Work, batch: &Batch) -> Result<Verdict, Fault> {
    let open = &work.open;
    let shortfalls = T::Unsettled::shortfalls(&open.item);
    let receipts = || ProviderReceipts::new(batch, &open.item.provider, T::Prices::entry);
    let unattested = || {
        let refunds = receipts()?.unattested(T::Ledger::unattested_policy, shortfalls.as_deref())?;
        Ok(Verdict::Unattested { refunds })
    };
    let verdict = match &work.claims {
        Claims::Unattested => unattested()?,
        Claims::Attested { root, leaves, overdue } => {
            match receipts()?.adjusted(leaves, shortfalls.as_deref()) {
                Ok((receipts, refunds)) => Verdict::Adjust { provider_root: *root, receipts, refunds },
                // The provider signed a root over something that is not what it was asked for.
                Err(Fault::OtherSequence) if *overdue => unattested()?,
                Err(fault) => return Err(fault),
            }
        }
    };
    match total(verdict.refunds()) {
        Some(total) if total <= open.collected => Ok(verdict),
        _ => Err(Fault::AboveCollected),
    }
}

fn reason(fault: Fault) -> &'static str {
    match fault {
        Fault::OtherSequence => "its provider signed leaves with other sequence numbers",
        Fault::BrokenRecord => "a record of its batch points nowhere",
        Fault::NoPrice => "its price book has no such model",
        Fault::Overflow => "its refunds are too many or too large to add up",
        Fault::AboveCollected => "its refunds are higher than what was collected",
    }
}
