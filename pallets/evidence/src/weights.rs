//! Weights of `pallet_evidence`.
//!
//! First estimates: one ed25519 verification is 50 µs, one SHA-256 or BLAKE2b in WASM 2 µs, one check that a
//! key is a point on the curve P-384 is 20 µs. `d` counts GPUs, `k` keys.

#![allow(missing_docs)]

use core::marker::PhantomData;

use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, Weight},
};

/// Weights of the calls.
pub trait WeightInfo {
    fn set_trust() -> Weight;
    fn set_keys(k: u32) -> Weight;
    fn set_class_policy() -> Weight;
    fn authorize_report_evidence(d: u32) -> Weight;
    fn authorize_report_keys(k: u32) -> Weight;
    fn report_evidence(d: u32) -> Weight;
    fn report_keys(k: u32) -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn set_trust() -> Weight {
        Weight::from_parts(20_000_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(3))
    }

    fn set_keys(k: u32) -> Weight {
        Weight::from_parts(20_000_000, 0)
            .saturating_add(Weight::from_parts(25_000_000, 0).saturating_mul(k.into()))
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn set_class_policy() -> Weight {
        Weight::from_parts(20_000_000, 0)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn authorize_report_evidence(d: u32) -> Weight {
        Weight::from_parts(110_000_000, 0)
            .saturating_add(T::DbWeight::get().reads(8))
            // Who has the GPU, and whether that counts.
            .saturating_add(T::DbWeight::get().reads(u64::from(d).saturating_mul(3)))
    }

    fn authorize_report_keys(k: u32) -> Weight {
        Weight::from_parts(110_000_000, 0)
            .saturating_add(Weight::from_parts(30_000_000, 0).saturating_mul(k.into()))
            .saturating_add(T::DbWeight::get().reads(6))
    }

    fn report_evidence(d: u32) -> Weight {
        Weight::from_parts(60_000_000, 0)
            .saturating_add(T::DbWeight::get().reads(10))
            // Who has the GPU, and whether that counts; and where it does not, the evidence that it stood in.
            .saturating_add(T::DbWeight::get().reads(u64::from(d).saturating_mul(5)))
            // With its own sixteen GPUs of before.
            .saturating_add(T::DbWeight::get().writes(20))
            // The new ones, and all sixteen of each provider that had one of them.
            .saturating_add(T::DbWeight::get().writes(u64::from(d).saturating_mul(18)))
    }

    fn report_keys(k: u32) -> Weight {
        Weight::from_parts(50_000_000, 0)
            .saturating_add(Weight::from_parts(2_000_000, 0).saturating_mul(k.into()))
            .saturating_add(T::DbWeight::get().reads(6))
            .saturating_add(T::DbWeight::get().writes(2))
    }
}

/// For tests.
impl WeightInfo for () {
    fn set_trust() -> Weight {
        ParityDbWeight::get().reads_writes(1, 3)
    }

    fn set_keys(_k: u32) -> Weight {
        ParityDbWeight::get().reads_writes(1, 1)
    }

    fn set_class_policy() -> Weight {
        ParityDbWeight::get().reads_writes(1, 1)
    }

    fn authorize_report_evidence(d: u32) -> Weight {
        ParityDbWeight::get().reads(8 + 3 * u64::from(d))
    }

    fn authorize_report_keys(_k: u32) -> Weight {
        ParityDbWeight::get().reads(6)
    }

    fn report_evidence(d: u32) -> Weight {
        ParityDbWeight::get().reads_writes(10 + 5 * u64::from(d), 20 + 18 * u64::from(d))
    }

    fn report_keys(_k: u32) -> Weight {
        ParityDbWeight::get().reads_writes(6, 2)
    }
}
