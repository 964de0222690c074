//! Weights of `pallet_roles`, measured by `make weights`. Do not edit.
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
    fn grant_role() -> Weight;
    fn revoke_role() -> Weight;
    fn add_validator() -> Weight;
    fn remove_validator() -> Weight;
    fn reinstate_validator() -> Weight;
    fn check_admission() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Roles::Grants` (r:2 w:1)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Council::Members` (r:1 w:1)
    // Storage: `Council::Proposals` (r:1 w:0)
    // Storage: `Council::Voting` (r:150 w:150)
    // Storage: `Council::Prime` (r:0 w:1)
    fn grant_role() -> Weight {
        Weight::from_parts(1_570_000_000, 6122)
            .saturating_add(T::DbWeight::get().reads(154))
            .saturating_add(T::DbWeight::get().writes(153))
    }
    // Storage: `Roles::Grants` (r:2 w:1)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Council::Members` (r:1 w:1)
    // Storage: `Council::Proposals` (r:1 w:0)
    // Storage: `Council::Voting` (r:150 w:150)
    // Storage: `Council::Prime` (r:0 w:1)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    fn revoke_role() -> Weight {
        Weight::from_parts(1_580_000_000, 6122)
            .saturating_add(T::DbWeight::get().reads(155))
            .saturating_add(T::DbWeight::get().writes(154))
    }
    // Storage: `Roles::Grants` (r:2 w:1)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Roles::Validators` (r:1 w:1)
    // Proof: `Roles::Validators` (`max_values`: Some(1), `max_size`: Some(3202), added: 3697, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    fn add_validator() -> Weight {
        Weight::from_parts(59_558_000, 6122)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // Storage: `Roles::Grants` (r:2 w:1)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Roles::Validators` (r:1 w:1)
    // Proof: `Roles::Validators` (`max_values`: Some(1), `max_size`: Some(3202), added: 3697, mode: `MaxEncodedLen`)
    // Storage: `Session::NextKeys` (r:2 w:1)
    // Proof: `Session::NextKeys` (`max_values`: None, `max_size`: None, mode: `Measured`)
    // Storage: `Session::ExternallySetKeys` (r:1 w:0)
    // Proof: `Session::ExternallySetKeys` (`max_values`: None, `max_size`: None, mode: `Measured`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Session::KeyOwner` (r:0 w:3)
    // Proof: `Session::KeyOwner` (`max_values`: None, `max_size`: None, mode: `Measured`)
    fn remove_validator() -> Weight {
        Weight::from_parts(85_000_000, 11529)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    fn reinstate_validator() -> Weight {
        Weight::from_parts(40_000_000, 4687)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // Storage: `System::Account` (r:1 w:0)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Roles::Sent` (r:1 w:1)
    // Proof: `Roles::Sent` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    fn check_admission() -> Weight {
        Weight::from_parts(17_145_000, 3556)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}

/// For tests: the same with the SDK's database costs.
impl WeightInfo for () {
    fn grant_role() -> Weight {
        Weight::from_parts(1_570_000_000, 6122)
            .saturating_add(ParityDbWeight::get().reads(154))
            .saturating_add(ParityDbWeight::get().writes(153))
    }
    fn revoke_role() -> Weight {
        Weight::from_parts(1_580_000_000, 6122)
            .saturating_add(ParityDbWeight::get().reads(155))
            .saturating_add(ParityDbWeight::get().writes(154))
    }
    fn add_validator() -> Weight {
        Weight::from_parts(59_558_000, 6122)
            .saturating_add(ParityDbWeight::get().reads(4))
            .saturating_add(ParityDbWeight::get().writes(3))
    }
    fn remove_validator() -> Weight {
        Weight::from_parts(85_000_000, 11529)
            .saturating_add(ParityDbWeight::get().reads(8))
            .saturating_add(ParityDbWeight::get().writes(8))
    }
    fn reinstate_validator() -> Weight {
        Weight::from_parts(40_000_000, 4687)
            .saturating_add(ParityDbWeight::get().reads(3))
            .saturating_add(ParityDbWeight::get().writes(2))
    }
    fn check_admission() -> Weight {
        Weight::from_parts(17_145_000, 3556)
            .saturating_add(ParityDbWeight::get().reads(3))
            .saturating_add(ParityDbWeight::get().writes(1))
    }
}
