#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod authorities;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
pub mod block_body;
pub mod crypto;
#[cfg(test)]
mod mock;
pub mod offchain;
mod providers;
pub mod quorum;
mod refunds;
mod scores;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "try-runtime", feature = "std"))]
mod try_state;
mod turnout;
pub mod types;
mod views;
mod votes;
pub mod weights;

pub use pallet::*;
pub use turnout::TURNOUT_ITEMS_MIN;
pub use types::ExtractBatch;
pub use weights::WeightInfo;

/// Target of the pallet's log lines.
const LOG_TARGET: &str = "stipend::settlement";

#[frame_support::pallet]
pub mod pallet {
    use alloc::{boxed::Box, vec::Vec};

    use frame_support::{pallet_prelude::*, traits::EnsureOrigin};
    use frame_system::{offchain::CreateAuthorizedTransaction, pallet_prelude::*};
    use sp_core::{ConstU32, H256};
    use sp_runtime::traits::UniqueSaturatedInto;
    use stipend_primitives::{
        attestation::{GpuUse, SignedAttestation},
        ledger::{Evidence, Ledger, Prices, Roles, Unsettled},
        settlement::{Item, VerdictKind, Vote},
        view::{Provider, Score},
        AccountId, Credits, Endpoint, PublicKey, Role, Signature,
    };

    use crate::{
        crypto::AuthorityId,
        offchain,
        types::{
            GenesisProvider, QueuedRefunds, SessionTurnout, VoteRecords, AUTHORITIES_MAX, REFUNDS_AT_ONCE_MAX,
        },
        ExtractBatch, WeightInfo,
    };

    /// Layout of the state. A change of it comes with a migration in the runtime.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the pallet needs of the runtime.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId, Hash = H256>
        + CreateAuthorizedTransaction<Call<Self>>
    {
        /// Who registers and reinstates providers.
        type CouncilOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// Who may report equivocation, and who is a provider.
        type Roles: Roles;

        /// Where refunds go.
        type Ledger: Ledger;

        /// By which refunds are computed.
        type Prices: Prices;

        /// What is to be settled.
        type Unsettled: Unsettled;

        /// What is known of the providers' hardware, and what classes ask of it.
        type Evidence: Evidence;

        /// Finds batches in blocks, for the off-chain worker.
        type ExtractBatch: ExtractBatch;

        /// Blocks after which an item without a valid attestation is settled as unattested.
        #[pallet::constant]
        type UnattestedAfter: Get<u32>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The validators' settlement keys of this session.
    #[pallet::storage]
    pub type Authorities<T: Config> =
        StorageValue<_, BoundedVec<AuthorityId, ConstU32<AUTHORITIES_MAX>>, ValueQuery>;

    /// The validators whose keys these are, in the same order.
    #[pallet::storage]
    pub type Accounts<T: Config> =
        StorageValue<_, BoundedVec<AccountId, ConstU32<AUTHORITIES_MAX>>, ValueQuery>;

    /// Who voted in the session under way.
    #[pallet::storage]
    pub type Turnout<T: Config> = StorageValue<_, SessionTurnout, ValueQuery>;

    /// The providers: attestation key, endpoint, whether suspended.
    #[pallet::storage]
    pub type Providers<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, Provider>;

    /// The keys with which providers signed two truths, by provider: none of them counts again.
    #[pallet::storage]
    pub type BurntKeys<T: Config> =
        StorageDoubleMap<_, Blake2_128Concat, AccountId, Blake2_128Concat, PublicKey, ()>;

    /// Milligrams of CO2 equivalent that the grid of a provider emits for a kilowatt-hour, where known.
    #[pallet::storage]
    pub type GridIntensities<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, u32>;

    /// How each provider's items were settled.
    #[pallet::storage]
    pub type ProviderScores<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, Score, ValueQuery>;

    /// How each gateway's items were settled.
    #[pallet::storage]
    pub type GatewayScores<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, Score, ValueQuery>;

    /// The votes on each open item that has any.
    #[pallet::storage]
    pub type Votes<T: Config> = StorageMap<_, Blake2_128Concat, Item, VoteRecords, ValueQuery>;

    /// Items with a verdict whose refunds are not all paid yet.
    #[pallet::storage]
    pub type RefundQueue<T: Config> = StorageMap<_, Blake2_128Concat, Item, QueuedRefunds>;

    /// The providers that are there from the first block on.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// One entry per provider.
        pub providers: Vec<GenesisProvider>,
        /// Ties the type to the runtime.
        #[serde(skip)]
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            for provider in &self.providers {
                let endpoint = Endpoint::try_from(provider.endpoint.clone().into_bytes())
                    .ok()
                    .filter(|endpoint| Pallet::<T>::is_endpoint(endpoint));
                assert!(
                    endpoint.is_some(),
                    "settlement.providers: the endpoint {:?} of {:?} is not http:// or https://, a host and \
                     perhaps a port: write it like \"http://10.0.0.7:9100\", without a path",
                    provider.endpoint,
                    provider.account,
                );
                let Some(endpoint) = endpoint else { continue };
                Providers::<T>::insert(
                    &provider.account,
                    Provider { key: provider.key, endpoint, suspended: false },
                );
            }
        }
    }

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// A provider was registered, or registered anew with other values.
        ProviderRegistered {
            /// The provider.
            provider: AccountId,
        },
        /// A provider's attestor moved.
        EndpointSet {
            /// The provider.
            provider: AccountId,
        },
        /// A provider signed two different attestations for one range: no attestation of its counts.
        ProviderSuspended {
            /// The provider.
            provider: AccountId,
        },
        /// A provider's attestations count again.
        ProviderReinstated {
            /// The provider.
            provider: AccountId,
        },
        /// What the grid of a provider emits was set, or is no longer known.
        GridIntensitySet {
            /// The provider.
            provider: AccountId,
            /// Milligrams of CO2 equivalent for a kilowatt-hour.
            mg_per_kwh: Option<u32>,
        },
        /// A validator voted, or changed its vote.
        Voted {
            /// On what.
            item: Item,
            /// The validator's settlement key.
            validator: PublicKey,
            /// Hash of the verdict voted for.
            verdict_hash: H256,
            /// Which kind of verdict that is.
            kind: VerdictKind,
        },
        /// The quorum agreed, on more refunds than one block pays.
        RefundsQueued {
            /// On what.
            item: Item,
            /// Refunds still to pay.
            remaining: u32,
        },
        /// The verdict of the quorum was applied.
        Settled {
            /// On what.
            item: Item,
            /// The verdict.
            verdict: VerdictKind,
            /// Micro-credits given back.
            refunded: Credits,
            /// What the provider's GPUs took, by its attestation.
            gpu: GpuUse,
        },
        /// A validator voted on none of the items that were settled in the session that ends.
        ValidatorAbsent {
            /// The validator.
            validator: AccountId,
            /// Items settled without it.
            settled: u32,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The account does not have the provider role: grant it first.
        NotProvider,
        /// The account is not registered as a provider: the council registers it first.
        UnknownProvider,
        /// An endpoint is `http://` or `https://`, a host and perhaps a port, and nothing more.
        BadEndpoint,
        /// The provider is not suspended: there is nothing to reinstate.
        NotSuspended,
        /// With this key the provider signed two truths: the council registers another key first.
        BurntKey,
        /// No grid emits that much: give milligrams of CO2 equivalent for a kilowatt-hour, 2,000,000 at most.
        BadGridIntensity,
        /// The provider is suspended already: nothing to report.
        AlreadySuspended,
        /// Only accounts with a role may report.
        NoRole,
        /// The two attestations are not about one provider, gateway and range.
        NotOneRange,
        /// The two attestations say the same.
        NoEquivocation,
        /// An attestation is not signed by the provider's registered key for this chain.
        BadAttestationSignature,
        /// The item is settled already, or never was open.
        NotOpen,
        /// The vote was cast on a different batch with this number.
        OtherBatch,
        /// The signer is not a validator of this session.
        NotAuthority,
        /// The refunds are not sorted by owner and class, name one pair twice, or name nothing.
        RefundsNotCanonical,
        /// The refunds exceed what was collected.
        RefundsTooHigh,
        /// The validator voted for this verdict before.
        AlreadyVoted,
        /// The validator changed its mind too often on this item.
        TooManyChanges,
        /// The vote is not signed by the validator's key for this chain.
        BadVoteSignature,
        /// There are more authorities than votes can be kept for.
        TooManyVotes,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn on_idle(_now: BlockNumberFor<T>, remaining: Weight) -> Weight {
            Self::pay_queued_refunds(remaining)
        }

        fn offchain_worker(now: BlockNumberFor<T>) {
            offchain::run::<T>(now.unique_saturated_into());
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Registers a provider's attestation key and endpoint, or replaces them. A suspended
        /// provider stays suspended. For the council.
        #[pallet::call_index(0)]
        #[pallet::weight(T::WeightInfo::register_provider())]
        pub fn register_provider(
            origin: OriginFor<T>,
            who: AccountId,
            key: PublicKey,
            endpoint: Endpoint,
        ) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_register_provider(who, key, endpoint)
        }

        /// Moves the caller's attestor. For registered providers.
        #[pallet::call_index(1)]
        #[pallet::weight(T::WeightInfo::set_endpoint())]
        pub fn set_endpoint(origin: OriginFor<T>, endpoint: Endpoint) -> DispatchResult {
            let who = ensure_signed(origin)?;
            Self::do_set_endpoint(who, endpoint)
        }

        /// Counts a validator's vote; with the quorum's last one the verdict is applied. Authorised
        /// by the validator's signature over the vote.
        #[pallet::call_index(2)]
        #[pallet::weight(Pallet::<T>::weight_of_vote(vote))]
        #[pallet::authorize(|_source, vote, validator, signature| {
            Pallet::<T>::authorize_vote(vote, validator, signature)
        })]
        #[pallet::weight_of_authorize(T::WeightInfo::authorize_vote(vote.verdict.refunds().len() as u32))]
        pub fn vote(
            origin: OriginFor<T>,
            vote: Box<Vote>,
            validator: PublicKey,
            signature: Signature,
        ) -> DispatchResultWithPostInfo {
            ensure_authorized(origin)?;
            // Checked by `authorize`, or the origin would be another.
            let _ = signature;
            Self::do_vote(*vote, validator)
        }

        /// Suspends a provider that signed two different attestations for one range. For accounts
        /// with any role.
        #[pallet::call_index(3)]
        #[pallet::weight(T::WeightInfo::report_equivocation())]
        pub fn report_equivocation(
            origin: OriginFor<T>,
            a: Box<SignedAttestation>,
            b: Box<SignedAttestation>,
        ) -> DispatchResult {
            let who = ensure_signed(origin)?;
            ensure!(ROLES.iter().any(|role| T::Roles::has(&who, *role)), Error::<T>::NoRole);
            Self::do_report_equivocation(&a, &b)
        }

        /// Lets the attestations of a suspended provider that has another key by now count again. For the
        /// council.
        #[pallet::call_index(4)]
        #[pallet::weight(T::WeightInfo::reinstate_provider())]
        pub fn reinstate_provider(origin: OriginFor<T>, who: AccountId) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_reinstate_provider(who)
        }

        /// Says what the grid that feeds a provider emits: milligrams of CO2 equivalent for a kilowatt-hour,
        /// by which energy is shown as emissions; `None` if it is not known. For the council.
        #[pallet::call_index(5)]
        #[pallet::weight(T::WeightInfo::set_grid_intensity())]
        pub fn set_grid_intensity(
            origin: OriginFor<T>,
            who: AccountId,
            mg_per_kwh: Option<u32>,
        ) -> DispatchResult {
            T::CouncilOrigin::ensure_origin(origin)?;
            Self::do_set_grid_intensity(who, mg_per_kwh)
        }
    }

    /// Every role there is.
    const ROLES: [Role; 7] = [
        Role::Council,
        Role::Issuer,
        Role::Gateway,
        Role::Provider,
        Role::Validator,
        Role::Evaluator,
        Role::Auditor,
    ];

    impl<T: Config> Pallet<T> {
        /// Weight of a vote that completes the quorum: the dearest.
        fn weight_of_vote(vote: &Vote) -> Weight {
            let refunds_count = vote.verdict.refunds().len() as u32;
            let weight = T::WeightInfo::vote(refunds_count.min(REFUNDS_AT_ONCE_MAX));
            if refunds_count <= REFUNDS_AT_ONCE_MAX {
                return weight;
            }
            // A list that is too long to be paid at once is read and written besides.
            weight
                .saturating_add(T::WeightInfo::vote_without_quorum(refunds_count))
                .saturating_add(T::WeightInfo::queue_refunds(refunds_count))
        }
    }
}
