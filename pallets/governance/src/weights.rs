//! Weights of `pallet_governance`, measured by `make weights`. Do not edit.
//!
//! Date 2026-11-21, CPU AMD EPYC, 20 steps, 8 repeats, Compiled WASM.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs, unused_parens)]

use core::marker::PhantomData;

use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, Weight},
};

/// Weights of the calls and of their authorisation.
pub trait WeightInfo {
    fn authorize_upgrade() -> Weight;
    fn note_stalled() -> Weight;
    fn add_node() -> Weight;
    fn remove_node() -> Weight;
    fn report_equivocation() -> Weight;
    fn authorize_report() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn authorize_upgrade() -> Weight {
        Weight::from_parts(15_000_000, 0)
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn note_stalled() -> Weight {
        Weight::from_parts(20_000_000, 1489)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn add_node() -> Weight {
        Weight::from_parts(25_000_000, 3559)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    fn remove_node() -> Weight {
        Weight::from_parts(25_000_000, 3559)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    fn report_equivocation() -> Weight {
        Weight::from_parts(120_000_000, 20000)
            .saturating_add(T::DbWeight::get().reads(11))
            .saturating_add(T::DbWeight::get().writes(5))
    }
    fn authorize_report() -> Weight {
        Weight::from_parts(180_000_000, 20000)
            .saturating_add(T::DbWeight::get().reads(7))
    }
}

/// For tests: the same with the SDK's database costs.
impl WeightInfo for () {
    fn authorize_upgrade() -> Weight {
        Weight::from_parts(15_000_000, 0)
            .saturating_add(ParityDbWeight::get().writes(1))
    }
    fn note_stalled() -> Weight {
        Weight::from_parts(20_000_000, 1489)
            .saturating_add(ParityDbWeight::get().reads(2))
            .saturating_add(ParityDbWeight::get().writes(1))
    }
    fn add_node() -> Weight {
        Weight::from_parts(25_000_000, 3559)
            .saturating_add(ParityDbWeight::get().reads(2))
            .saturating_add(ParityDbWeight::get().writes(2))
    }
    fn remove_node() -> Weight {
        Weight::from_parts(25_000_000, 3559)
            .saturating_add(ParityDbWeight::get().reads(2))
            .saturating_add(ParityDbWeight::get().writes(2))
    }
    fn report_equivocation() -> Weight {
        Weight::from_parts(120_000_000, 20000)
            .saturating_add(ParityDbWeight::get().reads(11))
            .saturating_add(ParityDbWeight::get().writes(5))
    }
    fn authorize_report() -> Weight {
        Weight::from_parts(180_000_000, 20000)
            .saturating_add(ParityDbWeight::get().reads(7))
    }
}
