//! The traits by which the pallets use each other.
//!
//! Each pallet's `Config` names the trait it needs, the runtime ties the pallets together, and a
//! pallet's tests can stand in for its neighbours.

use sp_core::H256;

#[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
use crate::batch::SignedBatch;
use crate::{
    attestation::GpuUse,
    cost::PriceEntry,
    evidence::EvidenceLevel,
    ids::{AccountId, BlockNumber, BookVersion, ClassId, Credits, ModelId, Role, Sequence},
    settlement::{Item, UnattestedPolicy, VerdictKind},
};

/// Who may do what. Kept by `pallet-roles`.
pub trait Roles {
    /// Whether `who` has `role`.
    fn has(who: &AccountId, role: Role) -> bool;

    /// Gives `who` a role; for benchmarks and tests of other pallets.
    #[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
    fn grant(who: &AccountId, role: Role);
}

/// Where charges come from and refunds go to. Kept by `pallet-entitlements`.
pub trait Ledger {
    /// What the charges of one batch change beside the wallets, kept in memory until all are made.
    type Charges;

    /// Begins the charges of a batch.
    fn begin_charges() -> Self::Charges;

    /// Charges a wallet for what `gateway` metered: from the gateway's reservation first, then from
    /// what is available, as far as the class's energy budget covers it. Returns what was collected, at
    /// most `amount`; nothing a different gateway reserved is touched. Reads and writes one storage item.
    fn charge(
        charges: &mut Self::Charges,
        gateway: &AccountId,
        owner: &AccountId,
        class: ClassId,
        amount: Credits,
    ) -> Credits;

    /// Ends the charges of a batch. `unsettled`: per class the micro-credits of them whose energy is known
    /// when their items are settled; at most what was charged.
    fn end_charges(charges: Self::Charges, unsettled: &[(ClassId, Credits)]);

    /// Counts the energy of a settled item: `parts` are the micro-credits that paid for it, each class once,
    /// as they were given to [`end_charges`](Self::end_charges). Where nobody measured (`None`) it is as much
    /// as they can cost at most.
    fn settle_energy(parts: &[(ClassId, Credits)], energy_mj: Option<u64>);

    /// The micro-credits of each class whose energy is not known yet, by number, none of nothing.
    fn unsettled() -> alloc::vec::Vec<(ClassId, Credits)>;

    /// Gives spent credits back to the wallet they came from. Returns what was given back, at most
    /// `amount` and at most what the wallet has spent.
    fn refund(owner: &AccountId, class: ClassId, amount: Credits) -> Credits;

    /// What becomes of charges in `class` that a provider does not attest.
    fn unattested_policy(class: ClassId) -> UnattestedPolicy;

    /// Gives `owner` a wallet with `amount` available in `class`; for benchmarks and tests.
    #[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
    fn endow(owner: &AccountId, class: ClassId, amount: Credits);

    /// Charges one wallet by itself, as a batch that is unsettled as a whole; for benchmarks and tests.
    #[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
    fn charge_alone(gateway: &AccountId, owner: &AccountId, class: ClassId, amount: Credits) -> Credits {
        let mut charges = Self::begin_charges();
        let collected = Self::charge(&mut charges, gateway, owner, class, amount);
        Self::end_charges(charges, &[(class, collected)]);
        collected
    }
}

/// Why a receipt's price cannot be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceError {
    /// There is no book of that version, or it is not in effect yet.
    UnknownBook,
    /// The book's grace period is over.
    RetiredBook,
    /// The book has no such model.
    UnknownModel,
}

/// The prices in force. Kept by `pallet-pricing`.
pub trait Prices {
    /// The entry by which a receipt submitted in this block is charged.
    fn chargeable(book: BookVersion, model: ModelId) -> Result<PriceEntry, PriceError>;

    /// The entry of any book that was ever in effect, retired ones included: a settlement prices its
    /// refunds by what the receipts were charged by, however long ago that was.
    fn entry(book: BookVersion, model: ModelId) -> Option<PriceEntry>;

    /// Puts a book in effect with `entries_count` models numbered from 0, all paid in
    /// [`ClassId::INNOVATION`], and returns its version; for benchmarks and tests.
    #[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
    fn publish_for_test(entries_count: u16) -> BookVersion;
}

/// What is known of the hardware behind providers' keys. Kept by `pallet-evidence`.
pub trait Evidence {
    /// The level of a provider in the block at hand.
    fn level(provider: &AccountId) -> EvidenceLevel;

    /// The classes that required evidence of the providers in batches that came in block `at`.
    fn required(at: BlockNumber) -> alloc::vec::Vec<ClassId>;

    /// Forgets what was found about a provider: its key is another one, or it told two truths.
    fn forget(provider: &AccountId);
}

/// An unsettled part of a batch, as `pallet-settlement` needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenItem {
    /// What is to be settled.
    pub item: Item,
    /// Last sequence number of the batch.
    pub last_seq: Sequence,
    /// Block that the batch came in.
    pub submitted_at: BlockNumber,
    /// Hash of the batch.
    pub batch_hash: H256,
    /// Receipts of this provider.
    pub count: u32,
    /// Root over the gateway's leaves for this provider.
    pub root: H256,
    /// Micro-credits collected for this provider's receipts, all classes together: their cost less
    /// the part of each wallet's shortfall that falls on them.
    pub collected: Credits,
    /// The provider's level in the block that the batch came in.
    pub evidence: EvidenceLevel,
}

/// Charges of one batch that a wallet did not cover.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Eq,
    codec::Encode,
    codec::Decode,
    codec::DecodeWithMemTracking,
    codec::MaxEncodedLen,
    scale_info::TypeInfo,
)]
pub struct Shortfall {
    /// Whose wallet.
    pub owner: AccountId,
    /// In which class.
    pub class: ClassId,
    /// Micro-credits charged by price and not collected.
    pub amount: Credits,
}

/// Shortfalls that an unsettled batch keeps. A gateway that honours its reservations causes none;
/// these many keep a batch's record below 64 kB.
pub const SHORTFALLS_MAX: u32 = 1_024;

/// The unsettled batches. Kept by `pallet-receipts`.
pub trait Unsettled {
    /// One open item.
    fn open_item(item: &Item) -> Option<OpenItem>;

    /// Up to `limit` open items, oldest batch of each gateway first.
    fn open_items(limit: usize) -> alloc::vec::Vec<OpenItem>;

    /// What wallets still owe the item: per (owner, class) the part of the charges for this provider's
    /// receipts that was not collected. A refund is first set off against it, so that nobody gets
    /// back what he never paid. `None` if the batch has more than [`SHORTFALLS_MAX`]: then nothing is
    /// refunded.
    fn shortfalls(item: &Item) -> Option<alloc::vec::Vec<Shortfall>>;

    /// Records a settled item, and forgets the batch's totals once all its items are settled.
    fn close_item(item: &Item, verdict: VerdictKind, refunded: Credits, gpu: GpuUse);

    /// Submits a batch as if it had been authorised; for benchmarks and tests.
    #[cfg(any(feature = "std", feature = "runtime-benchmarks"))]
    fn submit_for_test(batch: SignedBatch);
}
