#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod council;
mod findings;
mod level;
#[cfg(test)]
mod mock;
mod offchain;
mod rounds;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "try-runtime", feature = "std"))]
mod try_state;
pub mod types;
mod views;
pub mod weights;

pub use pallet::*;
pub use types::{Finding, Trust};
pub use weights::WeightInfo;

/// Target of the pallet's log lines.
const LOG_TARGET: &str = "stipend::evidence";

/// The pallet.
#[frame_support::pallet]
pub mod pallet {
    use alloc::{boxed::Box, vec::Vec};

    use frame_support::{
        pallet_prelude::*,
        traits::{EnsureOrigin, Time},
    };
    use frame_system::{offchain::CreateAuthorizedTransaction, pallet_prelude::*};
    use sp_core::{ConstU32, H256};
    use stipend_evidence_token::KeySet;
    use stipend_primitives::{
        evidence::EvidencePolicy, AccountId, BlockNumber, ClassId, Moment, PublicKey, Signature,
    };

    use crate::{
        offchain,
        types::{
            ClassRule, EvidenceRecord, Finding, FindingVotes, GenesisTrust, KeysRecord, Subject, Trust,
            TrustRecord, CLASSES_MAX,
        },
        WeightInfo,
    };

    /// Layout of the state. A change of it comes with a migration in the runtime.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the pallet needs of the runtime: besides this, the providers and the validators' settlement
    /// keys of `pallet-settlement`.
    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>>
        + pallet_settlement::Config
        + CreateAuthorizedTransaction<Call<Self>>
    {
        /// Who says whose tokens count, and what classes ask for.
        type CouncilOrigin: EnsureOrigin<Self::RuntimeOrigin>;

        /// The chain's clock: tokens are judged by it.
        type Time: Time<Moment = Moment>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// Whose tokens count.
    #[pallet::storage]
    pub type TrustInForce<T: Config> = StorageValue<_, TrustRecord>;

    /// The keys that tokens are verified with.
    #[pallet::storage]
    pub type Keys<T: Config> = StorageValue<_, KeysRecord>;

    /// What was found of each provider last; it may have run out.
    #[pallet::storage]
    pub type EvidenceOf<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, EvidenceRecord>;

    /// Whose evidence each GPU is in.
    #[pallet::storage]
    pub type DeviceOwners<T: Config> = StorageMap<_, Blake2_128Concat, H256, AccountId>;

    /// The classes that ask for something.
    #[pallet::storage]
    pub type Classes<T: Config> = StorageValue<_, BoundedVec<ClassRule, ConstU32<CLASSES_MAX>>, ValueQuery>;

    /// The votes on each subject in the round of its newest vote.
    #[pallet::storage]
    pub type Findings<T: Config> = StorageMap<_, Blake2_128Concat, Subject, FindingVotes>;

    /// What is trusted and asked for from the first block on.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Whose tokens count; left out: nobody's.
        pub trust: Option<GenesisTrust>,
        /// What each class asks for; a class that is not named asks for nothing.
        pub classes: Vec<(ClassId, EvidencePolicy)>,
        /// Ties the type to the runtime.
        #[serde(skip)]
        pub _config: core::marker::PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            if let Some(trust) = &self.trust {
                let checked = trust.trust().map(|trust| Pallet::<T>::do_set_trust(Some(trust)));
                assert!(
                    matches!(checked, Some(Ok(()))),
                    "evidence.trust: {checked:?}; name the issuer, write the source like \
                     \"https://issuer.example/jwks.json\", and choose a period of 10 to 1200 blocks",
                );
            }
            for (class, policy) in &self.classes {
                let checked = Pallet::<T>::do_set_class_policy(*class, *policy);
                assert!(checked.is_ok(), "evidence.classes: {checked:?}; name at most {CLASSES_MAX} classes");
            }
        }
    }

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// The council says whose tokens count.
        TrustSet {
            /// Blocks from one round to the next; `None`: nobody's tokens count any more.
            period: Option<BlockNumber>,
        },
        /// Other keys are in force.
        KeysSet {
            /// How many.
            keys: u32,
            /// Round in which the validators found them; `None`: the council gave them.
            round: Option<BlockNumber>,
        },
        /// A class asks for something else.
        ClassPolicySet {
            /// The class.
            class: ClassId,
            /// What it asks for.
            policy: EvidencePolicy,
            /// First block whose batches it is asked of.
            since: BlockNumber,
        },
        /// A validator reported something.
        Reported {
            /// About what.
            subject: Subject,
            /// The validator's settlement key.
            validator: PublicKey,
            /// Hash of its finding.
            finding_hash: H256,
        },
        /// The validators verified a provider's evidence.
        EvidenceFound {
            /// The provider.
            provider: AccountId,
            /// Block of the round.
            round: BlockNumber,
            /// First block in which it counts no longer.
            until: BlockNumber,
            /// How many GPUs were attested.
            devices: u32,
            /// Hash over their sorted ids and models.
            digest: H256,
        },
        /// A provider's evidence counts no longer: its key is another one, it was suspended, or another
        /// provider has one of its GPUs now.
        EvidenceLost {
            /// The provider.
            provider: AccountId,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// An issuer has a name in UTF-8.
        BadIssuer,
        /// The address of a key set is `https://`, a host, perhaps a port, and a path without white space.
        BadSource,
        /// A period has 10 to 1,200 blocks.
        BadPeriod,
        /// The keys do not make a set: none, one twice, or one that is no point on the curve.
        BadKeys,
        /// More classes than the registry holds ask for something.
        TooManyClasses,
        /// The council trusts nobody's tokens: set the trust first.
        NoTrust,
        /// The finding is of a round that is over, or from before the trust in force.
        OldRound,
        /// The finding is of a round that has not begun here.
        FutureRound,
        /// The signer is not a validator of this session.
        NotAuthority,
        /// The account is no provider in office, or is suspended.
        NotInOffice,
        /// The evidence answers another nonce: another key of the provider, or another block.
        OtherNonce,
        /// The GPUs are not in ascending order, one is named twice, or there are none.
        NotCanonical,
        /// A GPU is in another provider's evidence.
        DeviceTaken,
        /// The keys are from another source than the council's.
        OtherSource,
        /// The validator reported on this subject in this round before.
        AlreadyReported,
        /// The quorum found this in this round before.
        AlreadyFound,
        /// The finding is not signed by the validator's key for this chain.
        BadFindingSignature,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        fn offchain_worker(_now: BlockNumberFor<T>) {
            offchain::run::<T>();
        }

        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Says whose tokens count, where the issuer's keys are found and how often evidence is asked for;
        /// `None`: nobody's tokens count. With another policy, evidence found before counts no longer; keys
        /// of another issuer or source are dropped. For the council.
        #[pallet::call_index(0)]
        #[pallet::weight(<T as Config>::WeightInfo::set_trust())]
        pub fn set_trust(origin: OriginFor<T>, trust: Option<Trust>) -> DispatchResult {
            <T as Config>::CouncilOrigin::ensure_origin(origin)?;
            Self::do_set_trust(trust)
        }

        /// Puts keys in force. Evidence that was verified with others counts until it runs out. For the
        /// council.
        #[pallet::call_index(1)]
        #[pallet::weight(<T as Config>::WeightInfo::set_keys(keys.keys().len() as u32))]
        pub fn set_keys(origin: OriginFor<T>, keys: Box<KeySet>) -> DispatchResult {
            <T as Config>::CouncilOrigin::ensure_origin(origin)?;
            Self::do_set_keys(*keys)
        }

        /// Says what a class asks of providers, in batches of the next block and later. For the council.
        #[pallet::call_index(2)]
        #[pallet::weight(<T as Config>::WeightInfo::set_class_policy())]
        pub fn set_class_policy(
            origin: OriginFor<T>,
            class: ClassId,
            policy: EvidencePolicy,
        ) -> DispatchResult {
            <T as Config>::CouncilOrigin::ensure_origin(origin)?;
            Self::do_set_class_policy(class, policy)
        }

        /// Counts a validator's finding; with the quorum's last one it is in force. Authorised by the
        /// validator's signature over the finding.
        #[pallet::call_index(3)]
        #[pallet::weight(Pallet::<T>::weight_of_report(finding))]
        #[pallet::authorize(|_source, finding, validator, signature| {
            Pallet::<T>::authorize_report(finding, validator, signature)
        })]
        #[pallet::weight_of_authorize(Pallet::<T>::weight_of_authorize_report(finding))]
        pub fn report(
            origin: OriginFor<T>,
            finding: Box<Finding>,
            validator: PublicKey,
            signature: Signature,
        ) -> DispatchResult {
            ensure_authorized(origin)?;
            // Checked by `authorize`, or the origin would be another.
            let _ = signature;
            Self::do_report(*finding, validator)
        }
    }

    impl<T: Config> Pallet<T> {
        fn weight_of_report(finding: &Finding) -> Weight {
            match finding.counts() {
                (devices, 0) => <T as Config>::WeightInfo::report_evidence(devices),
                (_, keys) => <T as Config>::WeightInfo::report_keys(keys),
            }
        }

        fn weight_of_authorize_report(finding: &Finding) -> Weight {
            match finding.counts() {
                (devices, 0) => <T as Config>::WeightInfo::authorize_report_evidence(devices),
                (_, keys) => <T as Config>::WeightInfo::authorize_report_keys(keys),
            }
        }
    }
}
