//! The Stipend runtime: the rules that every validator applies to every block.
//!
//! | module | holds |
//! |---|---|
//! | [`configs`] | what each pallet is configured with, one file per group of pallets |
//! | [`apis`] | the runtime APIs that the node and JSON-RPC ask |
//! | [`transaction`] | the shape of transactions, their checks, and helpers to make them |
//! | [`genesis`] | the chains that the node knows by name |
//!
//! There is no sudo, no balance and no fee. What the council may do it does by vote, each kind of act
//! with its own threshold ([`configs::council`]); the root origin, which some calls of the SDK's
//! pallets ask for, belongs to nobody.
#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "256"]
// The SDK's macros write public items that carry no documentation.
#![allow(missing_docs)]

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

extern crate alloc;

// Before the modules that use its macros.
#[cfg(feature = "runtime-benchmarks")]
#[macro_use]
mod benchmarks;

pub mod apis;
pub mod configs;
pub mod genesis;
pub mod migrations;
pub mod transaction;

use alloc::{borrow::Cow, vec::Vec};

use sp_runtime::{generic, traits::BlakeTwo256, MultiAddress, MultiSignature};
use sp_version::RuntimeVersion;
pub use stipend_primitives::{AccountId, BlockNumber};

pub use apis::{RuntimeApi, RUNTIME_API_VERSIONS};
pub use configs::{session::SessionKeys, system::SS58Prefix};
pub use transaction::{authorized_extrinsic, SignedPayload, TxExtension, UncheckedExtrinsic};

/// Number of an account's next transaction.
pub type Nonce = u32;

/// BLAKE2b-256.
pub type Hash = sp_core::H256;

/// How an account is named in a transaction.
pub type Address = MultiAddress<AccountId, ()>;

/// A signature by an account. Stipend's own clients only make ed25519 ones, because gateways and
/// issuers sign off-chain bytes with the same key.
pub type Signature = MultiSignature;

/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;

/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;

/// What the node needs to know of a block, and no more: to it, extrinsics are bytes.
pub mod opaque {
    pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;
    use sp_runtime::{generic, traits::BlakeTwo256};

    pub use crate::configs::session::SessionKeys;

    /// A block's header.
    pub type Header = generic::Header<crate::BlockNumber, BlakeTwo256>;

    /// A block of opaque extrinsics.
    pub type Block = generic::Block<Header, UncheckedExtrinsic>;

    /// Names a block by number or hash.
    pub type BlockId = generic::BlockId<Block>;
}

/// What this runtime calls itself.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
    spec_name: Cow::Borrowed("stipend"),
    impl_name: Cow::Borrowed("stipend"),
    authoring_version: 1,
    spec_version: 4,
    impl_version: 1,
    apis: apis::RUNTIME_API_VERSIONS,
    transaction_version: 2,
    system_version: 1,
};

/// Applies blocks and transactions.
pub type Executive = frame_executive::Executive<
    Runtime,
    Block,
    frame_system::ChainContext<Runtime>,
    Runtime,
    AllPalletsWithSystem,
>;

// Hooks and genesis run in the order of the lines below. Roles come before Session, because session
// keys at genesis need accounts that exist and a validator set to belong to.
#[frame_support::runtime(legacy_ordering)]
mod runtime {
    /// The runtime.
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask,
        RuntimeViewFunction
    )]
    pub struct Runtime;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;

    #[runtime::pallet_index(1)]
    pub type Timestamp = pallet_timestamp;

    #[runtime::pallet_index(2)]
    pub type Aura = pallet_aura;

    #[runtime::pallet_index(3)]
    pub type Grandpa = pallet_grandpa;

    #[runtime::pallet_index(5)]
    pub type Authorship = pallet_authorship;

    #[runtime::pallet_index(6)]
    pub type Offences = pallet_offences;

    #[runtime::pallet_index(7)]
    pub type Historical = pallet_session::historical;

    #[runtime::pallet_index(10)]
    pub type Roles = pallet_roles;

    #[runtime::pallet_index(4)]
    pub type Session = pallet_session;

    #[runtime::pallet_index(11)]
    pub type Entitlements = pallet_entitlements;

    #[runtime::pallet_index(12)]
    pub type Pricing = pallet_pricing;

    #[runtime::pallet_index(13)]
    pub type Receipts = pallet_receipts;

    #[runtime::pallet_index(14)]
    pub type Settlement = pallet_settlement;

    // After Settlement: its worker goes first.
    #[runtime::pallet_index(17)]
    pub type Evidence = pallet_evidence;

    #[runtime::pallet_index(15)]
    pub type Governance = pallet_governance;

    #[runtime::pallet_index(16)]
    pub type Council = pallet_collective<Instance1>;

    #[runtime::pallet_index(18)]
    pub type Merit = pallet_merit;
}
