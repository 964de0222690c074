//! A chain of four validators with the pallets of consensus, in the runtime's order.

use frame_support::{
    derive_impl, parameter_types,
    traits::{ChangeMembers, ConstBool, ConstU32, ConstU64},
};
use frame_system::EnsureRoot;
use pallet_roles::{NoCurrency, PalletSession, Seats, ValidatorIdOf};
use pallet_session::{disabling::UpToLimitDisablingStrategy, PeriodicSessions};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::{
    generic, impl_opaque_keys,
    traits::{BlakeTwo256, IdentityLookup, OpaqueKeys},
    BuildStorage,
};
use stipend_primitives::AccountId;

/// Who may do nothing here: not even root acts where the council should.
pub(crate) const STRANGER: AccountId = AccountId::new([9; 32]);

/// The council's origins: three accounts, so that a test sees which one a call asks for.
pub(crate) const UPGRADE: AccountId = AccountId::new([1; 32]);
pub(crate) const VALIDATORS: AccountId = AccountId::new([2; 32]);

type Header = generic::Header<u32, BlakeTwo256>;
type Extrinsic = generic::UncheckedExtrinsic<AccountId, RuntimeCall, sp_runtime::MultiSignature, ()>;
type Block = generic::Block<Header, Extrinsic>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system = 0,
        Timestamp: pallet_timestamp = 1,
        Aura: pallet_aura = 2,
        Grandpa: pallet_grandpa = 3,
        Roles: pallet_roles = 10,
        Session: pallet_session = 4,
        Governance: crate = 15,
    }
);

impl_opaque_keys! {
    pub struct Keys {
        pub aura: Aura,
        pub grandpa: Grandpa,
    }
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
}

impl pallet_timestamp::Config for Test {
    type Moment = u64;
    type OnTimestampSet = Aura;
    type MinimumPeriod = ConstU64<500>;
    type WeightInfo = ();
}

impl pallet_aura::Config for Test {
    type AuthorityId = AuraId;
    type MaxAuthorities = ConstU32<8>;
    type DisabledValidators = Session;
    type AllowMultipleBlocksPerSlot = ConstBool<false>;
    type SlotDuration = ConstU64<1_000>;
}

impl pallet_grandpa::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ConstU32<8>;
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<0>;
    type KeyOwnerProof = sp_core::Void;
    type EquivocationReportSystem = ();
}

parameter_types! {
    pub const NoDeposit: u128 = 0;
    pub const SessionBlocks: u32 = 10;
    pub storage CouncilMembers: Vec<AccountId> = vec![];
}

impl pallet_session::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ValidatorIdOf<Test>;
    type ShouldEndSession = PeriodicSessions<SessionBlocks, ConstU32<0>>;
    type NextSessionRotation = PeriodicSessions<SessionBlocks, ConstU32<0>>;
    type SessionManager = Roles;
    type SessionHandler = <Keys as OpaqueKeys>::KeyTypeIdProviders;
    type Keys = Keys;
    type DisablingStrategy = UpToLimitDisablingStrategy;
    type WeightInfo = ();
    type Currency = NoCurrency<RuntimeHoldReason>;
    type KeyDeposit = NoDeposit;
}

/// A council that does not vote.
pub struct Council;

impl ChangeMembers<AccountId> for Council {
    fn change_members_sorted(_incoming: &[AccountId], _outgoing: &[AccountId], new: &[AccountId]) {
        CouncilMembers::set(&new.to_vec());
    }
}

impl Seats for Council {
    fn members() -> Vec<AccountId> {
        CouncilMembers::get()
    }
}

frame_support::ord_parameter_types! {
    pub const Upgrade: AccountId = UPGRADE;
    pub const ValidatorsKind: AccountId = VALIDATORS;
}

impl pallet_roles::Config for Test {
    type CouncilOrigin = EnsureRoot<AccountId>;
    type ValidatorsOrigin = frame_system::EnsureSignedBy<ValidatorsKind, AccountId>;
    type Seats = Council;
    type SeatsMax = ConstU32<5>;
    type SessionKeys = PalletSession<Test>;
    type SessionBlocks = SessionBlocks;
    type RoleAllowance = ConstU32<64>;
    type OwnerAllowance = ConstU32<4>;
    type OwnerLengthMax = ConstU32<100>;
    type ValidatorsMax = ConstU32<8>;
    type WeightInfo = ();
}

impl crate::Config for Test {
    type UpgradeOrigin = frame_system::EnsureSignedBy<Upgrade, AccountId>;
    type NodesMax = ConstU32<4>;
    type WeightInfo = ();
}

/// The validators: account and the key that seals blocks.
pub(crate) const AUTHORITIES: [(Ed25519Keyring, Sr25519Keyring); 4] = [
    (Ed25519Keyring::Alice, Sr25519Keyring::Alice),
    (Ed25519Keyring::Bob, Sr25519Keyring::Bob),
    (Ed25519Keyring::Charlie, Sr25519Keyring::Charlie),
    (Ed25519Keyring::Dave, Sr25519Keyring::Dave),
];

/// A chain at its first block, with the nodes given.
pub(crate) fn new_chain() -> sp_io::TestExternalities {
    let keys = AUTHORITIES.map(|(account, aura)| {
        let keys = Keys { aura: aura.public().into(), grandpa: account.public().into() };
        (account.to_account_id(), account.to_account_id(), keys)
    });
    let genesis = RuntimeGenesisConfig {
        roles: pallet_roles::GenesisConfig {
            council: vec![UPGRADE],
            validators: AUTHORITIES.map(|(account, _)| account.to_account_id()).into(),
            ..Default::default()
        },
        session: pallet_session::GenesisConfig { keys: keys.into(), non_authority_keys: vec![] },
        ..Default::default()
    };
    let storage = genesis.build_storage().expect("this genesis is sound");
    let mut chain = sp_io::TestExternalities::new(storage);
    chain.execute_with(|| System::set_block_number(1));
    chain
}
