#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

use frame_support::pallet_macros::import_section;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod caps;
mod contest;
mod events;
mod kinds;
#[cfg(test)]
mod mock;
mod record;
mod revert;
mod sweep;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "try-runtime", feature = "std"))]
mod try_state;
mod types;
mod views;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// The pallet. Events and errors stand in `events.rs`.
#[import_section(events::events)]
#[frame_support::pallet]
pub mod pallet {
    use core::marker::PhantomData;

    use frame_support::{pallet_prelude::*, traits::Time};
    use frame_system::pallet_prelude::*;
    use sp_core::H256;
    use stipend_primitives::{
        ledger::Roles,
        merit::{Awards, DatedRule, KindId, MeritAccount, Outcome, OutcomeId, Record, Rule},
        AccountId, ClassId, Credits, EntitlementId, Moment, Name, Role,
    };

    use crate::{types::*, WeightInfo};

    /// Layout of the state. A change of it comes with a migration in the runtime.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the runtime decides.
    #[pallet::config]
    pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId> {
        /// Who registers kinds, announces rules and decides on what is contested.
        type CouncilOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Who is an evaluator.
        type Roles: Roles;

        /// Who grants awards and takes them back.
        type Awards: Awards;

        /// The time of this block, Unix time in ms.
        type Time: Time<Moment = Moment>;

        /// How long before it holds a rule is announced on a chain whose genesis says nothing else, in ms.
        #[pallet::constant]
        type Notice: Get<Moment>;

        /// How long an outcome is remembered after its window closed, in ms. Longer than a reservation lasts:
        /// what is reserved when an outcome is reverted comes back meanwhile, and is taken then.
        #[pallet::constant]
        type Keep: Get<Moment>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The notice where genesis does not set one.
    #[pallet::type_value]
    pub fn DefaultNotice<T: Config>() -> Moment {
        T::Notice::get()
    }

    /// How long before it holds a rule is announced, in ms. Set at genesis and never changed.
    #[pallet::storage]
    pub type Notice<T: Config> = StorageValue<_, Moment, ValueQuery, DefaultNotice<T>>;

    /// The kinds of outcomes, numbered from 0.
    #[pallet::storage]
    pub type Kinds<T: Config> = CountedStorageMap<_, Twox64Concat, KindId, Kind>;

    /// The number of each kind's name.
    #[pallet::storage]
    pub type KindNames<T: Config> = StorageMap<_, Blake2_128Concat, Name, KindId>;

    /// Every rule that held or is announced, by kind and version, for ever: auditors check old awards by it.
    #[pallet::storage]
    pub type Rules<T: Config> = StorageDoubleMap<_, Twox64Concat, KindId, Twox64Concat, u32, DatedRule>;

    /// The number of the next outcome. Numbers are never used again.
    #[pallet::storage]
    pub type NextOutcomeId<T: Config> = StorageValue<_, OutcomeId, ValueQuery>;

    /// The outcomes that are remembered.
    #[pallet::storage]
    pub type Outcomes<T: Config> = StorageMap<_, Twox64Concat, OutcomeId, Outcome>;

    /// The remembered outcomes of each wallet.
    #[pallet::storage]
    pub type OutcomesOf<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, OutcomeId, ()>;

    /// The outcome that each evidence was counted for, for ever.
    #[pallet::storage]
    pub type Evidence<T: Config> =
        StorageDoubleMap<_, Twox64Concat, KindId, Blake2_128Concat, H256, OutcomeId>;

    /// The outcome that each receipt, or hash over many, was counted for, for ever.
    #[pallet::storage]
    pub type Backing<T: Config> =
        StorageDoubleMap<_, Twox64Concat, KindId, Blake2_128Concat, H256, OutcomeId>;

    /// What each wallet earned and owes, per class, forgotten outcomes included.
    #[pallet::storage]
    pub type Accounts<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, ClassId, MeritAccount, ValueQuery>;

    /// What the outcomes of each evaluator earned lately, per kind.
    #[pallet::storage]
    pub type EvaluatorUses<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, KindId, Use, ValueQuery>;

    /// What each wallet earned lately, per kind.
    #[pallet::storage]
    pub type WalletUses<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, KindId, Use, ValueQuery>;

    /// The contested outcomes that the council has not decided on.
    #[pallet::storage]
    pub type OpenContests<T: Config> = StorageMap<_, Twox64Concat, OutcomeId, AccountId>;

    /// How many open contests each account began.
    #[pallet::storage]
    pub type ContestsBy<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, u32, ValueQuery>;

    /// The outcome that the sweep looked at last.
    #[pallet::storage]
    pub type SweptTo<T: Config> = StorageValue<_, OutcomeId>;

    /// What a chain decides once.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// How long before it holds a rule is announced, in ms; `null`: the runtime's default. Cannot be changed
        /// later.
        pub notice_ms: Option<Moment>,
        /// Ties the configuration to its runtime.
        #[serde(skip)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            if let Some(notice) = self.notice_ms {
                assert!(notice > 0, "merit.noticeMs is 0: a rule is announced before it holds");
                Notice::<T>::put(notice);
            }
        }
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(_now: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::sweep_within(remaining)
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Makes a kind of outcome, with the first rule that it earns by and the moment from which that holds.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register_kind())]
        pub fn register_kind(origin: OriginFor<T>, name: Name, rule: Rule, from: Moment) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_register_kind(name, rule, from)
        }

        /// Announces the next rule of a kind and the moment from which it holds. It takes the place of one that
        /// was announced before and does not hold yet.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::announce_rule())]
        pub fn announce_rule(origin: OriginFor<T>, kind: KindId, rule: Rule, from: Moment) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_announce_rule(kind, rule, from)
        }

        /// Records an outcome; what it earns is granted at once.
        #[pallet::call_index(2)]
        #[pallet::weight(T::WeightInfo::record(record.source.backing().len() as u32))]
        pub fn record(origin: OriginFor<T>, record: Record) -> DispatchResult {
            let evaluator = Self::ensure_evaluator(origin)?;
            Self::do_record(&evaluator, record).map(|_| ())
        }

        /// Records several outcomes. Those that are refused by themselves are skipped.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::record_many(
            records.len() as u32,
            records.iter().map(|record| record.source.backing().len() as u32).max().unwrap_or_default()
        ))]
        pub fn record_many(origin: OriginFor<T>, records: Records) -> DispatchResult {
            let evaluator = Self::ensure_evaluator(origin)?;
            Self::do_record_many(evaluator, records);
            Ok(())
        }

        /// Takes an own outcome back while its window is open or it is contested.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::withdraw())]
        pub fn withdraw(origin: OriginFor<T>, outcome: OutcomeId) -> DispatchResult {
            let evaluator = Self::ensure_evaluator(origin)?;
            Self::do_withdraw(&evaluator, outcome)
        }

        /// Says that an outcome is none, while its window is open. Another evaluator may, the wallet's owner, and
        /// who owns the program that paid or one above it.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::contest())]
        pub fn contest(origin: OriginFor<T>, outcome: OutcomeId, reason: H256) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_contest(who, outcome, reason)
        }

        /// Decides on contested outcomes: they stand, or what they earned is taken back. All of them or, if one
        /// is not contested, none.
        #[pallet::call_index(6)]
        #[pallet::weight(T::WeightInfo::decide(outcomes.len() as u32))]
        pub fn decide(origin: OriginFor<T>, outcomes: Decided, stand: bool) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_decide(outcomes, stand)
        }
    }

    impl<T: Config> Pallet<T> {
        fn ensure_evaluator(origin: OriginFor<T>) -> Result<AccountId, DispatchError> {
            let who = ensure_signed(origin)?;
            ensure!(T::Roles::has(&who, Role::Evaluator), Error::<T>::NotEvaluator);
            Ok(who)
        }
    }
}
