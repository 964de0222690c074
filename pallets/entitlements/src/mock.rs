//! A runtime for tests: this pallet, roles kept in a list, and a clock that tests set.

use frame_support::{derive_impl, parameter_types, traits::Time};
use sp_runtime::{traits::IdentityLookup, BuildStorage};
use stipend_primitives::{
    ledger::Roles as RolesTrait,
    mint::Grant,
    policy::{KindId, Policy, Terms},
    settlement::UnattestedPolicy,
    AccountId, ClassId, Credits, EntitlementId, Moment, Name, ProgramId, Role,
};

use crate as pallet_entitlements;

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

    #[runtime::pallet_index(11)]
    pub type Entitlements = pallet_entitlements;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type Block = frame_system::mocking::MockBlock<Test>;
    type AccountId = AccountId;
    type Lookup = IdentityLookup<AccountId>;
}

parameter_types! {
    pub static RoleHolders: Vec<(AccountId, Role)> = Vec::new();
    pub static Now: Moment = START;
    /// No limits, unless a test sets some.
    pub static MintAllowance: Credits = Credits::MAX;
    pub static LargeMint: Credits = Credits::MAX;
}

/// When tests begin: some day, in Unix time.
pub const START: Moment = 1_800_000_000_000;
pub const HOUR: Moment = 3_600_000;
pub const DAY: Moment = 24 * HOUR;
/// One credit in micro-credits.
pub const CREDIT: Credits = 1_000_000;

pub struct Roles;
impl RolesTrait for Roles {
    fn has(who: &AccountId, role: Role) -> bool {
        RoleHolders::get().contains(&(who.clone(), role))
    }

    fn grant(who: &AccountId, role: Role) {
        RoleHolders::mutate(|holders| holders.push((who.clone(), role)));
    }
}

pub struct Clock;
impl Time for Clock {
    type Moment = Moment;

    fn now() -> Moment {
        Now::get()
    }
}

frame_support::ord_parameter_types! {
    pub const Council: AccountId = AccountId::new([0xC0; 32]);
}

impl pallet_entitlements::Config for Test {
    type CouncilOrigin = frame_system::EnsureSignedBy<Council, AccountId>;
    type Roles = Roles;
    type Time = Clock;
    type FirstReservationLifetime = frame_support::traits::ConstU64<DAY>;
    type ReservationLifetimeMax = frame_support::traits::ConstU64<{ 7 * DAY }>;
    type MintPeriod = frame_support::traits::ConstU64<DAY>;
    type MintAllowance = MintAllowance;
    type LargeMint = LargeMint;
    type WeightInfo = ();
}

pub fn council() -> RuntimeOrigin {
    RuntimeOrigin::signed(Council::get())
}

pub fn signed(who: &AccountId) -> RuntimeOrigin {
    RuntimeOrigin::signed(who.clone())
}

/// An account by number, of anybody.
pub fn account(number: u8) -> AccountId {
    AccountId::new([number; 32])
}

pub fn hr() -> AccountId {
    account(0x10)
}

pub fn ada() -> AccountId {
    account(0xA1)
}

pub fn bob() -> AccountId {
    account(0xB1)
}

pub fn gateway() -> AccountId {
    account(0x60)
}

pub fn other_gateway() -> AccountId {
    account(0x61)
}

pub const INNOVATION: ClassId = ClassId::INNOVATION;
pub const PRIORITY: ClassId = ClassId::PRIORITY;

pub fn name(text: &str) -> Name {
    Name::truncate_from(text.as_bytes().to_vec())
}

/// A chain with classes Innovation and Priority, a program of 1,000,000 credits for each (numbers 0 and
/// 1) owned by HR, and two gateways.
pub fn new_test_ext() -> sp_io::TestExternalities {
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage().expect("defaults are valid");
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.register_extension(sp_keystore::KeystoreExt::new(sp_keystore::testing::MemoryKeystore::new()));
    ext.execute_with(|| {
        RoleHolders::set(Vec::new());
        Now::set(START);
        MintAllowance::set(Credits::MAX);
        LargeMint::set(Credits::MAX);
        System::set_block_number(1);
        for (who, role) in
            [(hr(), Role::Issuer), (gateway(), Role::Gateway), (other_gateway(), Role::Gateway)]
        {
            Roles::grant(&who, role);
        }
        for (class, class_name) in [(INNOVATION, "Innovation"), (PRIORITY, "Priority")] {
            Entitlements::register_class(council(), class, name(class_name), UnattestedPolicy::Refund)
                .expect("the number is free");
            Entitlements::create_program(council(), name("HR"), class, hr(), 1_000_000 * CREDIT)
                .expect("the class is registered");
        }
        System::reset_events();
    });
    ext
}

/// Runs a test on [`new_test_ext`] and checks every invariant afterwards.
pub fn test(body: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        body();
        Entitlements::do_try_state().expect("every invariant holds");
    });
}

pub fn one(program: ProgramId, credits: Credits, valid_until: Option<Moment>) -> Grant {
    Grant::One { program, amount: credits * CREDIT, valid_from: None, valid_until }
}

/// HR grants Innovation credits to an owner who has a key; returns the entitlement's number.
pub fn mint(owner: &AccountId, credits: Credits, valid_until: Option<Moment>) -> EntitlementId {
    Entitlements::endow_key(owner);
    mint_without_key(owner, credits, valid_until)
}

/// HR grants Innovation credits; returns the entitlement's number.
pub fn mint_without_key(owner: &AccountId, credits: Credits, valid_until: Option<Moment>) -> EntitlementId {
    Entitlements::mint(signed(&hr()), owner.clone(), one(0, credits, valid_until))
        .expect("the grant is sound");
    crate::NextEntitlementId::<Test>::get() - 1
}

/// A kind of wallet that tests set policies for.
pub const CONTRACTOR: KindId = 1;

/// A policy: whole credits that may be held per class, the longest validity, and how many API keys.
pub fn policy(classes: &[(ClassId, Credits)], validity_ms_max: Option<Moment>, keys_max: u32) -> Policy {
    let terms =
        |(class, credits): &(ClassId, Credits)| Terms { class: *class, holding_max: credits * CREDIT };
    let classes = classes.iter().map(terms).collect::<Vec<_>>().try_into().expect("few classes fit");
    Policy { classes, validity_ms_max, keys_max }
}

/// The council sets the policy of contractors.
pub fn set_policy(policy: Policy) {
    Entitlements::set_policy(council(), CONTRACTOR, name("contractor"), policy).expect("it is sound");
}

/// HR says of which kind an owner's wallets are.
pub fn set_kind(owner: &AccountId, kind: KindId) {
    Entitlements::set_kind(signed(&hr()), owner.clone(), kind).expect("there is such a kind");
}

/// A gateway reserves Innovation credits for `lifetime`; whether it got them.
pub fn reserve(gateway: &AccountId, owner: &AccountId, credits: Credits, lifetime: Moment) -> bool {
    let rows = vec![(owner.clone(), INNOVATION, credits * CREDIT)].try_into().expect("one row fits");
    Entitlements::reserve_many(signed(gateway), rows, Now::get() + lifetime).expect("the moment is sound");
    let made = System::events().into_iter().rev().find_map(|record| match record.event {
        RuntimeEvent::Entitlements(crate::Event::ReservationsMade { made, .. }) => Some(made),
        _ => None,
    });
    made == Some(1)
}

pub fn release(gateway: &AccountId, owner: &AccountId, amount: Credits) {
    let rows = vec![(owner.clone(), INNOVATION, amount)].try_into().expect("one row fits");
    Entitlements::release(signed(gateway), rows).expect("a gateway may");
}

/// Passes the time.
pub fn wait(time: Moment) {
    Now::mutate(|now| *now += time);
}

/// An owner's Innovation credits, in whole credits: available, reserved, spent, expired, revoked.
pub fn credits(owner: &AccountId) -> [Credits; 5] {
    let rows = Entitlements::wallet(owner.clone());
    let row = rows.iter().find(|row| row.class == INNOVATION).expect("the owner has such a wallet");
    whole(&row.amounts)
}

/// One entitlement's credits, in whole credits: available, reserved, spent, expired, revoked.
pub fn credits_of(id: EntitlementId) -> [Credits; 5] {
    whole(&Entitlements::entitlement(id).expect("there is such an entitlement").amounts)
}

fn whole(amounts: &stipend_primitives::view::Amounts) -> [Credits; 5] {
    [amounts.available, amounts.reserved, amounts.spent, amounts.expired, amounts.revoked]
        .map(|amount| amount / CREDIT)
}
