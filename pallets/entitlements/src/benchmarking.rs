//! Benchmarks of all calls: the longest line of programs, wallets as full as they get.

use alloc::vec::Vec;

use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::{
    pallet_prelude::{Authorize, TransactionSource},
    traits::{EnsureOrigin, Time},
    BoundedVec,
};
use frame_system::RawOrigin;
use sp_core::{crypto::KeyTypeId, H256};
use sp_runtime::traits::Zero;
use stipend_primitives::{
    energy::EnergyBudget,
    key::KeyLimits,
    ledger::{Ledger, Roles},
    mint::{Cosignature, Grant, MintRequest},
    policy::{KindId, Policy, Terms, EMPLOYEE},
    settlement::UnattestedPolicy,
    AccountId, ClassId, Credits, KeyHash, ModelId, Moment, Name, ProgramId, Role, Signature,
};

use crate::{types::*, *};

const AMOUNT: Credits = 1_000_000;
const HOUR: Moment = 3_600_000;
const CLASS: ClassId = ClassId::INNOVATION;

fn account(kind: u8, number: u32) -> AccountId {
    let mut bytes = [kind; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    AccountId::new(bytes)
}

fn hash(number: u32) -> KeyHash {
    H256::from(sp_io::hashing::blake2_256(&number.encode()))
}

fn long_name() -> Name {
    Name::truncate_from(alloc::vec![b'n'; stipend_primitives::NAME_LEN_MAX as usize])
}

fn limits() -> KeyLimits {
    KeyLimits {
        models: BoundedVec::truncate_from((0..32).map(ModelId).collect()),
        request_cost_max: Some(AMOUNT),
        requests_per_minute_max: Some(60),
        expires_at: Some(Moment::MAX),
        credits_per_day_max: Some(AMOUNT),
        credits_per_minute_max: Some(AMOUNT),
        tokens_per_minute_max: Some(u64::MAX),
        model_credits_per_day_max: BoundedVec::truncate_from(
            (0..8).map(|at| (ModelId(at), AMOUNT)).collect(),
        ),
    }
}

fn with_role<T: Config>(kind: u8, role: Role) -> AccountId {
    let who = account(kind, 0);
    T::Roles::grant(&who, role);
    who
}

/// The lowest of a line of programs as long as can be; `owner` owns the root alone, so that finding
/// that out takes the whole way up.
fn deep_program<T: Config>(owner: &AccountId, class: ClassId) -> ProgramId {
    Pallet::<T>::endow_program(owner, NextProgramId::<T>::get(), class, AMOUNT * AMOUNT);
    let mut id = NextProgramId::<T>::mutate(|next| {
        *next += 1;
        *next - 1
    });
    for _ in 1..PROGRAM_DEPTH_MAX {
        let below = NextProgramId::<T>::get();
        let budget = Programs::<T>::get(id).map_or(0, |program| program.unminted) / 2;
        Pallet::<T>::do_delegate_program(owner, id, long_name(), account(0x77, below), budget)
            .expect("half of a budget can be delegated");
        id = below;
    }
    id
}

fn one(program: ProgramId) -> Grant {
    Grant::One { program, amount: 1_000, valid_from: None, valid_until: None }
}

/// A basket of `lines` from one deep program.
fn basket<T: Config>(issuer: &AccountId, lines: u32) -> Grant {
    let program = deep_program::<T>(issuer, CLASS);
    let lines = BoundedVec::truncate_from(alloc::vec![(program, 1_000, Some(HOUR)); lines as usize]);
    Pallet::<T>::do_set_basket(issuer.clone(), 0, long_name(), lines).expect("the issuer owns the program");
    Grant::Basket { basket: 0 }
}

/// Gives every class of `owner` a wallet; returns the classes.
fn all_classes<T: Config>(owner: &AccountId, count: u32) -> Vec<ClassId> {
    let classes: Vec<ClassId> = (0..count as u16).map(ClassId).collect();
    for class in &classes {
        Pallet::<T>::endow(owner, *class, AMOUNT);
    }
    classes
}

fn rows(count: u32) -> ReserveRows {
    BoundedVec::truncate_from((0..count).map(|number| (account(0xAA, number), CLASS, 10)).collect())
}

/// Fills what is stored of an issuer: the council set its allowance in every class there can be.
fn allow_in_all_classes<T: Config>(issuer: &AccountId) {
    let issuance = |class| Issuance { class, minted: 0, ceiling: 0, allowed: Some(AMOUNT * AMOUNT) };
    let classes = BoundedVec::truncate_from((0..CLASSES_MAX as u16).map(ClassId).map(issuance).collect());
    Issuers::<T>::insert(issuer, Issuer { period: 0, classes });
}

/// Makes an owner one of a kind whose policy is as long as can be and permits what is benchmarked.
fn with_policy<T: Config>(owner: &AccountId, kind: KindId) {
    let terms = |class| Terms { class: ClassId(class), holding_max: Credits::MAX };
    let classes = BoundedVec::truncate_from((0..CLASSES_MAX as u16).map(terms).collect());
    let policy = Policy { classes, validity_ms_max: None, keys_max: KEYS_MAX };
    Kinds::<T>::insert(kind, Kind { name: long_name(), policy, since: 0 });
    KindOf::<T>::insert(owner, Member { kind, since: 0 });
}

/// An issuer whose allowances take as long to look through as can be.
fn issuer<T: Config>() -> AccountId {
    let issuer = with_role::<T>(1, Role::Issuer);
    allow_in_all_classes::<T>(&issuer);
    issuer
}

/// A request signed by two issuers whose keys the benchmark's keystore makes.
fn request<T: Config>(lines: u32) -> (MintRequest, Signature, Option<Cosignature>) {
    const KIND: KeyTypeId = KeyTypeId(*b"bnch");
    let [key, second] = [(); 2].map(|()| sp_io::crypto::ed25519_generate(KIND, None));
    let [issuer, second_issuer] = [AccountId::new(key.0), AccountId::new(second.0)];
    T::Roles::grant(&issuer, Role::Issuer);
    T::Roles::grant(&second_issuer, Role::Issuer);
    allow_in_all_classes::<T>(&issuer);
    with_policy::<T>(&account(0xAA, 0), 1);
    let grant = basket::<T>(&issuer, lines);
    let request = MintRequest { issuer, idempotency_key: [7; 16], owner: account(0xAA, 0), grant };
    let genesis =
        frame_system::Pallet::<T>::block_hash(frame_system::pallet_prelude::BlockNumberFor::<T>::zero());
    let payload = request.signing_payload(&genesis);
    let [signature, cosignature] = [key, second].map(|key| {
        sp_io::crypto::ed25519_sign(KIND, &key, &payload).expect("the key was made a moment ago").0
    });
    (request, signature, Some(Cosignature { issuer: second_issuer, signature: cosignature }))
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn register_class() -> Result<(), BenchmarkError> {
        let origin = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, ClassId(999), long_name(), UnattestedPolicy::Accept);
        assert!(Classes::<T>::contains_key(ClassId(999)));
        Ok(())
    }

    #[benchmark]
    fn create_program() -> Result<(), BenchmarkError> {
        let origin = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        Pallet::<T>::endow(&account(0xAA, 0), CLASS, AMOUNT);
        let id = NextProgramId::<T>::get();
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, long_name(), CLASS, account(1, 0), AMOUNT);
        assert!(Programs::<T>::contains_key(id));
        Ok(())
    }

    #[benchmark]
    fn delegate_program() {
        let owner = account(1, 0);
        let lowest = deep_program::<T>(&owner, CLASS);
        let parent = Programs::<T>::get(lowest).and_then(|program| program.parent).expect("it is deep");
        let id = NextProgramId::<T>::get();
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), parent, long_name(), account(2, 0), 1_000);
        assert!(Programs::<T>::contains_key(id));
    }

    #[benchmark]
    fn increase_budget() -> Result<(), BenchmarkError> {
        let origin = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        let program = deep_program::<T>(&account(1, 0), CLASS);
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, program, AMOUNT);
        Ok(())
    }

    #[benchmark]
    fn set_basket(l: Linear<0, BASKET_LINES_MAX>) {
        let issuer = with_role::<T>(1, Role::Issuer);
        // Set by an account that is no issuer any more, so that its role is looked up too.
        basket::<T>(&account(3, 0), BASKET_LINES_MAX);
        let lines = (0..l).map(|_| (deep_program::<T>(&issuer, CLASS), 1_000, Some(HOUR))).collect();
        #[extrinsic_call]
        _(RawOrigin::Signed(issuer), 0, long_name(), BoundedVec::truncate_from(lines));
    }

    #[benchmark]
    fn mint(l: Linear<1, BASKET_LINES_MAX>) {
        let issuer = issuer::<T>();
        let grant = basket::<T>(&issuer, l);
        let owner = account(0xAA, 0);
        with_policy::<T>(&owner, 1);
        for _ in 0..SLICES_MAX - BASKET_LINES_MAX {
            Pallet::<T>::endow(&owner, CLASS, AMOUNT);
        }
        let next = NextEntitlementId::<T>::get();
        #[extrinsic_call]
        _(RawOrigin::Signed(issuer), owner, grant);
        assert_eq!(NextEntitlementId::<T>::get(), next + u64::from(l));
    }

    #[benchmark]
    fn mint_many(l: Linear<1, MINTS_MAX>) {
        let issuer = issuer::<T>();
        let program = deep_program::<T>(&issuer, CLASS);
        let grants = (0..l).map(|number| (account(0xAA, number), one(program))).collect();
        for number in 0..l {
            with_policy::<T>(&account(0xAA, number), (number % KINDS_MAX) as u16 + 1);
        }
        let next = NextEntitlementId::<T>::get();
        #[extrinsic_call]
        _(RawOrigin::Signed(issuer), BoundedVec::truncate_from(grants));
        assert_eq!(NextEntitlementId::<T>::get(), next + u64::from(l));
    }

    #[benchmark]
    fn mint_signed(l: Linear<1, BASKET_LINES_MAX>) {
        let (request, signature, cosignature) = request::<T>(l);
        let issuer = request.issuer.clone();
        #[extrinsic_call]
        _(RawOrigin::Authorized, request, signature, cosignature);
        assert!(Minted::<T>::contains_key(issuer, [7; 16]));
    }

    #[benchmark]
    fn authorize_mint_signed(l: Linear<1, BASKET_LINES_MAX>) -> Result<(), BenchmarkError> {
        let (request, signature, cosignature) = request::<T>(l);
        let call = Call::<T>::mint_signed { request, signature, cosignature };
        #[block]
        {
            call.authorize(TransactionSource::External).ok_or("the call can be authorised")??;
        }
        Ok(())
    }

    #[benchmark]
    fn revoke() {
        let issuer = with_role::<T>(1, Role::Issuer);
        let program = deep_program::<T>(&issuer, CLASS);
        let owner = account(0xAA, 0);
        for _ in 0..SLICES_MAX {
            Pallet::<T>::do_mint(&issuer, &owner, &one(program)).expect("there is room");
        }
        let id = NextEntitlementId::<T>::get() - 1;
        #[extrinsic_call]
        _(RawOrigin::Signed(issuer), id, None);
        assert_eq!(Pallet::<T>::entitlement(id).map(|view| view.amounts.revoked), Some(1_000));
    }

    #[benchmark]
    fn freeze(c: Linear<1, CLASSES_MAX>) {
        let issuer = with_role::<T>(1, Role::Issuer);
        let owner = account(0xAA, 0);
        all_classes::<T>(&owner, c);
        #[extrinsic_call]
        _(RawOrigin::Signed(issuer), owner.clone(), true);
        assert!(Owners::<T>::get(owner).is_some_and(|owner| owner.frozen));
    }

    #[benchmark]
    fn offboard(s: Linear<1, { CLASSES_MAX * SLICES_MAX }>) {
        let issuer = with_role::<T>(1, Role::Issuer);
        let owner = account(0xAA, 0);
        // Every slice from a program of its own, so that each returns to another budget.
        for number in 0..s {
            let class = ClassId((number % CLASSES_MAX) as u16);
            let program = 1_000_000 + number;
            Pallet::<T>::endow_program(&issuer, program, class, AMOUNT);
            Pallet::<T>::do_mint(&issuer, &owner, &one(program)).expect("there is room");
        }
        for number in 0..KEYS_MAX {
            Pallet::<T>::do_register_key(owner.clone(), hash(number), limits(), None).expect("there is room");
        }
        with_policy::<T>(&owner, 1);
        #[extrinsic_call]
        _(RawOrigin::Signed(issuer), owner.clone());
        assert!(KeysOf::<T>::get(&owner).is_empty());
    }

    #[benchmark]
    fn give_back() {
        let owner = account(0xAA, 0);
        for _ in 0..SLICES_MAX {
            Pallet::<T>::endow(&owner, CLASS, AMOUNT);
        }
        let id = NextEntitlementId::<T>::get() - 1;
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), id, AMOUNT);
        assert_eq!(Pallet::<T>::entitlement(id).map(|view| view.amounts.revoked), Some(AMOUNT));
    }

    #[benchmark]
    fn register_key(r: Linear<0, KEY_RESERVE_ROWS_MAX>) {
        let gateway = with_role::<T>(2, Role::Gateway);
        let owner = account(0xAA, 0);
        let rows = all_classes::<T>(&owner, KEY_RESERVE_ROWS_MAX).into_iter().take(r as usize);
        let rows = BoundedVec::truncate_from(rows.map(|class| (class, 10)).collect());
        with_policy::<T>(&owner, 1);
        // One was endowed with the credits.
        for number in 2..KEYS_MAX {
            Pallet::<T>::do_register_key(owner.clone(), hash(number), limits(), None).expect("there is room");
        }
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), hash(0), limits(), Some((gateway, rows)));
        assert!(Keys::<T>::contains_key(hash(0)));
    }

    #[benchmark]
    fn revoke_key() {
        let issuer = with_role::<T>(1, Role::Issuer);
        let owner = account(0xAA, 0);
        Pallet::<T>::endow(&owner, CLASS, AMOUNT);
        // One was endowed with the credits.
        for number in 1..KEYS_MAX {
            Pallet::<T>::do_register_key(owner.clone(), hash(number), limits(), None).expect("there is room");
        }
        #[extrinsic_call]
        _(RawOrigin::Signed(issuer), hash(KEYS_MAX - 1));
        assert!(!Keys::<T>::contains_key(hash(KEYS_MAX - 1)));
    }

    #[benchmark]
    fn set_limits() {
        let owner = account(0xAA, 0);
        Pallet::<T>::endow(&owner, CLASS, AMOUNT);
        Pallet::<T>::do_register_key(owner.clone(), hash(0), limits(), None).expect("there is room");
        #[extrinsic_call]
        _(RawOrigin::Signed(owner), hash(0), KeyLimits::default());
    }

    #[benchmark]
    fn reserve_many(n: Linear<1, RESERVE_ROWS_MAX>) {
        let gateway = with_role::<T>(2, Role::Gateway);
        for (owner, ..) in rows(n) {
            Pallet::<T>::endow(&owner, CLASS, AMOUNT);
            Pallet::<T>::endow(&owner, CLASS, AMOUNT);
        }
        #[extrinsic_call]
        _(RawOrigin::Signed(gateway), rows(n), T::Time::now() + HOUR);
    }

    #[benchmark]
    fn release(n: Linear<1, RESERVE_ROWS_MAX>) {
        let gateway = with_role::<T>(2, Role::Gateway);
        for (owner, ..) in rows(n) {
            Pallet::<T>::endow(&owner, CLASS, AMOUNT);
            Pallet::<T>::endow(&owner, CLASS, AMOUNT);
        }
        Pallet::<T>::do_reserve_many(gateway.clone(), rows(n), T::Time::now() + HOUR)
            .expect("an hour is not too long");
        #[extrinsic_call]
        _(RawOrigin::Signed(gateway), rows(n));
    }

    #[benchmark]
    fn set_mint_allowance() -> Result<(), BenchmarkError> {
        let origin = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        let issuer = issuer::<T>();
        Pallet::<T>::endow(&account(0xAA, 0), CLASS, AMOUNT);
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, issuer.clone(), CLASS, Some(AMOUNT));
        let rows = Pallet::<T>::mint_allowance(issuer).map(|allowance| allowance.classes);
        assert_eq!(rows.and_then(|rows| rows.first().map(|row| row.left)), Some(AMOUNT));
        Ok(())
    }

    #[benchmark]
    fn set_energy_budget() -> Result<(), BenchmarkError> {
        let origin = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        Pallet::<T>::endow(&account(0xAA, 0), CLASS, AMOUNT);
        let budget = EnergyBudget { period_ms: HOUR, millijoules_max: u128::MAX, mj_per_credit: u64::MAX };
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, CLASS, Some(budget));
        assert_eq!(Pallet::<T>::energy().len(), 1);
        Ok(())
    }

    #[benchmark]
    fn set_policy(c: Linear<0, CLASSES_MAX>) -> Result<(), BenchmarkError> {
        let origin = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        let terms = |class| Terms { class, holding_max: Credits::MAX };
        let classes = all_classes::<T>(&account(0xAA, 0), c).into_iter().map(terms).collect();
        let classes = BoundedVec::truncate_from(classes);
        let policy = Policy { classes, validity_ms_max: Some(Moment::MAX), keys_max: KEYS_MAX };
        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, 1, long_name(), policy.clone());
        assert_eq!(Kinds::<T>::get(1).map(|kind| kind.policy), Some(policy));
        Ok(())
    }

    #[benchmark]
    fn set_kind() {
        let issuer = with_role::<T>(1, Role::Issuer);
        let owner = account(0xAA, 0);
        with_policy::<T>(&account(0xAB, 0), 2);
        with_policy::<T>(&owner, 1);
        #[extrinsic_call]
        _(RawOrigin::Signed(issuer), owner.clone(), 2);
        assert_ne!(Pallet::<T>::kinds_of(alloc::vec![owner]), [EMPLOYEE]);
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
