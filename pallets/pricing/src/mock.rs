//! A runtime of this pallet alone. The council is the root origin.

use frame_support::{derive_impl, traits::ConstU32};
use sp_runtime::{traits::IdentityLookup, BuildStorage};
use stipend_primitives::{
    cost::{PriceEntries, PriceEntry},
    AccountId, ClassId, ModelId, Name,
};

/// Blocks that an old book stays chargeable for, in these tests.
pub const GRACE_BLOCKS: u32 = 10;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;

    #[runtime::pallet_index(12)]
    pub type Pricing = crate::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlockU32<Test>;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
}

impl crate::Config for Test {
    type CouncilOrigin = frame_system::EnsureRoot<AccountId>;
    type GraceBlocks = ConstU32<GRACE_BLOCKS>;
    type WeightInfo = ();
}

/// An entry that costs `c_output` a generated token and nothing else.
pub fn entry(number: u16, name: &str, c_output: u64) -> PriceEntry {
    PriceEntry {
        model: ModelId(number),
        name: Name::truncate_from(name.as_bytes().to_vec()),
        class: ClassId::INNOVATION,
        premium: false,
        c_input: 0,
        c_cached: 0,
        c_output,
        c_model: 0,
        weight: 0,
        reference_input: 0,
        reference_output: 0,
    }
}

/// A book with the one model "model", number 0.
pub fn book(c_output: u64) -> PriceEntries {
    PriceEntries::truncate_from(vec![entry(0, "model", c_output)])
}

/// State at block 1, with a genesis book of the entries given.
pub fn new_test_ext(entries: Vec<PriceEntry>) -> sp_io::TestExternalities {
    let genesis = RuntimeGenesisConfig {
        pricing: crate::GenesisConfig { entries, ..Default::default() },
        ..Default::default()
    };
    let mut ext: sp_io::TestExternalities = genesis.build_storage().expect("the genesis is valid").into();
    ext.execute_with(|| System::set_block_number(1));
    ext
}

/// Runs a test from block 1 without a genesis book and checks the invariants behind it.
pub fn run<R>(test: impl FnOnce() -> R) -> R {
    new_test_ext(Vec::new()).execute_with(|| {
        let result = test();
        Pricing::do_try_state().expect("the invariants hold");
        result
    })
}
