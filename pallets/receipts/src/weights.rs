//! Weights of the pallet's call and of its authorisation.
#![allow(missing_docs)]

use core::marker::PhantomData;
use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, Weight},
};
use stipend_primitives::batch::{CLASSES_MAX, PROVIDERS_MAX};

/// Classes that a batch with `l` lines charges at most, Priority among them.
fn classes_max(l: u32) -> u64 {
    u64::from(l).saturating_add(1).min(CLASSES_MAX as u64)
}

/// Weight functions needed for `pallet_receipts`.
pub trait WeightInfo {
    /// `r` receipts, `d` debits, `l` lines; the hash is at hand.
    fn submit_batch(r: u32, d: u32, l: u32) -> Weight;
    /// `r` receipts, `w` wallets, `l` lines.
    fn authorize_submit_batch(r: u32, w: u32, l: u32) -> Weight;
}

/// Weights for `pallet_receipts` with the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    fn submit_batch(r: u32, d: u32, l: u32) -> Weight {
        Weight::from_parts(60_000_000, 0)
            .saturating_add(Weight::from_parts(300_000, 0).saturating_mul(r.into()))
            .saturating_add(Weight::from_parts(6_000_000, 0).saturating_mul(d.into()))
            .saturating_add(Weight::from_parts(3_000_000, 0).saturating_mul(l.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            // The wallet, and where its reservation falls short whether its owner has a key.
            .saturating_add(T::DbWeight::get().reads(u64::from(d).saturating_mul(2)))
            .saturating_add(T::DbWeight::get().reads(u64::from(l).saturating_mul(2)))
            // What is known of each provider's hardware.
            .saturating_add(T::DbWeight::get().reads(u64::from(l.min(PROVIDERS_MAX)).saturating_mul(2)))
            .saturating_add(T::DbWeight::get().writes(5))
            // What paid for the items, and the energy of each class.
            .saturating_add(T::DbWeight::get().writes(1))
            .saturating_add(T::DbWeight::get().reads_writes(classes_max(l), classes_max(l)))
            .saturating_add(T::DbWeight::get().writes(d.into()))
    }

    fn authorize_submit_batch(r: u32, w: u32, l: u32) -> Weight {
        Weight::from_parts(90_000_000, 0)
            .saturating_add(Weight::from_parts(60_000, 0).saturating_mul(r.into()))
            .saturating_add(Weight::from_parts(60_000, 0).saturating_mul(w.into()))
            .saturating_add(Weight::from_parts(3_000_000, 0).saturating_mul(l.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().reads(u64::from(l).saturating_mul(2)))
    }
}

impl WeightInfo for () {
    fn submit_batch(r: u32, d: u32, l: u32) -> Weight {
        Weight::from_parts(60_000_000, 0)
            .saturating_add(Weight::from_parts(300_000, 0).saturating_mul(r.into()))
            .saturating_add(Weight::from_parts(6_000_000, 0).saturating_mul(d.into()))
            .saturating_add(Weight::from_parts(3_000_000, 0).saturating_mul(l.into()))
            .saturating_add(ParityDbWeight::get().reads(3))
            // The wallet, and where its reservation falls short whether its owner has a key.
            .saturating_add(ParityDbWeight::get().reads(u64::from(d).saturating_mul(2)))
            .saturating_add(ParityDbWeight::get().reads(u64::from(l).saturating_mul(2)))
            // What is known of each provider's hardware.
            .saturating_add(ParityDbWeight::get().reads(u64::from(l.min(PROVIDERS_MAX)).saturating_mul(2)))
            .saturating_add(ParityDbWeight::get().writes(5))
            // What paid for the items, and the energy of each class.
            .saturating_add(ParityDbWeight::get().writes(1))
            .saturating_add(ParityDbWeight::get().reads_writes(classes_max(l), classes_max(l)))
            .saturating_add(ParityDbWeight::get().writes(d.into()))
    }

    fn authorize_submit_batch(r: u32, w: u32, l: u32) -> Weight {
        Weight::from_parts(90_000_000, 0)
            .saturating_add(Weight::from_parts(60_000, 0).saturating_mul(r.into()))
            .saturating_add(Weight::from_parts(60_000, 0).saturating_mul(w.into()))
            .saturating_add(Weight::from_parts(3_000_000, 0).saturating_mul(l.into()))
            .saturating_add(ParityDbWeight::get().reads(3))
            .saturating_add(ParityDbWeight::get().reads(u64::from(l).saturating_mul(2)))
    }
}
