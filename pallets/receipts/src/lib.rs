#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod authorize;
mod collect;
mod debits;
mod fold;
mod lines;
mod refusal;
mod submit;
mod types;
mod unsettled;
pub mod weights;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "try-runtime", feature = "std"))]
mod try_state;

pub use pallet::*;
pub use refusal::Refusal;
pub use types::*;
pub use weights::WeightInfo;

/// The pallet.
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::boxed::Box;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use sp_core::H256;
    use stipend_primitives::{
        batch::{Batch, SignedBatch, DEBITS_MAX},
        ledger::{Evidence, Ledger, Prices, Roles},
        AccountId, Credits, Sequence,
    };

    /// Layout of the state. A change of it comes with a migration in the runtime.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

    /// The pallet's place in the runtime.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId, Hash = H256>
    {
        /// Says who is a gateway.
        type Roles: Roles;

        /// Prices the receipts.
        type Prices: Prices;

        /// Charges the wallets.
        type Ledger: Ledger;

        /// Says what is known of the providers' hardware.
        type Evidence: Evidence;

        /// What the calls cost.
        type WeightInfo: WeightInfo;
    }

    /// How far each gateway has come.
    #[pallet::storage]
    pub type Gateways<T> = StorageMap<_, Blake2_128Concat, AccountId, Progress, ValueQuery>;

    /// The batches remembered, by gateway and last sequence number: all unsettled ones, and the latest
    /// [`HISTORY_MAX`] settled ones of each gateway.
    #[pallet::storage]
    pub type Batches<T> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Identity, SequenceKey, BatchRecord>;

    /// The unsettled ones of [`Batches`], so that nobody searches the history for them.
    #[pallet::storage]
    pub type Open<T> = StorageDoubleMap<_, Blake2_128Concat, AccountId, Identity, SequenceKey, ()>;

    /// What wallets owe unsettled batches. A gateway that honours its reservations leaves it empty.
    #[pallet::storage]
    pub type Owing<T> = StorageDoubleMap<_, Blake2_128Concat, AccountId, Identity, SequenceKey, Owed>;

    /// What was collected of the base costs of unsettled batches, by provider and class. A batch that cost
    /// nothing, or that nobody paid for, has none.
    #[pallet::storage]
    pub type Bases<T> = StorageDoubleMap<
        _,
        Blake2_128Concat,
        AccountId,
        Identity,
        SequenceKey,
        BoundedVec<BaseRow, ConstU32<BASES_MAX>>,
    >;

    /// Gateway, first sequence number and hash of the batch authorised last in this block: megabytes
    /// that the call need not hash again. Empty between blocks.
    #[pallet::storage]
    #[pallet::whitelist_storage]
    pub type Authorised<T> = StorageValue<_, (AccountId, Sequence, H256)>;

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A batch was charged.
        BatchSubmitted {
            /// Who metered.
            gateway: AccountId,
            /// First sequence number.
            first_seq: Sequence,
            /// Last sequence number.
            last_seq: Sequence,
            /// Hash of the batch.
            batch_hash: H256,
            /// Micro-credits charged by price, all classes together.
            charged: Credits,
            /// Micro-credits of it that no reservation and no wallet covered.
            uncollected: Credits,
        },
    }

    /// Why a batch was refused. [`Refusal::code`] gives the number that the pool shows.
    #[pallet::error]
    pub enum Error<T> {
        /// The signer has no gateway role. Ask the council for it.
        NotGateway,
        /// The batch is empty, a record is torn or points outside a table, more than 16 providers are
        /// named, or the sequence ends. Build the batch with `stipend-primitives`.
        Malformed,
        /// A line names a price book that was never published, was withdrawn, or is not in effect yet.
        /// Quote from the book in force.
        UnknownBook,
        /// A line names a price book whose grace period is over. Submit batches sooner after their
        /// requests.
        RetiredBook,
        /// A line names a model that its price book does not have.
        UnknownModel,
        /// The signature is not the gateway's over this batch on this chain.
        WrongSignature,
        /// The lines charge more than 8 classes. Split the batch.
        TooManyClasses,
        /// The batch charges more than 22528 pairs of wallet and class. Split the batch.
        TooManyDebits,
        /// The batch begins before the gateway's next sequence number: it was submitted already.
        Repeat,
        /// The batch begins after the gateway's next sequence number. Submit what is missing first.
        Gap,
        /// 256 batches of the gateway are unsettled. Wait until validators have settled some.
        TooManyUnsettled,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        /// The weight of the removal in `on_finalize`.
        fn on_initialize(_: BlockNumberFor<T>) -> Weight {
            T::DbWeight::get().writes(1)
        }

        fn on_finalize(_: BlockNumberFor<T>) {
            // A call that failed left it behind.
            Authorised::<T>::kill();
        }

        /// A batch that no block has room for would stop its gateway for good.
        #[cfg(feature = "std")]
        fn integrity_test() {
            use stipend_primitives::batch::{LINES_MAX, RECEIPTS_MAX, WALLETS_MAX};
            let call = T::WeightInfo::submit_batch(RECEIPTS_MAX, DEBITS_MAX, LINES_MAX);
            let authorize = T::WeightInfo::authorize_submit_batch(RECEIPTS_MAX, WALLETS_MAX, LINES_MAX);
            let largest = call.saturating_add(authorize);
            let limits = T::BlockWeights::get();
            let normal = limits.get(DispatchClass::Normal);
            let room = normal.max_extrinsic.or(normal.max_total).unwrap_or(limits.max_block);
            assert!(largest.all_lte(room), "the largest batch takes {largest:?}, a block has {room:?}");
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call(weight = T::WeightInfo)]
    impl<T: Config> Pallet<T> {
        /// Charges a batch of receipts. Authorised by the gateway's signature inside it; who carries it
        /// to the chain does not matter.
        #[pallet::call_index(0)]
        // The runtime's call type is as large as its largest call.
        #[allow(clippy::boxed_local)]
        #[pallet::weight(Pallet::<T>::submit_weight(&signed.batch, debits::debits_max(&signed.batch)))]
        #[pallet::authorize(|source, signed| Pallet::<T>::authorize_batch(source, signed))]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_submit_batch(
            signed.batch.receipts_count(),
            signed.batch.wallets.len() as u32,
            signed.batch.lines.len() as u32,
        ))]
        pub fn submit_batch(origin: OriginFor<T>, signed: Box<SignedBatch>) -> DispatchResultWithPostInfo {
            ensure_authorized(origin)?;
            let batch = &signed.batch;
            let hash = Authorised::<T>::take()
                .filter(|(gateway, first_seq, _)| (gateway, first_seq) == (&batch.gateway, &batch.first_seq))
                .map_or_else(|| batch.hash(), |(_, _, hash)| hash);
            let debits_count = Self::do_submit(batch, hash).map_err(Error::<T>::from)?;
            Ok(Some(Self::submit_weight(batch, debits_count)).into())
        }
    }

    impl<T: Config> Pallet<T> {
        pub(crate) fn submit_weight(batch: &Batch, debits_count: u32) -> Weight {
            let lines_count = batch.lines.len() as u32;
            T::WeightInfo::submit_batch(batch.receipts_count(), debits_count, lines_count)
        }
    }
}
