//! Verdicts that need the batch itself: its receipts are read from the block that it came in.

use alloc::{collections::BTreeMap, vec::Vec};

use sp_core::{offchain::Duration, H256};
use sp_io::offchain;
use stipend_primitives::{
    attestation::{Attestation, GpuUse},
    batch::Batch,
    evidence::EvidenceLevel,
    leaf::UsageLeaf,
    ledger::{Evidence, Ledger, OpenItem, Prices, Unsettled},
    settlement::{UnattestedPolicy, Verdict},
    BlockNumber, ClassId,
};

use crate::{
    block_body::settlement_host::block_body, pallet::Config, refunds::total, types::ExtractBatch, LOG_TARGET,
};

use super::receipts::{Fault, ProviderReceipts};

/// What a verdict is computed from.
enum Claims {
    /// The provider's root is the gateway's.
    Equal { gpu: GpuUse },
    /// The provider's leaves and their root.
    Attested {
        root: H256,
        gpu: GpuUse,
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
    /// What goes back although both claim the same: what classes that require evidence paid without.
    pub(crate) fn matched(open: OpenItem, gpu: GpuUse) -> Self {
        Work { open, claims: Claims::Equal { gpu } }
    }

    /// An adjustment by the provider's leaves.
    pub(crate) fn adjust(
        open: OpenItem,
        attestation: &Attestation,
        leaves: Vec<UsageLeaf>,
        overdue: bool,
    ) -> Self {
        let (root, gpu) = (attestation.root, attestation.gpu_use());
        Work { open, claims: Claims::Attested { root, gpu, leaves, overdue } }
    }

    /// What becomes of an item without an attestation.
    pub(crate) fn unattested(open: OpenItem) -> Self {
        Work { open, claims: Claims::Unattested }
    }
}

/// The classes whose charges for this item's receipts go back because its provider had no evidence.
///
/// Where there are none, which is nearly always, nobody has to look at the receipts for it.
pub(crate) fn without_evidence<T: Config>(open: &OpenItem) -> Vec<ClassId> {
    match open.evidence {
        EvidenceLevel::Software => T::Evidence::required(open.submitted_at),
        EvidenceLevel::Hardware => Vec::new(),
    }
}

/// Computes verdicts block by block, so that one body is in memory at a time. What does not get its
/// turn within `ms_max` is left to the next run.
pub(crate) fn compute<T: Config>(works: Vec<Work>, ms_max: u64) -> Vec<(OpenItem, Verdict, GpuUse)> {
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
                Ok((verdict, gpu)) => verdicts.push((work.open, verdict, gpu)),
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

fn verdict<T: Config>(work: &Work, batch: &Batch) -> Result<(Verdict, GpuUse), Fault> {
    let open = &work.open;
    let shortfalls = T::Unsettled::shortfalls(&open.item);
    let without_evidence = without_evidence::<T>(open);
    let lacks_evidence = |class| without_evidence.contains(&class);
    let receipts = || ProviderReceipts::new(batch, &open.item.provider, T::Prices::entry);
    let unattested = || {
        let goes_back =
            |class| T::Ledger::unattested_policy(class) == UnattestedPolicy::Refund || lacks_evidence(class);
        let refunds = receipts()?.unattested(goes_back, shortfalls.as_deref())?;
        Ok((Verdict::Unattested { refunds }, GpuUse::default()))
    };
    let adjusted = |root, leaves: &[UsageLeaf]| {
        let (receipts, refunds) = receipts()?.adjusted(leaves, lacks_evidence, shortfalls.as_deref())?;
        Ok(Verdict::Adjust { provider_root: root, receipts, refunds })
    };
    let (verdict, gpu) = match &work.claims {
        Claims::Unattested => unattested()?,
        Claims::Equal { gpu } => {
            let verdict = adjusted(open.root, &receipts()?.leaves()?)?;
            if verdict.refunds().is_empty() {
                (Verdict::Match, *gpu)
            } else {
                (verdict, *gpu)
            }
        }
        Claims::Attested { root, gpu, leaves, overdue } => match adjusted(*root, leaves) {
            // The provider signed a root over something that is not what it was asked for.
            Err(Fault::OtherSequence) if *overdue => unattested()?,
            verdict => (verdict?, *gpu),
        },
    };
    match total(verdict.refunds()) {
        Some(total) if total <= open.collected => Ok((verdict, gpu)),
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
