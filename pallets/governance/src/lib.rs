#![doc = include_str!("../README.md")]
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod equivocation;
#[cfg(test)]
mod mock;
mod nodes;
#[cfg(test)]
mod tests;
pub mod weights;

pub use equivocation::TwoBlocks;
pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
    use alloc::{boxed::Box, string::String, vec::Vec};
    use core::marker::PhantomData;

    use frame_support::pallet_prelude::*;
    use frame_system::{pallet_prelude::*, RawOrigin};
    use sp_consensus_slots::Slot;
    use stipend_primitives::{AccountId, Name, NodeKey};

    use crate::{TwoBlocks, WeightInfo};

    /// Layout of the state. A change of it comes with a migration in the runtime.
    const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

    #[pallet::pallet]
    #[pallet::storage_version(STORAGE_VERSION)]
    pub struct Pallet<T>(_);

    /// What the pallet needs of the runtime. Who decides about validators, decides about nodes and
    /// stalled finality too: see [`pallet_roles::Config::ValidatorsOrigin`].
    #[pallet::config]
    pub trait Config:
        frame_system::Config<RuntimeEvent: From<Event<Self>>, AccountId = AccountId>
        + pallet_roles::Config
        + pallet_aura::Config
        + pallet_grandpa::Config
    {
        /// Who authorises another runtime: in the runtime three quarters of the council.
        type UpgradeOrigin: EnsureOrigin<OriginFor<Self>>;

        /// Nodes of the network at most.
        #[pallet::constant]
        type NodesMax: Get<u32>;

        /// Weights of the calls.
        type WeightInfo: WeightInfo;
    }

    /// The nodes that the network consists of, by network key, with what people call them.
    #[pallet::storage]
    pub type Nodes<T: Config> = CountedStorageMap<_, Blake2_128Concat, NodeKey, Name>;

    /// The last slot for which each account was reported to have made two blocks.
    #[pallet::storage]
    pub type LastReported<T: Config> = StorageMap<_, Blake2_128Concat, AccountId, Slot>;

    /// The first nodes of a chain.
    #[pallet::genesis_config]
    #[derive(frame_support::DefaultNoBound)]
    pub struct GenesisConfig<T: Config> {
        /// Network key and name of each node.
        pub nodes: Vec<(NodeKey, String)>,
        /// Ties the type to the runtime.
        #[serde(skip)]
        pub _config: PhantomData<T>,
    }

    #[pallet::genesis_build]
    impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
        fn build(&self) {
            assert!(
                self.nodes.len() <= T::NodesMax::get() as usize,
                "governance.nodes names more nodes than a network can have"
            );
            for (node, name) in &self.nodes {
                let name = Name::try_from(name.clone().into_bytes());
                assert!(name.is_ok(), "governance.nodes: the name of {node:?} is longer than 64 bytes");
                let Ok(name) = name else { continue };
                assert!(!Nodes::<T>::contains_key(node), "governance.nodes names {node:?} twice");
                Nodes::<T>::insert(node, name);
            }
        }
    }

    /// What happened.
    #[pallet::event]
    #[pallet::generate_deposit(pub(super) fn deposit_event)]
    pub enum Event<T: Config> {
        /// With the next session, validators start a new authority set from a block that they take
        /// for the last finalised one.
        FinalityNotedStalled {
            /// Blocks after the session's beginning until the new set is in force.
            delay: BlockNumberFor<T>,
            /// The block.
            best_finalized: BlockNumberFor<T>,
        },
        /// A node belongs to the network from now on.
        NodeAdded {
            /// Its network key.
            node: NodeKey,
            /// What people call it.
            name: Name,
        },
        /// A node belongs to the network no longer.
        NodeRemoved {
            /// Its network key.
            node: NodeKey,
        },
    }

    /// Why a call was refused.
    #[pallet::error]
    pub enum Error<T> {
        /// The chain has no such block yet, so it cannot be the last finalised one.
        NotABlockYet,
        /// The node is on the list already.
        AlreadyListed,
        /// The node is not on the list.
        NotListed,
        /// The list is full: remove a node that is gone first.
        TooManyNodes,
        /// The node is the last one on the list, and an empty list would let everybody in: add
        /// another one first.
        LastNode,
        /// The two headers are the same, or are not of one slot that is over.
        NoEquivocation,
        /// A header does not build on a recent block of this chain.
        OtherChain,
        /// The offender is no authority of this session.
        NotAuthority,
        /// The offender was reported for this slot or a later one before.
        AlreadyReported,
        /// A header is not sealed by the offender.
        BadSeal,
    }

    #[pallet::hooks]
    impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
        #[cfg(feature = "try-runtime")]
        fn try_state(_now: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
            Self::do_try_state()
        }
    }

    #[pallet::call]
    impl<T: Config> Pallet<T> {
        /// Lets anybody with a role replace the runtime by the one whose BLAKE2b-256 hash is
        /// `code_hash`, with `system.apply_authorized_upgrade`. An authorisation that was not used
        /// yet is replaced.
        #[pallet::call_index(0)]
        #[pallet::weight((<T as Config>::WeightInfo::authorize_upgrade(), DispatchClass::Operational))]
        pub fn authorize_upgrade(origin: OriginFor<T>, code_hash: T::Hash) -> DispatchResult {
            T::UpgradeOrigin::ensure_origin(origin)?;
            frame_system::Pallet::<T>::authorize_upgrade(RawOrigin::Root.into(), code_hash)
        }

        /// Has the validators of the next session start a new GRANDPA authority set on top of
        /// `best_finalized`, `delay` blocks after the session's beginning: the way out when
        /// the present set can finalise nothing any more. `delay` is large enough if nobody doubts
        /// any more that the session's first block stays.
        #[pallet::call_index(1)]
        #[pallet::weight((<T as Config>::WeightInfo::note_stalled(), DispatchClass::Operational))]
        pub fn note_stalled(
            origin: OriginFor<T>,
            delay: BlockNumberFor<T>,
            best_finalized: BlockNumberFor<T>,
        ) -> DispatchResult {
            T::ValidatorsOrigin::ensure_origin(origin)?;
            ensure!(best_finalized < frame_system::Pallet::<T>::block_number(), Error::<T>::NotABlockYet);
            pallet_grandpa::Pallet::<T>::note_stalled(RawOrigin::Root.into(), delay, best_finalized)?;
            Self::deposit_event(Event::FinalityNotedStalled { delay, best_finalized });
            Ok(())
        }

        /// Makes a node part of the network. `node`: its ed25519 network key.
        #[pallet::call_index(2)]
        #[pallet::weight((<T as Config>::WeightInfo::add_node(), DispatchClass::Operational))]
        pub fn add_node(origin: OriginFor<T>, node: NodeKey, name: Name) -> DispatchResult {
            T::ValidatorsOrigin::ensure_origin(origin)?;
            Self::do_add_node(node, name)
        }

        /// Takes a node out of the network: the others close their connections to it.
        #[pallet::call_index(3)]
        #[pallet::weight((<T as Config>::WeightInfo::remove_node(), DispatchClass::Operational))]
        pub fn remove_node(origin: OriginFor<T>, node: NodeKey) -> DispatchResult {
            T::ValidatorsOrigin::ensure_origin(origin)?;
            Self::do_remove_node(node)
        }

        /// Suspends a validator that made two different blocks in one slot. Authorised by the two
        /// seals: anybody may bring it.
        #[pallet::call_index(4)]
        #[pallet::weight((<T as Config>::WeightInfo::report_equivocation(), DispatchClass::Operational))]
        #[pallet::authorize(|_source, proof| Pallet::<T>::authorize_report(proof))]
        #[pallet::weight_of_authorize(<T as Config>::WeightInfo::authorize_report())]
        pub fn report_equivocation(origin: OriginFor<T>, proof: Box<TwoBlocks<T>>) -> DispatchResult {
            ensure_authorized(origin)?;
            Self::do_report(&proof)
        }
    }
}
