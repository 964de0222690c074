//! A runtime for tests: this pallet on real entitlements, roles kept in a list, and a clock that tests set.

use frame_support::{derive_impl, parameter_types, traits::Time};
use sp_core::H256;
use sp_runtime::{traits::IdentityLookup, BuildStorage};
use stipend_primitives::{
    ledger::{Ledger, Roles as RolesTrait},
    merit::{KindId, OutcomeId, Record, Rule, Source},
    settlement::UnattestedPolicy,
    view::Amounts,
    AccountId, ClassId, Credits, EntitlementId, Moment, Name, ProgramId, Role,
};

use crate as pallet_merit;

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

    #[runtime::pallet_index(18)]
    pub type Merit = pallet_merit;
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
    pub const Unlimited: Credits = Credits::MAX;
}

/// When tests begin: the first moment of some day, in Unix time.
pub const START: Moment = 1_800_057_600_000;
pub const HOUR: Moment = 3_600_000;
pub const DAY: Moment = 24 * HOUR;
/// How long before it holds a rule is announced here.
pub const NOTICE: Moment = HOUR;
/// How long outcomes are remembered here.
pub const KEEP: Moment = 10 * DAY;
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
    type MintAllowance = Unlimited;
    type LargeMint = Unlimited;
    type WeightInfo = ();
}

impl pallet_merit::Config for Test {
    type CouncilOrigin = frame_system::EnsureSignedBy<Council, AccountId>;
    type Roles = Roles;
    type Awards = Entitlements;
    type Time = Clock;
    type Notice = frame_support::traits::ConstU64<NOTICE>;
    type Keep = frame_support::traits::ConstU64<KEEP>;
    type WeightInfo = ();
}

pub const PRIORITY: ClassId = ClassId::PRIORITY;

/// The program that pays for awards, of the class Priority.
pub const AWARDS: ProgramId = 1;

/// What [`AWARDS`] has.
pub const BUDGET: Credits = 1_000 * CREDIT;

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

/// An evaluator.
pub fn eva() -> AccountId {
    account(0xE1)
}

/// Another evaluator.
pub fn eli() -> AccountId {
    account(0xE2)
}

pub fn gateway() -> AccountId {
    account(0x60)
}

pub fn name(text: &str) -> Name {
    Name::truncate_from(text.as_bytes().to_vec())
}

/// Ten credits a unit, at most fifty a wallet and eighty an evaluator per day; a day to contest.
pub fn rule() -> Rule {
    Rule {
        program: AWARDS,
        award: 10 * CREDIT,
        wallet_cap: 50 * CREDIT,
        evaluator_cap: 80 * CREDIT,
        period_ms: DAY,
        window_ms: DAY,
        lasts_ms: 30 * DAY,
        sunset: START + 365 * DAY,
    }
}

/// A chain with classes Innovation and Priority, a program of each owned by HR, and two evaluators. Ada and
/// Bob hold one credit of Innovation and one of Priority for ever, and have a key.
pub fn new_test_ext() -> sp_io::TestExternalities {
    let storage = frame_system::GenesisConfig::<Test>::default().build_storage().expect("defaults are valid");
    let mut ext = sp_io::TestExternalities::new(storage);
    ext.register_extension(sp_keystore::KeystoreExt::new(sp_keystore::testing::MemoryKeystore::new()));
    ext.execute_with(|| {
        RoleHolders::set(Vec::new());
        Now::set(START);
        System::set_block_number(1);
        for (who, role) in [
            (hr(), Role::Issuer),
            (gateway(), Role::Gateway),
            (eva(), Role::Evaluator),
            (eli(), Role::Evaluator),
        ] {
            Roles::grant(&who, role);
        }
        for (class, class_name) in [(ClassId::INNOVATION, "Innovation"), (PRIORITY, "Priority")] {
            Entitlements::register_class(council(), class, name(class_name), UnattestedPolicy::Refund)
                .expect("the number is free");
            Entitlements::create_program(council(), name("HR"), class, hr(), BUDGET)
                .expect("the class is registered");
            for owner in [ada(), bob()] {
                Entitlements::endow(&owner, class, CREDIT);
            }
        }
        System::reset_events();
    });
    ext
}

/// Runs a test on [`new_test_ext`] and checks every invariant of both pallets afterwards.
pub fn test(body: impl FnOnce()) {
    new_test_ext().execute_with(|| {
        body();
        check();
    });
}

/// The same on a chain with the kind "commit", number 0, whose first rule is in force.
pub fn test_with_kind(body: impl FnOnce()) {
    test(|| {
        register("commit", rule());
        body();
    });
}

pub fn check() {
    Merit::do_try_state().expect("every invariant of merit holds");
    Entitlements::do_try_state().expect("every invariant of entitlements holds");
}

/// Registers a kind and passes the notice.
pub fn register(kind: &str, rule: Rule) {
    Merit::register_kind(council(), name(kind), rule, Now::get() + NOTICE).expect("the rule is sound");
    wait(NOTICE);
}

/// What an evaluator says of Ada: evidence by number, under a purpose.
pub fn said(kind: KindId, evidence: u8, weight: u32) -> Record {
    let (evidence, source) = (H256([evidence; 32]), Source::of_purpose("thesis"));
    Record { kind, wallet: ada(), weight, evidence, source }
}

/// Eva records an outcome of Ada of the kind 0; returns its number.
pub fn record(evidence: u8, weight: u32) -> OutcomeId {
    Merit::record(signed(&eva()), said(0, evidence, weight)).expect("the outcome is sound");
    crate::NextOutcomeId::<Test>::get() - 1
}

/// What an outcome was granted.
pub fn entitlement_of(id: OutcomeId) -> EntitlementId {
    Merit::outcome(id).and_then(|view| view.outcome.entitlement).expect("something was granted")
}

/// Passes the time.
pub fn wait(time: Moment) {
    Now::mutate(|now| *now += time);
}

/// An owner's Priority credits.
pub fn wallet(owner: &AccountId) -> Amounts {
    let rows = Entitlements::wallet(owner.clone());
    rows.iter().find(|row| row.class == PRIORITY).expect("everybody here has some").amounts
}

/// Whole credits of an owner: available, reserved, spent, expired, revoked.
pub fn credits(owner: &AccountId) -> [Credits; 5] {
    let amounts = wallet(owner);
    [amounts.available, amounts.reserved, amounts.spent, amounts.expired, amounts.revoked]
        .map(|amount| amount / CREDIT)
}

/// Whole credits that a wallet owes of the class Priority.
pub fn owed(owner: &AccountId) -> Credits {
    crate::Accounts::<Test>::get(owner, PRIORITY).owed / CREDIT
}

/// Spends an owner's Priority credits.
pub fn spend(owner: &AccountId, credits: Credits) {
    let spent = Entitlements::charge_alone(&gateway(), owner, PRIORITY, credits * CREDIT);
    assert_eq!(spent, credits * CREDIT, "the wallet covers it");
}

/// The gateway reserves an owner's Priority credits for an hour.
pub fn reserve(owner: &AccountId, credits: Credits) {
    let rows = vec![(owner.clone(), PRIORITY, credits * CREDIT)].try_into().expect("one row fits");
    Entitlements::reserve_many(signed(&gateway()), rows, Now::get() + HOUR).expect("the moment is sound");
}

/// The gateway lets go what it reserved.
pub fn release(owner: &AccountId, credits: Credits) {
    let rows = vec![(owner.clone(), PRIORITY, credits * CREDIT)].try_into().expect("one row fits");
    Entitlements::release(signed(&gateway()), rows).expect("a gateway may");
}

/// What the program for awards has left, in whole credits.
pub fn unminted() -> Credits {
    pallet_entitlements::Programs::<Test>::get(AWARDS).expect("it was made").unminted / CREDIT
}
