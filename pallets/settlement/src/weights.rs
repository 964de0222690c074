//! Weights of `pallet_settlement`.
//!
//! First estimates: one ed25519 verification is 50 µs, one BLAKE2b over a refund 50 ns, one refund a
//! read and a write of a wallet.

#![allow(missing_docs)]

use core::marker::PhantomData;

use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, Weight},
};
use stipend_primitives::batch::CLASSES_MAX;

/// Storage items that closing an item touches to count its energy: what paid for it, and each class that did.
const ITEM_ENERGY: u64 = 1 + CLASSES_MAX as u64;

/// Weights of the calls; `r` counts refunds.
pub trait WeightInfo {
    fn register_provider() -> Weight;
    fn set_endpoint() -> Weight;
    fn authorize_vote(r: u32) -> Weight;
    fn vote_without_quorum(r: u32) -> Weight;
    fn vote(r: u32) -> Weight;
    fn queue_refunds(r: u32) -> Weight;
    fn pay_refunds(r: u32) -> Weight;
    fn report_equivocation() -> Weight;
    fn reinstate_provider() -> Weight;
    fn set_grid_intensity() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn register_provider() -> Weight {
        Weight::from_parts(15_000_000, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn set_endpoint() -> Weight {
        Weight::from_parts(15_000_000, 0)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn authorize_vote(r: u32) -> Weight {
        Weight::from_parts(90_000_000, 0)
            .saturating_add(Weight::from_parts(250_000, 0).saturating_mul(r.into()))
            .saturating_add(T::DbWeight::get().reads(5))
    }

    fn vote_without_quorum(r: u32) -> Weight {
        Weight::from_parts(40_000_000, 0)
            .saturating_add(Weight::from_parts(200_000, 0).saturating_mul(r.into()))
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn vote(r: u32) -> Weight {
        Weight::from_parts(60_000_000, 0)
            .saturating_add(Weight::from_parts(8_000_000, 0).saturating_mul(r.into()))
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().reads(r.into()))
            .saturating_add(T::DbWeight::get().writes(6))
            .saturating_add(T::DbWeight::get().writes(r.into()))
            // What paid for the item, and the energy of each class.
            .saturating_add(T::DbWeight::get().reads_writes(ITEM_ENERGY, ITEM_ENERGY))
    }

    fn queue_refunds(r: u32) -> Weight {
        Weight::from_parts(20_000_000, 0)
            .saturating_add(Weight::from_parts(300_000, 0).saturating_mul(r.into()))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn pay_refunds(r: u32) -> Weight {
        Weight::from_parts(20_000_000_000, 0)
            .saturating_add(Weight::from_parts(8_000_000, 0).saturating_mul(r.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads(r.into()))
            .saturating_add(T::DbWeight::get().writes(4))
            .saturating_add(T::DbWeight::get().writes(r.into()))
            // What paid for the item, and the energy of each class.
            .saturating_add(T::DbWeight::get().reads_writes(ITEM_ENERGY, ITEM_ENERGY))
    }

    fn report_equivocation() -> Weight {
        Weight::from_parts(140_000_000, 0)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(2))
    }

    fn reinstate_provider() -> Weight {
        Weight::from_parts(15_000_000, 0)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }

    fn set_grid_intensity() -> Weight {
        Weight::from_parts(15_000_000, 0)
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}

/// For tests.
impl WeightInfo for () {
    fn register_provider() -> Weight {
        ParityDbWeight::get().reads_writes(3, 1)
    }

    fn set_endpoint() -> Weight {
        ParityDbWeight::get().reads_writes(2, 1)
    }

    fn authorize_vote(r: u32) -> Weight {
        ParityDbWeight::get().reads(5).saturating_add(Weight::from_parts(250_000, 0).saturating_mul(r.into()))
    }

    fn vote_without_quorum(_r: u32) -> Weight {
        ParityDbWeight::get().reads_writes(4, 1)
    }

    fn vote(r: u32) -> Weight {
        ParityDbWeight::get()
            .reads_writes(8 + u64::from(r), 6 + u64::from(r))
            // What paid for the item, and the energy of each class.
            .saturating_add(ParityDbWeight::get().reads_writes(ITEM_ENERGY, ITEM_ENERGY))
    }

    fn queue_refunds(_r: u32) -> Weight {
        ParityDbWeight::get().writes(2)
    }

    fn pay_refunds(r: u32) -> Weight {
        ParityDbWeight::get()
            .reads_writes(5 + u64::from(r), 4 + u64::from(r))
            // What paid for the item, and the energy of each class.
            .saturating_add(ParityDbWeight::get().reads_writes(ITEM_ENERGY, ITEM_ENERGY))
    }

    fn report_equivocation() -> Weight {
        ParityDbWeight::get().reads_writes(9, 2)
    }

    fn reinstate_provider() -> Weight {
        ParityDbWeight::get().reads_writes(3, 1)
    }

    fn set_grid_intensity() -> Weight {
        ParityDbWeight::get().reads_writes(2, 1)
    }
}
