//! Weights of `pallet_merit`.
//!
//! First estimates, by what `pallet_entitlements` measured for a grant out of a program and for taking one back.
//! `r` counts receipts that back an outcome, `n` outcomes.

#![allow(missing_docs)]

use core::marker::PhantomData;

use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, RuntimeDbWeight, Weight},
};

/// Weights of the calls.
pub trait WeightInfo {
    fn register_kind() -> Weight;
    fn announce_rule() -> Weight;
    fn record(r: u32) -> Weight;
    fn record_many(n: u32, r: u32) -> Weight;
    fn withdraw() -> Weight;
    fn contest() -> Weight;
    fn decide(n: u32) -> Weight;
    fn sweep(n: u32) -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// What an outcome with `r` receipts takes: kind, rules, caps, account, evidence; and a grant, which takes a
/// program, an owner, a wallet and an entitlement.
fn one_record(db: RuntimeDbWeight, r: u32) -> Weight {
    let receipt = Weight::from_parts(3_000_000, 0).saturating_add(db.reads_writes(1, 1));
    Weight::from_parts(140_000_000, 0)
        .saturating_add(db.reads_writes(16, 16))
        .saturating_add(receipt.saturating_mul(r.into()))
}

/// What taking one outcome back takes: account, kind, and burning in a wallet of a deep program.
fn one_revert(db: RuntimeDbWeight) -> Weight {
    Weight::from_parts(130_000_000, 0).saturating_add(db.reads_writes(12, 9))
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn register_kind() -> Weight {
        Weight::from_parts(45_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(6, 4))
    }

    fn announce_rule() -> Weight {
        Weight::from_parts(45_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(6, 3))
    }

    fn record(r: u32) -> Weight {
        Self::record_many(1, r)
    }

    fn record_many(n: u32, r: u32) -> Weight {
        let db = T::DbWeight::get();
        Weight::from_parts(10_000_000, 0)
            .saturating_add(db.reads(2))
            .saturating_add(one_record(db, r).saturating_mul(n.into()))
    }

    fn withdraw() -> Weight {
        let db = T::DbWeight::get();
        Weight::from_parts(10_000_000, 0).saturating_add(db.reads_writes(4, 3)).saturating_add(one_revert(db))
    }

    fn contest() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(T::DbWeight::get().reads_writes(13, 3))
    }

    fn decide(n: u32) -> Weight {
        let db = T::DbWeight::get();
        let each = one_revert(db).saturating_add(db.reads_writes(3, 3));
        Weight::from_parts(10_000_000, 0).saturating_add(each.saturating_mul(n.into()))
    }

    fn sweep(n: u32) -> Weight {
        let db = T::DbWeight::get();
        let each = one_revert(db).saturating_add(db.reads_writes(2, 2));
        Weight::from_parts(5_000_000, 0)
            .saturating_add(db.reads_writes(2, 1))
            .saturating_add(each.saturating_mul(n.into()))
    }
}

/// For tests: the same with the SDK's database costs.
impl WeightInfo for () {
    fn register_kind() -> Weight {
        Weight::from_parts(45_000_000, 0).saturating_add(ParityDbWeight::get().reads_writes(6, 4))
    }

    fn announce_rule() -> Weight {
        Weight::from_parts(45_000_000, 0).saturating_add(ParityDbWeight::get().reads_writes(6, 3))
    }

    fn record(r: u32) -> Weight {
        Self::record_many(1, r)
    }

    fn record_many(n: u32, r: u32) -> Weight {
        let db = ParityDbWeight::get();
        one_record(db, r).saturating_mul(n.into())
    }

    fn withdraw() -> Weight {
        one_revert(ParityDbWeight::get())
    }

    fn contest() -> Weight {
        Weight::from_parts(40_000_000, 0).saturating_add(ParityDbWeight::get().reads_writes(13, 3))
    }

    fn decide(n: u32) -> Weight {
        one_revert(ParityDbWeight::get()).saturating_mul(n.into())
    }

    fn sweep(n: u32) -> Weight {
        let db = ParityDbWeight::get();
        Weight::from_parts(5_000_000, 0).saturating_add(one_revert(db).saturating_mul(n.into()))
    }
}
