#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod book;
mod types;
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
pub use types::*;
pub use weights::WeightInfo;

/// The pallet.
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use alloc::vec::Vec;
    use frame_support::pallet_prelude::*;
    use frame_system::pallet_prelude::*;
    use stipend_primitives::{
        cost::{PriceEntries, PriceEntry},
        AccountId, BlockNumber, BookVersion, ModelId, Name,
    };

    /// Layout of the state. A change of it comes with a migration in the runtime.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    /// The pallet's place in the runtime.
    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId> {
        /// Who may publish prices.
        type CouncilOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Blocks for which a book stays chargeable after its successor took effect: as long as the
        /// longest request and the batch that it ends in may take.
        #[pallet::constant]
        type GraceBlocks: Get<BlockNumber>;

        /// What the calls cost.
        type WeightInfo: WeightInfo;
    }

    /// Every book that was not withdrawn before it took effect, for ever: settlements and auditors
    /// price old receipts by it.
    #[pallet::storage]
    pub type Books<T> = StorageMap<_, Twox64Concat, BookVersion, BookTerm>;

    /// The entries of [`Books`]. One item each, because a batch needs few of them.
    #[pallet::storage]
    pub type Entries<T> = StorageDoubleMap<_, Twox64Concat, BookVersion, Twox64Concat, ModelId, PriceEntry>;

    /// The books that can be charged or are still to take effect, in the order of their effect.
    #[pallet::storage]
    pub type Recent<T> = StorageValue<_, RecentBooks, ValueQuery>;

    /// The version given last; 0 before the first book.
    #[pallet::storage]
    pub type LastVersion<T> = StorageValue<_, BookVersion, ValueQuery>;

    /// The name that a model's number stands for, for ever.
    #[pallet::storage]
    pub type ModelNames<T> = StorageMap<_, Twox64Concat, ModelId, Name>;

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(crate) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A book was published.
        Published {
            /// Its version.
            version: BookVersion,
            /// First block at which new requests are quoted from it.
            effective_at: BlockNumber,
        },
        /// A book that had not taken effect yet was withdrawn in favour of an earlier one.
        Withdrawn {
            /// Its version, which is not given again.
            version: BookVersion,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The book has no entry. Publish a book with at least one model.
        EmptyBook,
        /// The entries are not sorted by model number, or a number or a name stands twice, or a name is
        /// empty or no text. Sort them and remove the double.
        NotCanonical,
        /// Model number 65535 stands for requests that no provider metered. Give the model another.
        ReservedModel,
        /// The model's number has stood for another name before, and receipts refer to the number.
        /// Give the renamed model a new number.
        ModelRenamed,
        /// A book takes effect in a later block, so that no block has two prices. Name a later block.
        TooSoon,
        /// Four books are waiting to take effect. Wait for the next of them, or publish one that takes
        /// effect before them and so replaces them.
        TooManyPending,
        /// 64 books are chargeable at once. Wait until the grace period of the oldest is over.
        TooManyBooks,
        /// All version numbers are used up.
        VersionsExhausted,
    }

    /// The first book, in effect from the first block on.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Its entries, sorted by model number; empty: there is no book until one is published.
        pub entries: Vec<PriceEntry>,
        #[serde(skip)]
        #[doc(hidden)]
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            if self.entries.is_empty() {
                return;
            }
            let entries = PriceEntries::try_from(self.entries.clone())
                .expect("the genesis price book has more entries than a book can have");
            Pallet::<T>::insert(entries, 0).expect("the genesis price book is not a valid book");
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call(weight = T::WeightInfo)]
    impl<T: Config> Pallet<T> {
        /// Publishes a book that is in force from the next block on. Books that had not taken effect
        /// yet are withdrawn.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::publish(entries.len() as u32))]
        pub fn publish(origin: OriginFor<T>, entries: PriceEntries) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_publish(entries, Self::now().saturating_add(1))
        }

        /// Publishes a book that is in force from the block `effective_at` on. Books that would have
        /// taken effect at that block or later are withdrawn.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::schedule(entries.len() as u32))]
        pub fn schedule(
            origin: OriginFor<T>,
            entries: PriceEntries,
            effective_at: BlockNumber,
        ) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_publish(entries, effective_at)
        }
    }
}
