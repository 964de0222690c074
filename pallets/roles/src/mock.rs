//! A chain of three pallets: System, this one, and the SDK's Session, in the runtime's order.

use frame_support::{
    derive_impl, parameter_types,
    traits::{ChangeMembers, ConstU32, EnsureOrigin},
};
use frame_system::RawOrigin;
use pallet_session::{disabling::UpToLimitDisablingStrategy, PeriodicSessions, TestSessionHandler};
use sp_runtime::{testing::UintAuthorityId, traits::IdentityLookup, BuildStorage};
use stipend_primitives::AccountId;
#[cfg(feature = "runtime-benchmarks")]
use stipend_primitives::Role;

use crate::{NoCurrency, PalletSession, Seats, ValidatorIdOf};

pub(crate) const COUNCIL: AccountId = AccountId::new([1; 32]);
pub(crate) const VALIDATOR: AccountId = AccountId::new([2; 32]);
pub(crate) const MEMBER: AccountId = AccountId::new([3; 32]);
pub(crate) const STRANGER: AccountId = AccountId::new([9; 32]);

/// Blocks of one session.
pub(crate) const SESSION: u32 = 5;

type Block = frame_system::mocking::MockBlockU32<Test>;

frame_support::construct_runtime!(
    pub enum Test {
        System: frame_system = 0,
        Roles: crate = 10,
        Session: pallet_session = 4,
    }
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = Block;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
}

parameter_types! {
    pub const NoDeposit: u128 = 0;
}

impl pallet_session::Config for Test {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = ValidatorIdOf<Test>;
    type ShouldEndSession = PeriodicSessions<ConstU32<SESSION>, ConstU32<0>>;
    type NextSessionRotation = PeriodicSessions<ConstU32<SESSION>, ConstU32<0>>;
    type SessionManager = Roles;
    type SessionHandler = TestSessionHandler;
    type Keys = UintAuthorityId;
    type DisablingStrategy = UpToLimitDisablingStrategy;
    type WeightInfo = ();
    type Currency = NoCurrency<RuntimeHoldReason>;
    type KeyDeposit = NoDeposit;
}

parameter_types! {
    pub const SessionBlocks: u32 = SESSION;
    pub storage CouncilMembers: Vec<AccountId> = vec![];
}

/// A council that does not vote: each member acts alone.
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

impl EnsureOrigin<RuntimeOrigin> for Council {
    type Success = ();

    fn try_origin(origin: RuntimeOrigin) -> Result<(), RuntimeOrigin> {
        match origin.clone().into() {
            Ok(RawOrigin::Signed(who)) if Council::members().contains(&who) => Ok(()),
            _ => Err(origin),
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin() -> Result<RuntimeOrigin, ()> {
        Roles::put_role(&COUNCIL, Role::Council, None);
        Ok(RawOrigin::Signed(COUNCIL).into())
    }
}

impl crate::Config for Test {
    type CouncilOrigin = Council;
    type ValidatorsOrigin = Council;
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

/// A chain with one member of the council and one validator, at block 1.
pub(crate) fn new_chain() -> sp_io::TestExternalities {
    let genesis = RuntimeGenesisConfig {
        roles: crate::GenesisConfig {
            council: vec![COUNCIL],
            validators: vec![VALIDATOR],
            members: vec![],
            session_blocks: None,
            _config: Default::default(),
        },
        session: pallet_session::GenesisConfig {
            keys: vec![(VALIDATOR, VALIDATOR, UintAuthorityId(2))],
            non_authority_keys: vec![],
        },
        ..Default::default()
    };
    let storage = genesis.build_storage().expect("this genesis is sound");
    let mut chain = sp_io::TestExternalities::new(storage);
    chain.execute_with(|| System::set_block_number(1));
    chain
}
