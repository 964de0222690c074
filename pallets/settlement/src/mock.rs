//! A runtime with this pallet alone, and stand-ins for its neighbours.

#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use codec::{Decode, Encode};
use frame_support::{derive_impl, parameter_types, traits::ConstU32};
use frame_system::offchain::{CreateAuthorizedTransaction, CreateTransaction, CreateTransactionBase};
use sp_core::{ConstU16, H256};
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::{generic, traits::BlakeTwo256, BuildStorage, MultiSignature};
use stipend_primitives::{
    attestation::GpuUse,
    batch::{Batch, SignedBatch},
    cost::PriceEntry,
    evidence::EvidenceLevel,
    leaf::UsageLeaf,
    ledger::{Evidence, Ledger, OpenItem, PriceError, Prices, Roles, Shortfall, Unsettled},
    settlement::{Item, UnattestedPolicy, VerdictKind},
    AccountId, BlockNumber, BookVersion, ClassId, Credits, ModelId, Role,
};

use crate::{self as pallet_settlement, ExtractBatch};

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

/// Blocks that an attestation may take in these tests.
pub const UNATTESTED_AFTER: u32 = 60;

impl pallet_settlement::Config for Test {
    type CouncilOrigin = frame_system::EnsureRoot<AccountId>;
    type ExtractBatch = Extract;
    type Ledger = LedgerStandIn;
    type Prices = PricesStandIn;
    type Roles = RolesStandIn;
    type Unsettled = UnsettledStandIn;
    type Evidence = EvidenceStandIn;
    type UnattestedAfter = ConstU32<UNATTESTED_AFTER>;
    type WeightInfo = ();
}

parameter_types! {
    /// The open items.
    pub static Open: BTreeMap<Item, OpenItem> = BTreeMap::new();
    /// The items closed so far, with what came of them.
    pub static Closed: Vec<(Item, VerdictKind, Credits)> = Vec::new();
    /// What the item that was closed last took of GPUs.
    pub static LastGpuUse: GpuUse = GpuUse::default();
    /// What wallets owe the batches.
    pub static Owed: Option<Vec<Shortfall>> = Some(Vec::new());
    /// The refunds paid.
    pub static Paid: BTreeMap<(AccountId, ClassId), Credits> = BTreeMap::new();
    /// What the ledger gives back of one refund at most.
    pub static RefundMax: Credits = Credits::MAX;
    /// The classes whose charges stand unattested.
    pub static Accepted: BTreeSet<ClassId> = BTreeSet::new();
    /// The providers with evidence.
    pub static Hardware: BTreeSet<AccountId> = BTreeSet::new();
    /// The classes that require evidence, of batches that come in this block or later.
    pub static Required: BTreeMap<ClassId, u32> = BTreeMap::new();
    /// Whose evidence was forgotten.
    pub static Forgotten: Vec<AccountId> = Vec::new();
    /// Who has which role.
    pub static Members: BTreeSet<(AccountId, Role)> = BTreeSet::new();
    /// The extrinsics of each block.
    pub static Bodies: BTreeMap<u32, Vec<Vec<u8>>> = BTreeMap::new();
}

pub struct RolesStandIn;

impl Roles for RolesStandIn {
    fn has(who: &AccountId, role: Role) -> bool {
        Members::get().contains(&(who.clone(), role))
    }

    fn grant(who: &AccountId, role: Role) {
        Members::mutate(|members| members.insert((who.clone(), role)));
    }
}

pub struct LedgerStandIn;

impl Ledger for LedgerStandIn {
    type Charges = ();

    fn begin_charges() {}

    fn charge(
        _charges: &mut (),
        _gateway: &AccountId,
        _owner: &AccountId,
        _class: ClassId,
        amount: Credits,
    ) -> Credits {
        amount
    }

    fn end_charges(_charges: (), _unsettled: &[(ClassId, Credits)]) {}

    fn settle_energy(_parts: &[(ClassId, Credits)], _energy_mj: Option<u64>) {}

    fn unsettled() -> Vec<(ClassId, Credits)> {
        Vec::new()
    }

    fn refund(owner: &AccountId, class: ClassId, amount: Credits) -> Credits {
        let given = amount.min(RefundMax::get());
        Paid::mutate(|paid| *paid.entry((owner.clone(), class)).or_default() += given);
        given
    }

    fn unattested_policy(class: ClassId) -> UnattestedPolicy {
        if Accepted::get().contains(&class) {
            UnattestedPolicy::Accept
        } else {
            UnattestedPolicy::Refund
        }
    }

    fn endow(_owner: &AccountId, _class: ClassId, _amount: Credits) {}
}

pub struct EvidenceStandIn;

impl Evidence for EvidenceStandIn {
    fn level(provider: &AccountId) -> EvidenceLevel {
        if Hardware::get().contains(provider) {
            EvidenceLevel::Hardware
        } else {
            EvidenceLevel::Software
        }
    }

    fn required(at: BlockNumber) -> Vec<ClassId> {
        Required::get().into_iter().filter(|(_, since)| *since <= at).map(|(class, _)| class).collect()
    }

    fn forget(provider: &AccountId) {
        Forgotten::mutate(|forgotten| forgotten.push(provider.clone()));
    }
}

pub struct PricesStandIn;

/// The version of the only book. It is retired: nothing here may ask what is chargeable.
pub const BOOK: BookVersion = 3;

/// The price of model `n`: models 0 and 1 are paid in Innovation, 2 and 3 in Reasoning.
pub fn price(model: ModelId) -> PriceEntry {
    PriceEntry {
        model,
        name: format!("model-{}", model.0).into_bytes().try_into().unwrap(),
        class: if model.0 < 2 { ClassId::INNOVATION } else { ClassId::REASONING },
        premium: false,
        c_input: 10 + u64::from(model.0),
        c_cached: 1,
        c_output: 40,
        c_model: 25,
        weight: 4,
        reference_input: 0,
        reference_output: 0,
    }
}

impl Prices for PricesStandIn {
    fn chargeable(_book: BookVersion, _model: ModelId) -> Result<PriceEntry, PriceError> {
        Err(PriceError::RetiredBook)
    }

    fn entry(book: BookVersion, model: ModelId) -> Option<PriceEntry> {
        (book == BOOK && model.0 < 4).then(|| price(model))
    }

    fn publish_for_test(_entries_count: u16) -> BookVersion {
        BOOK
    }
}

pub struct UnsettledStandIn;

impl Unsettled for UnsettledStandIn {
    fn open_item(item: &Item) -> Option<OpenItem> {
        Open::get().get(item).cloned()
    }

    fn open_items(limit: usize) -> Vec<OpenItem> {
        Open::get().into_values().take(limit).collect()
    }

    fn shortfalls(_item: &Item) -> Option<Vec<Shortfall>> {
        Owed::get()
    }

    fn close_item(item: &Item, verdict: VerdictKind, refunded: Credits, gpu: GpuUse) {
        assert!(Open::mutate(|open| open.remove(item)).is_some(), "only open items are closed");
        Closed::mutate(|closed| closed.push((item.clone(), verdict, refunded)));
        LastGpuUse::set(gpu);
    }

    fn submit_for_test(signed: SignedBatch) {
        let batch = &signed.batch;
        for provider in batch.providers() {
            let open = open_item(batch, provider, System::block_number());
            Open::mutate(|all| all.insert(open.item.clone(), open));
        }
        Bodies::mutate(|bodies| {
            let body = bodies.entry(System::block_number()).or_default();
            body.push(vec![0xff]);
            body.push(signed.encode());
        });
    }
}

/// What the batch leaves open for a provider.
fn open_item(batch: &Batch, provider: AccountId, submitted_at: u32) -> OpenItem {
    let leaves = leaves_of(batch, &provider);
    let mut collected: Credits = batch
        .records()
        .filter(|record| batch.lines[usize::from(record.line)].provider == provider)
        .map(|record| {
            let line = &batch.lines[usize::from(record.line)];
            price(line.model).cost(&record.usage) + Credits::from(record.priority_fee)
        })
        .sum();
    for owed in Owed::get().unwrap_or_default() {
        collected -= owed.amount;
    }
    OpenItem {
        evidence: EvidenceStandIn::level(&provider),
        item: Item { gateway: batch.gateway.clone(), first_seq: batch.first_seq, provider },
        last_seq: batch.last_seq(),
        submitted_at,
        batch_hash: batch.hash(),
        count: leaves.len() as u32,
        root: UsageLeaf::root(&leaves),
        collected,
    }
}

/// The provider's usage leaves as the gateway claims them.
pub fn leaves_of(batch: &Batch, provider: &AccountId) -> Vec<UsageLeaf> {
    (batch.first_seq..)
        .zip(batch.records())
        .filter(|(_, record)| batch.lines[usize::from(record.line)].provider == *provider)
        .map(|(seq, record)| UsageLeaf {
            seq,
            model: batch.lines[usize::from(record.line)].model,
            usage: record.usage,
            digest: record.digest,
        })
        .collect()
}

pub struct Extract;

impl ExtractBatch for Extract {
    fn extract(mut extrinsic: &[u8]) -> Option<SignedBatch> {
        SignedBatch::decode(&mut extrinsic).ok()
    }
}

/// Hash of this chain's first block.
pub const GENESIS: H256 = H256([7; 32]);

/// A chain at block 1.
pub fn new_test_ext() -> sp_io::TestExternalities {
    Open::set(BTreeMap::new());
    Closed::set(Vec::new());
    Owed::set(Some(Vec::new()));
    Paid::set(BTreeMap::new());
    RefundMax::set(Credits::MAX);
    Accepted::set(BTreeSet::new());
    Hardware::set(BTreeSet::new());
    Required::set(BTreeMap::new());
    Forgotten::set(Vec::new());
    Members::set(BTreeSet::new());
    Bodies::set(BTreeMap::new());
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
    ext.execute_with(|| {
        frame_system::BlockHash::<Test>::insert(0, GENESIS);
        System::set_block_number(1);
    });
    ext
}
