//! A runtime of this pallet alone, with stand-ins for its neighbours that keep their state in the
//! storage under test.

use frame_support::{derive_impl, Blake2_128Concat};
use sp_core::{ed25519, Pair, H256};
use sp_runtime::{generic, traits::IdentityLookup, BuildStorage, MultiSignature};
use stipend_primitives::{
    batch::{Batch, Line, Record, SignedBatch},
    cost::{PriceEntry, Usage},
    evidence::EvidenceLevel,
    ledger::{Evidence, Ledger, PriceError, Prices, Roles},
    settlement::UnattestedPolicy,
    AccountId, BlockNumber, BookVersion, ClassId, Credits, ModelId, Name, Role, Sequence,
};

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;

    #[runtime::pallet_index(13)]
    pub type Receipts = crate::Pallet<Test>;
}

/// The one extension that a batch needs.
pub type TxExtension = (frame_system::AuthorizeCall<Test>,);

pub type UncheckedExtrinsic =
    generic::UncheckedExtrinsic<AccountId, RuntimeCall, MultiSignature, TxExtension>;

type Block = generic::Block<generic::Header<u32, sp_runtime::traits::BlakeTwo256>, UncheckedExtrinsic>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
    type DbWeight = DbWeight;
}

frame_support::parameter_types! {
    /// Of a database whose hot part is in memory, as the runtime's.
    pub const DbWeight: frame_support::weights::RuntimeDbWeight =
        frame_support::weights::RuntimeDbWeight { read: 5_000_000, write: 10_000_000 };
}

impl crate::Config for Test {
    type Roles = StandIn;
    type Prices = StandIn;
    type Ledger = StandIn;
    type Evidence = StandIn;
    type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

#[frame_support::storage_alias]
type Granted = StorageMap<StandIn, Blake2_128Concat, (AccountId, Role), ()>;

#[frame_support::storage_alias]
type Entries =
    StorageDoubleMap<StandIn, Blake2_128Concat, BookVersion, Blake2_128Concat, ModelId, PriceEntry>;

#[frame_support::storage_alias]
type Versions = StorageValue<StandIn, BookVersion>;

#[frame_support::storage_alias]
type Retired = StorageMap<StandIn, Blake2_128Concat, BookVersion, ()>;

#[frame_support::storage_alias]
type Wallets = StorageMap<StandIn, Blake2_128Concat, (AccountId, ClassId), Credits>;

#[frame_support::storage_alias]
type Hardware = StorageMap<StandIn, Blake2_128Concat, AccountId, ()>;

#[frame_support::storage_alias]
type Charges = StorageValue<StandIn, u32>;

#[frame_support::storage_alias]
type Unsettled = StorageMap<StandIn, Blake2_128Concat, ClassId, Credits>;

/// What one settled item told the ledger: what paid for it by class, and what it took.
pub type Energy = (Vec<(ClassId, Credits)>, Option<u64>);

#[frame_support::storage_alias]
type Measured = StorageValue<StandIn, Vec<Energy>>;

/// Roles, prices, wallets and evidence.
pub struct StandIn;

impl Roles for StandIn {
    fn has(who: &AccountId, role: Role) -> bool {
        Granted::contains_key((who, role))
    }

    fn grant(who: &AccountId, role: Role) {
        Granted::insert((who, role), ());
    }
}

impl Prices for StandIn {
    fn chargeable(book: BookVersion, model: ModelId) -> Result<PriceEntry, PriceError> {
        if book == 0 || book > Versions::get().unwrap_or_default() {
            return Err(PriceError::UnknownBook);
        }
        if Retired::contains_key(book) {
            return Err(PriceError::RetiredBook);
        }
        Entries::get(book, model).ok_or(PriceError::UnknownModel)
    }

    fn entry(book: BookVersion, model: ModelId) -> Option<PriceEntry> {
        Entries::get(book, model)
    }

    fn publish_for_test(entries_count: u16) -> BookVersion {
        publish((0..entries_count).map(|number| entry(number, ClassId::INNOVATION)).collect())
    }
}

impl Ledger for StandIn {
    type Charges = ();

    fn begin_charges() {}

    fn charge(
        _charges: &mut (),
        _gateway: &AccountId,
        owner: &AccountId,
        class: ClassId,
        amount: Credits,
    ) -> Credits {
        assert!(amount > 0, "a charge of nothing costs a read");
        Charges::mutate(|count| *count = Some(count.unwrap_or_default() + 1));
        Wallets::mutate((owner, class), |held| {
            let collected = held.unwrap_or_default().min(amount);
            *held = Some(held.unwrap_or_default() - collected);
            collected
        })
    }

    fn end_charges(_charges: (), unsettled: &[(ClassId, Credits)]) {
        for (class, amount) in unsettled {
            Unsettled::mutate(class, |held| *held = Some(held.unwrap_or_default() + amount));
        }
    }

    fn settle_energy(parts: &[(ClassId, Credits)], energy_mj: Option<u64>) {
        for (class, amount) in parts {
            Unsettled::mutate_exists(class, |held| {
                let left = held.unwrap_or_default().checked_sub(*amount).expect("it was charged");
                *held = (left > 0).then_some(left);
            });
        }
        Measured::append((parts.to_vec(), energy_mj));
    }

    fn unsettled() -> Vec<(ClassId, Credits)> {
        let mut unsettled: Vec<_> = Unsettled::iter().collect();
        unsettled.sort_unstable();
        unsettled
    }

    fn refund(_owner: &AccountId, _class: ClassId, _amount: Credits) -> Credits {
        unreachable!("receipts never refunds")
    }

    fn unattested_policy(_class: ClassId) -> UnattestedPolicy {
        unreachable!("receipts never asks")
    }

    fn endow(owner: &AccountId, class: ClassId, amount: Credits) {
        Wallets::insert((owner, class), amount);
    }
}

impl Evidence for StandIn {
    fn level(provider: &AccountId) -> EvidenceLevel {
        if Hardware::contains_key(provider) {
            EvidenceLevel::Hardware
        } else {
            EvidenceLevel::Software
        }
    }

    fn required(_at: BlockNumber) -> Vec<ClassId> {
        unreachable!("receipts never asks")
    }

    fn forget(_provider: &AccountId) {
        unreachable!("receipts never forgets")
    }
}

/// Gives a provider evidence, or takes it away.
pub fn set_hardware(number: u16, has_evidence: bool) {
    if has_evidence {
        Hardware::insert(provider(number), ());
    } else {
        Hardware::remove(provider(number));
    }
}

/// What a wallet holds.
pub fn held(owner: &AccountId, class: ClassId) -> Credits {
    Wallets::get((owner, class)).unwrap_or_default()
}

/// What settled items told the ledger of their energy, oldest first.
pub fn measured() -> Vec<Energy> {
    Measured::get().unwrap_or_default()
}

/// How often the ledger was asked to charge.
pub fn charges_count() -> u32 {
    Charges::get().unwrap_or_default()
}

/// An entry with four different coefficients, so that no two are mistaken for each other.
pub fn entry(number: u16, class: ClassId) -> PriceEntry {
    PriceEntry {
        model: ModelId(number),
        name: Name::truncate_from(format!("model-{number}").into_bytes()),
        class,
        premium: false,
        c_input: 3,
        c_cached: 1,
        c_output: 12,
        c_model: 500,
        weight: 2,
        reference_input: 0,
        reference_output: 0,
    }
}

/// Puts a book in force and returns its version.
pub fn publish(entries: Vec<PriceEntry>) -> BookVersion {
    let version = Versions::get().unwrap_or_default() + 1;
    Versions::put(version);
    for entry in entries {
        Entries::insert(version, entry.model, entry);
    }
    version
}

/// Ends a book's grace period.
pub fn retire(version: BookVersion) {
    Retired::insert(version, ());
}

/// The key of the gateway with a number.
pub fn gateway_key(number: u8) -> ed25519::Pair {
    ed25519::Pair::from_seed(&[number; 32])
}

/// The account of the gateway with a number.
pub fn gateway(number: u8) -> AccountId {
    AccountId::new(gateway_key(number).public().0)
}

/// The owner of the wallet with a number.
pub fn owner(number: u16) -> AccountId {
    account(b'o', number)
}

/// The provider with a number.
pub fn provider(number: u16) -> AccountId {
    account(b'p', number)
}

fn account(kind: u8, number: u16) -> AccountId {
    let mut bytes = [kind; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    AccountId::new(bytes)
}

/// The genesis hash of the chain under test.
pub const GENESIS: H256 = H256([7; 32]);

/// A record with a digest of its own.
pub fn record(wallet: u16, line: u16, usage: (u32, u32, u32), priority_fee: u32) -> Record {
    let usage = Usage { input: usage.0, cached_input: usage.1, output: usage.2 };
    let mut digest = [0; 16];
    digest[..4].copy_from_slice(&(u32::from(wallet) << 16 | u32::from(line)).to_le_bytes());
    digest[4..8].copy_from_slice(&(usage.input ^ usage.output).to_le_bytes());
    Record { wallet, line, usage, priority_fee, digest }
}

/// A batch of one gateway over wallets 0, 1, 2 … and lines of (provider, book, model).
pub fn batch(
    gateway_number: u8,
    first_seq: Sequence,
    wallets_count: u16,
    lines: &[(u16, BookVersion, u16)],
    records: &[Record],
) -> Batch {
    let line = |(number, book, model): &(u16, BookVersion, u16)| Line {
        provider: provider(*number),
        book: *book,
        model: ModelId(*model),
    };
    let bytes: Vec<u8> = records.iter().flat_map(Record::to_bytes).collect();
    Batch {
        gateway: gateway(gateway_number),
        first_seq,
        wallets: (0..wallets_count).map(owner).collect::<Vec<_>>().try_into().expect("few wallets"),
        lines: lines.iter().map(line).collect::<Vec<_>>().try_into().expect("few lines"),
        records: bytes.try_into().expect("few records"),
    }
}

/// One receipt of wallet 0 by provider 0, model 0 of book 1.
pub fn single(gateway_number: u8, first_seq: Sequence) -> Batch {
    batch(gateway_number, first_seq, 1, &[(0, 1, 0)], &[record(0, 0, (10, 5, 2), 0)])
}

/// Signs a batch as its gateway does.
pub fn sign(gateway_number: u8, batch: Batch) -> SignedBatch {
    let signature = gateway_key(gateway_number).sign(&batch.signing_payload(&GENESIS)).0;
    SignedBatch { batch, signature }
}

/// State at block 1: gateways 0 and 1, a book with models 0 to 3 (model 2 is paid in Render, 3 in
/// Reasoning), and ten wallets with a million micro-credits in each class.
pub fn new_test_ext() -> sp_io::TestExternalities {
    let storage = RuntimeGenesisConfig::default().build_storage().expect("the genesis is valid");
    let mut ext: sp_io::TestExternalities = storage.into();
    #[cfg(feature = "runtime-benchmarks")]
    ext.register_extension(sp_keystore::KeystoreExt::new(sp_keystore::testing::MemoryKeystore::new()));
    ext.execute_with(|| {
        frame_system::BlockHash::<Test>::insert(0, GENESIS);
        System::set_block_number(1);
        for number in 0..2 {
            StandIn::grant(&gateway(number), Role::Gateway);
        }
        publish(vec![
            entry(0, ClassId::INNOVATION),
            entry(1, ClassId::INNOVATION),
            entry(2, ClassId::RENDER),
            entry(3, ClassId::REASONING),
        ]);
        for number in 0..10 {
            for class in 0..4 {
                StandIn::endow(&owner(number), ClassId(class), 1_000_000);
            }
        }
    });
    ext
}

/// Runs a test from block 1 and checks the invariants behind it.
pub fn run<R>(test: impl FnOnce() -> R) -> R {
    new_test_ext().execute_with(|| {
        let result = test();
        Receipts::do_try_state().expect("the invariants hold");
        result
    })
}
