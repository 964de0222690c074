//! Benchmarks. `r` counts receipts that back outcomes, `n` outcomes.

use alloc::vec::Vec;

use frame_benchmarking::v2::*;
use frame_support::{
    traits::{EnsureOrigin, Time},
    BoundedVec,
};
use frame_system::RawOrigin;
use sp_core::H256;
use stipend_primitives::{
    ledger::Roles,
    merit::{Awards, DatedRule, Record, Rule, Source, RECEIPTS_MAX},
    AccountId, ClassId, Credits, Name, ProgramId, Role,
};

use crate::*;

const BUDGET: Credits = 1_000_000_000_000;
const DAY: u64 = 86_400_000;

fn account(kind: u8, number: u32) -> AccountId {
    let mut bytes = [kind; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    AccountId::new(bytes)
}

fn hash(number: u32) -> H256 {
    let mut bytes = [1; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    H256(bytes)
}

fn rule(program: ProgramId) -> Rule {
    Rule {
        program,
        award: 1_000,
        wallet_cap: BUDGET,
        evaluator_cap: BUDGET,
        period_ms: DAY,
        window_ms: DAY,
        lasts_ms: 30 * DAY,
        sunset: u64::MAX,
    }
}

/// A kind with a rule in force and another announced.
fn kind<T: Config>() -> Result<ProgramId, BenchmarkError> {
    let program = T::Awards::endow_awards(&account(3, 0), ClassId::PRIORITY, BUDGET);
    let later = T::Time::now().saturating_add(Notice::<T>::get());
    Pallet::<T>::do_register_kind(name(0), rule(program), later)?;
    // As if the notice were over.
    Rules::<T>::mutate_extant(0, 1, |rule: &mut DatedRule| rule.from = 0);
    Pallet::<T>::do_announce_rule(0, rule(program), later)?;
    Ok(program)
}

fn name(number: u32) -> Name {
    Name::truncate_from(alloc::format!("{number:064}").into_bytes())
}

fn record(number: u32, receipts: u32) -> Record {
    let ids = (0..receipts).map(|at| hash(number * RECEIPTS_MAX + at)).collect::<Vec<_>>();
    let source = match receipts {
        0 => Source::Purpose(hash(0)),
        _ => Source::Receipts(BoundedVec::truncate_from(ids)),
    };
    Record { kind: 0, wallet: account(3, 0), weight: 1, evidence: hash(number), source }
}

fn evaluator<T: Config>() -> AccountId {
    let who = account(1, 0);
    T::Roles::grant(&who, Role::Evaluator);
    who
}

/// Records outcomes for as many wallets and contests them; returns their numbers.
fn contested<T: Config>(count: u32) -> Result<Decided, BenchmarkError> {
    kind::<T>()?;
    let (first, second) = (evaluator::<T>(), account(2, 0));
    T::Roles::grant(&second, Role::Evaluator);
    let mut ids = Vec::new();
    for number in 0..count {
        let wallet = account(3, number);
        T::Awards::endow_awards(&wallet, ClassId::PRIORITY, 1);
        let id = Pallet::<T>::do_record(&first, Record { wallet, ..record(number, 0) })?;
        Pallet::<T>::do_contest(second.clone(), id, hash(9))?;
        ids.push(id);
    }
    Ok(BoundedVec::truncate_from(ids))
}

#[benchmarks]
mod benches {
    use super::*;

    #[benchmark]
    fn register_kind() -> Result<(), BenchmarkError> {
        let origin = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        let program = kind::<T>()?;
        let from = T::Time::now().saturating_add(Notice::<T>::get());

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, name(1), rule(program), from);

        assert_eq!(Kinds::<T>::count(), 2);
        Ok(())
    }

    #[benchmark]
    fn announce_rule() -> Result<(), BenchmarkError> {
        let origin = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        let program = kind::<T>()?;
        let from = T::Time::now().saturating_add(Notice::<T>::get());

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, 0, rule(program), from);

        assert!(Rules::<T>::contains_key(0, 3) && !Rules::<T>::contains_key(0, 2));
        Ok(())
    }

    #[benchmark]
    fn record(r: Linear<0, RECEIPTS_MAX>) -> Result<(), BenchmarkError> {
        kind::<T>()?;
        let who = evaluator::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(who), super::record(0, r));

        assert!(Outcomes::<T>::contains_key(0));
        Ok(())
    }

    #[benchmark]
    fn record_many(n: Linear<1, RECORDS_MAX>, r: Linear<0, RECEIPTS_MAX>) -> Result<(), BenchmarkError> {
        kind::<T>()?;
        let who = evaluator::<T>();
        let rows = (0..n).map(|number| {
            let wallet = account(3, number);
            T::Awards::endow_awards(&wallet, ClassId::PRIORITY, 1);
            Record { wallet, ..super::record(number, r) }
        });
        let rows = BoundedVec::truncate_from(rows.collect());

        #[extrinsic_call]
        _(RawOrigin::Signed(who), rows);

        assert_eq!(NextOutcomeId::<T>::get(), u64::from(n));
        Ok(())
    }

    #[benchmark]
    fn withdraw() -> Result<(), BenchmarkError> {
        contested::<T>(1)?;

        #[extrinsic_call]
        _(RawOrigin::Signed(account(1, 0)), 0);

        assert!(Outcomes::<T>::get(0).is_some_and(|outcome| outcome.standing.is_reverted()));
        Ok(())
    }

    #[benchmark]
    fn contest() -> Result<(), BenchmarkError> {
        kind::<T>()?;
        let id = Pallet::<T>::do_record(&evaluator::<T>(), super::record(0, 0))?;
        let second = account(2, 0);
        T::Roles::grant(&second, Role::Evaluator);

        #[extrinsic_call]
        _(RawOrigin::Signed(second), id, hash(1));

        assert!(OpenContests::<T>::contains_key(id));
        Ok(())
    }

    #[benchmark]
    fn decide(n: Linear<1, DECIDED_MAX>) -> Result<(), BenchmarkError> {
        let origin = T::CouncilOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        let ids = contested::<T>(n)?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, ids, false);

        assert_eq!(OpenContests::<T>::iter_keys().count(), 0);
        Ok(())
    }

    #[benchmark]
    fn sweep(n: Linear<0, SWEEP_MAX>) -> Result<(), BenchmarkError> {
        let ids = contested::<T>(n.max(1))?;
        Pallet::<T>::do_decide(ids.clone(), false)?;
        for id in ids {
            // Something is owed of each, and each is to be forgotten.
            Outcomes::<T>::mutate_extant(id, |outcome| (outcome.owed, outcome.closes_at) = (1, 0));
        }

        #[block]
        {
            Pallet::<T>::sweep(n);
        }

        assert_eq!(SweptTo::<T>::exists(), n > 0);
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
