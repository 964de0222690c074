//! What the pallet remembers of gateways and batches: totals and roots, never a receipt.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::ConstU32;
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, H256};
use stipend_primitives::{
    batch::{CLASSES_MAX, PROVIDERS_MAX},
    ledger::{OpenItem, Shortfall, SHORTFALLS_MAX},
    settlement::Item,
    view::{BatchView, ProviderTotals},
    AccountId, BlockNumber, ClassId, Credits, Sequence,
};

/// Unsettled batches of one gateway: four minutes of a batch a second. A gateway that is further
/// ahead of the settlements waits, so that what is open stays bounded.
pub const UNSETTLED_MAX: u32 = 256;

/// Settled batches of one gateway that stay readable in the state; older ones are proved from the
/// blocks' headers.
pub const HISTORY_MAX: u32 = 1_024;

/// How far a gateway has come.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Progress {
    /// The number that its next batch begins with.
    pub next_seq: Sequence,
    /// Batches of it in the state, settled or not.
    pub remembered: u32,
    /// Batches of it with an open item.
    pub unsettled: u32,
    /// Micro-credits that it let through and nobody covered, since its first batch.
    pub uncollected: Credits,
}

/// A sequence number as a storage key: big-endian, so that the state keeps a gateway's batches in
/// order and the batch that holds a receipt is found by one seek.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Encode,
    Decode,
    DecodeWithMemTracking,
    MaxEncodedLen,
    TypeInfo,
)]
pub struct SequenceKey(pub [u8; 8]);

impl From<Sequence> for SequenceKey {
    fn from(seq: Sequence) -> Self {
        SequenceKey(seq.to_be_bytes())
    }
}

impl From<SequenceKey> for Sequence {
    fn from(key: SequenceKey) -> Self {
        Sequence::from_be_bytes(key.0)
    }
}

/// A batch as the state remembers it, under its gateway and its last sequence number.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct BatchRecord {
    /// First sequence number.
    pub first_seq: Sequence,
    /// Block that the batch came in.
    pub submitted_at: BlockNumber,
    /// Hash of the batch.
    pub batch_hash: H256,
    /// Root over the receipts; also in the block's header.
    pub receipts_root: H256,
    /// Micro-credits charged by price, all classes together.
    pub charged: Credits,
    /// Micro-credits of it that no reservation and no wallet covered.
    pub uncollected: Credits,
    /// One row per provider, sorted by account.
    pub providers: BoundedVec<ProviderTotals, ConstU32<PROVIDERS_MAX>>,
}

impl BatchRecord {
    /// Whether every provider's part is settled.
    pub fn is_settled(&self) -> bool {
        self.providers.iter().all(|part| part.settled.is_some())
    }

    /// The parts that are still open.
    pub(crate) fn open_items<'a>(
        &'a self,
        gateway: &'a AccountId,
        last_seq: Sequence,
    ) -> impl Iterator<Item = OpenItem> + 'a {
        let open = self.providers.iter().filter(|part| part.settled.is_none());
        open.map(move |part| OpenItem {
            item: Item {
                gateway: gateway.clone(),
                first_seq: self.first_seq,
                provider: part.provider.clone(),
            },
            last_seq,
            submitted_at: self.submitted_at,
            batch_hash: self.batch_hash,
            count: part.count,
            root: part.root,
            collected: part.collected,
            evidence: part.evidence,
        })
    }

    pub(crate) fn into_view(self, gateway: AccountId, last_seq: Sequence) -> BatchView {
        BatchView {
            gateway,
            first_seq: self.first_seq,
            last_seq,
            submitted_at: self.submitted_at,
            batch_hash: self.batch_hash,
            receipts_root: self.receipts_root,
            charged: self.charged,
            uncollected: self.uncollected,
            providers: self.providers.into_inner(),
        }
    }
}

/// A charge for one provider's receipts that a wallet did not cover.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct OwedRow {
    /// Index into [`BatchRecord::providers`].
    pub provider: u8,
    /// Who owes what.
    pub shortfall: Shortfall,
}

/// Rows of [`BaseRow`] that a batch can have: one for each provider and class.
pub const BASES_MAX: u32 = PROVIDERS_MAX * CLASSES_MAX as u32;

/// What was collected of the base costs of one open item in one class: what paid for its energy.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct BaseRow {
    /// Index into [`BatchRecord::providers`].
    pub provider: u8,
    /// The class that paid.
    pub class: ClassId,
    /// Micro-credits.
    #[codec(compact)]
    pub collected: Credits,
}

/// What wallets owe an unsettled batch.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub enum Owed {
    /// All of it, sorted by provider.
    #[codec(index = 0)]
    Rows(BoundedVec<OwedRow, ConstU32<SHORTFALLS_MAX>>),
    /// More rows than the state keeps.
    #[codec(index = 1)]
    TooMany,
}

impl Owed {
    /// `None` where nothing is owed.
    pub(crate) fn of(rows: Vec<OwedRow>) -> Option<Owed> {
        if rows.is_empty() {
            return None;
        }
        Some(BoundedVec::try_from(rows).map_or(Owed::TooMany, Owed::Rows))
    }
}
