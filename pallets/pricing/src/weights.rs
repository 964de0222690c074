//! Weights of `pallet_pricing`, measured by `make weights`. Do not edit.
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
    fn publish(n: u32, ) -> Weight;
    fn schedule(n: u32, ) -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Pricing::ModelNames` (r:256 w:256)
    // Proof: `Pricing::ModelNames` (`max_values`: None, `max_size`: Some(76), added: 2551, mode: `MaxEncodedLen`)
    // Storage: `Pricing::Recent` (r:1 w:1)
    // Proof: `Pricing::Recent` (`max_values`: Some(1), `max_size`: Some(258), added: 753, mode: `MaxEncodedLen`)
    // Storage: `Pricing::Books` (r:4 w:5)
    // Proof: `Pricing::Books` (`max_values`: None, `max_size`: Some(21), added: 2496, mode: `MaxEncodedLen`)
    // Storage: `Pricing::LastVersion` (r:1 w:1)
    // Proof: `Pricing::LastVersion` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Pricing::Entries` (r:1024 w:1280)
    // Proof: `Pricing::Entries` (`max_values`: None, `max_size`: Some(145), added: 2620, mode: `MaxEncodedLen`)
    // `n` is within `[1, 256]`.
    fn publish(n: u32, ) -> Weight {
        Weight::from_parts(1_614_983_438, 2683870)
            .saturating_add(Weight::from_parts(9_223_941, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(1031))
            .saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(1031))
            .saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(n.into())))
            .saturating_add(Weight::from_parts(0, 2551).saturating_mul(n.into()))
    }
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Pricing::ModelNames` (r:256 w:256)
    // Proof: `Pricing::ModelNames` (`max_values`: None, `max_size`: Some(76), added: 2551, mode: `MaxEncodedLen`)
    // Storage: `Pricing::Recent` (r:1 w:1)
    // Proof: `Pricing::Recent` (`max_values`: Some(1), `max_size`: Some(258), added: 753, mode: `MaxEncodedLen`)
    // Storage: `Pricing::Books` (r:4 w:5)
    // Proof: `Pricing::Books` (`max_values`: None, `max_size`: Some(21), added: 2496, mode: `MaxEncodedLen`)
    // Storage: `Pricing::LastVersion` (r:1 w:1)
    // Proof: `Pricing::LastVersion` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Pricing::Entries` (r:1024 w:1280)
    // Proof: `Pricing::Entries` (`max_values`: None, `max_size`: Some(145), added: 2620, mode: `MaxEncodedLen`)
    // `n` is within `[1, 256]`.
    fn schedule(n: u32, ) -> Weight {
        Weight::from_parts(1_593_685_449, 2683870)
            .saturating_add(Weight::from_parts(9_503_135, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(1031))
            .saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes(1031))
            .saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(n.into())))
            .saturating_add(Weight::from_parts(0, 2551).saturating_mul(n.into()))
    }
}

/// For tests: the same with the SDK's database costs.
impl WeightInfo for () {
    fn publish(n: u32, ) -> Weight {
        Weight::from_parts(1_614_983_438, 2683870)
            .saturating_add(Weight::from_parts(9_223_941, 0).saturating_mul(n.into()))
            .saturating_add(ParityDbWeight::get().reads(1031))
            .saturating_add(ParityDbWeight::get().reads((1_u64).saturating_mul(n.into())))
            .saturating_add(ParityDbWeight::get().writes(1031))
            .saturating_add(ParityDbWeight::get().writes((2_u64).saturating_mul(n.into())))
    }
    fn schedule(n: u32, ) -> Weight {
        Weight::from_parts(1_593_685_449, 2683870)
            .saturating_add(Weight::from_parts(9_503_135, 0).saturating_mul(n.into()))
            .saturating_add(ParityDbWeight::get().reads(1031))
            .saturating_add(ParityDbWeight::get().reads((1_u64).saturating_mul(n.into())))
            .saturating_add(ParityDbWeight::get().writes(1031))
            .saturating_add(ParityDbWeight::get().writes((2_u64).saturating_mul(n.into())))
    }
}
