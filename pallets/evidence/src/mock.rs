//! A runtime with this pallet, the real `pallet-settlement`, and stand-ins for their neighbours.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;

use frame_support::{derive_impl, parameter_types, traits::ConstU32};
use frame_system::offchain::{CreateAuthorizedTransaction, CreateTransaction, CreateTransactionBase};
use sp_core::{ConstU16, H256};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{generic, traits::BlakeTwo256, BuildStorage, MultiSignature};
use stipend_primitives::{
    attestation::GpuUse,
    batch::SignedBatch,
    cost::PriceEntry,
    ledger::{Ledger, OpenItem, PriceError, Prices, Roles, Shortfall, Unsettled},
    settlement::{Item, UnattestedPolicy, VerdictKind},
    AccountId, BookVersion, ClassId, Credits, ModelId, Moment, Role,
};

use crate as pallet_evidence;

pub type TxExtension = (frame_system::AuthorizeCall<Test>,);
pub type Extrinsic = generic::UncheckedExtrinsic<AccountId, RuntimeCall, MultiSignature, TxExtension>;
type Block = generic::Block<generic::Header<u32, BlakeTwo256>, Extrinsic>;

#[frame_support::runtime]
mod runtime {
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
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system;
    #[runtime::pallet_index(14)]
    pub type Settlement = pallet_settlement;
    #[runtime::pallet_index(17)]
    pub type Evidence = pallet_evidence;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type AccountId = AccountId;
    type Block = Block;
    type Lookup = sp_runtime::traits::IdentityLookup<AccountId>;
    type SS58Prefix = ConstU16<42>;
}

impl<C> CreateTransactionBase<C> for Test
where
    RuntimeCall: From<C>,
{
    type Extrinsic = Extrinsic;
    type RuntimeCall = RuntimeCall;
}

impl<C> CreateTransaction<C> for Test
where
    RuntimeCall: From<C>,
{
    type Extension = TxExtension;

    fn create_transaction(call: RuntimeCall, extension: TxExtension) -> Extrinsic {
        Extrinsic::new_transaction(call, extension)
    }
}

impl<C> CreateAuthorizedTransaction<C> for Test
where
    RuntimeCall: From<C>,
{
    fn create_extension() -> TxExtension {
        (frame_system::AuthorizeCall::new(),)
    }
}

impl pallet_settlement::Config for Test {
    type CouncilOrigin = frame_system::EnsureRoot<AccountId>;
    type ExtractBatch = StandIn;
    type Ledger = StandIn;
    type Prices = StandIn;
    type Roles = StandIn;
    type Unsettled = StandIn;
    type Evidence = Evidence;
    type UnattestedAfter = ConstU32<60>;
    type WeightInfo = ();
}

impl crate::Config for Test {
    type CouncilOrigin = frame_system::EnsureRoot<AccountId>;
    type Time = Clock;
    type WeightInfo = ();
}

parameter_types! {
    /// Who has which role.
    pub static Members: BTreeSet<(AccountId, Role)> = BTreeSet::new();
    /// The chain's clock (Unix time, ms).
    pub static NowMs: Moment = 0;
}

pub struct Clock;

impl frame_support::traits::Time for Clock {
    type Moment = Moment;

    fn now() -> Moment {
        NowMs::get()
    }
}

/// Roles; and a ledger without anything in it.
pub struct StandIn;

impl Roles for StandIn {
    fn has(who: &AccountId, role: Role) -> bool {
        Members::get().contains(&(who.clone(), role))
    }

    fn grant(who: &AccountId, role: Role) {
        Members::mutate(|members| members.insert((who.clone(), role)));
    }
}

impl Ledger for StandIn {
    type Charges = ();

    fn begin_charges() {}

    fn charge(
        _charges: &mut (),
        _gateway: &AccountId,
        _owner: &AccountId,
        _class: ClassId,
        _amount: Credits,
    ) -> Credits {
        0
    }

    fn end_charges(_charges: (), _unsettled: &[(ClassId, Credits)]) {}

    fn settle_energy(_parts: &[(ClassId, Credits)], _energy_mj: Option<u64>) {}

    fn unsettled() -> Vec<(ClassId, Credits)> {
        Vec::new()
    }

    fn refund(_owner: &AccountId, _class: ClassId, _amount: Credits) -> Credits {
        0
    }

    fn unattested_policy(_class: ClassId) -> UnattestedPolicy {
        UnattestedPolicy::Refund
    }

    fn endow(_owner: &AccountId, _class: ClassId, _amount: Credits) {}
}

impl Prices for StandIn {
    fn chargeable(_book: BookVersion, _model: ModelId) -> Result<PriceEntry, PriceError> {
        Err(PriceError::UnknownBook)
    }

    fn entry(_book: BookVersion, _model: ModelId) -> Option<PriceEntry> {
        None
    }

    fn publish_for_test(_entries_count: u16) -> BookVersion {
        1
    }
}

impl Unsettled for StandIn {
    fn open_item(_item: &Item) -> Option<OpenItem> {
        None
    }

    fn open_items(_limit: usize) -> Vec<OpenItem> {
        Vec::new()
    }

    fn shortfalls(_item: &Item) -> Option<Vec<Shortfall>> {
        None
    }

    fn close_item(_item: &Item, _verdict: VerdictKind, _refunded: Credits, _gpu: GpuUse) {}

    fn submit_for_test(_batch: SignedBatch) {}
}

impl pallet_settlement::ExtractBatch for StandIn {
    fn extract(_extrinsic: &[u8]) -> Option<SignedBatch> {
        None
    }
}

/// Hash of this chain's first block.
pub const GENESIS: H256 = H256([7; 32]);

/// When the first block of these tests is made (Unix time, ms).
pub const STARTED_MS: Moment = 1_790_000_000_000;

/// A chain at block 1.
pub fn new_test_ext() -> sp_io::TestExternalities {
    Members::set(BTreeSet::new());
    NowMs::set(STARTED_MS);
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext.execute_with(|| {
        frame_system::BlockHash::<Test>::insert(0, GENESIS);
        System::set_block_number(1);
    });
    ext
}
