//! `frame_system`: what fits into a block, and what storage costs.

use frame_support::{
    derive_impl,
    dispatch::DispatchClass,
    parameter_types,
    traits::{ConstU32, Contains},
    weights::{
        constants::{WEIGHT_REF_TIME_PER_MILLIS, WEIGHT_REF_TIME_PER_NANOS},
        RuntimeDbWeight, Weight,
    },
};
use frame_system::limits::{BlockLength, BlockWeights};
use sp_runtime::{traits::AccountIdLookup, Perbill};
use sp_version::RuntimeVersion;

use crate::{
    AccountId, Block, BlockNumber, Hash, Nonce, PalletInfo, Runtime, RuntimeCall, RuntimeEvent,
    RuntimeOrigin, RuntimeTask, VERSION,
};

/// Execution time of a block: four fifths of a slot. The rest is for the state root, the network
/// and a slower neighbour.
const BLOCK_REF_TIME: u64 = 800 * WEIGHT_REF_TIME_PER_MILLIS;

/// Bytes of a block's extrinsics. A full batch of 100,000 receipts is 4.1 MB, so three of them fit.
const BLOCK_LENGTH: u32 = 16 * 1024 * 1024;

/// The part of a block that ordinary transactions may fill; the rest waits for the council, HR's
/// withdrawals and the gateways' reservations.
const NORMAL_SHARE: Perbill = Perbill::from_percent(90);

parameter_types! {
    /// Transactions can be mortal for up to an hour.
    pub const BlockHashCount: BlockNumber = 4_096;
    /// See [`VERSION`].
    pub const Version: RuntimeVersion = VERSION;
    /// The generic format: this is nobody's public network.
    pub const SS58Prefix: u16 = 42;

    /// ParityDB, values of a wallet's size. One wallet read, changed and committed to the trie took
    /// 10 to 15 µs in a prototype of this ledger inside the SDK's executor, with 10,000 wallets in
    /// the cache; the division between the two is the usual one.
    pub const DbWeight: RuntimeDbWeight = RuntimeDbWeight {
        read: 5_000 * WEIGHT_REF_TIME_PER_NANOS,
        write: 10_000 * WEIGHT_REF_TIME_PER_NANOS,
    };

    /// What fits into a block by execution time.
    pub RuntimeBlockWeights: BlockWeights = block_weights();
    /// What fits into a block by size.
    pub RuntimeBlockLength: BlockLength = BlockLength::builder()
        .max_length(BLOCK_LENGTH)
        .modify_max_length_for_class(DispatchClass::Normal, |length| *length = NORMAL_SHARE * *length)
        .build();
}

fn block_weights() -> BlockWeights {
    let block = Weight::from_parts(BLOCK_REF_TIME, u64::MAX);
    let normal = NORMAL_SHARE * block;
    BlockWeights::builder()
        .for_class(DispatchClass::Normal, |class| {
            class.max_total = Some(normal);
            // The session's hook announces a whole block where it takes a millisecond. What is
            // reserved for transactions is theirs even then, so no block stays empty.
            class.reserved = Some(normal);
        })
        .for_class(DispatchClass::Operational, |class| {
            class.max_total = Some(block);
            class.reserved = Some(block - normal);
        })
        .build_or_panic()
}

/// Refuses the calls that no account has a use for, or that only do harm here.
pub struct CallFilter;

impl Contains<RuntimeCall> for CallFilter {
    fn contains(call: &RuntimeCall) -> bool {
        // A validator set without keys stops the chain for good. Validators change their keys with
        // `set_keys`; when one leaves, `roles.remove_validator` takes its keys.
        !matches!(call, RuntimeCall::Session(pallet_session::Call::purge_keys {}))
    }
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
    type Block = Block;
    type BlockHashCount = BlockHashCount;
    type BlockLength = RuntimeBlockLength;
    type BlockWeights = RuntimeBlockWeights;
    type DbWeight = DbWeight;
    type BaseCallFilter = CallFilter;
    type AccountId = AccountId;
    type Lookup = AccountIdLookup<AccountId, ()>;
    type Nonce = Nonce;
    type Hash = Hash;
    type Version = Version;
    type SS58Prefix = SS58Prefix;
    /// Session keys are the only consumer of an account.
    type MaxConsumers = ConstU32<4>;
    type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
    type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
    type SingleBlockMigrations = crate::migrations::Migrations;
}
