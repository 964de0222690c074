//! Weights of `pallet_entitlements`, measured by `make weights`. Do not edit.
//!
//! Date 2026-11-21, CPU AMD EPYC, 10 steps, 3 repeats, Compiled WASM.
//!
//! Set by hand until the next `make weights`: `set_mint_allowance`; in the calls that mint what the issuer's
//! allowance and a second signature add (`Entitlements::Issuers`); in `set_basket` the second role read;
//! `set_energy_budget`, and in the calls that change wallets what the classes' energy adds (`Entitlements::Energy`);
//! `set_policy` and `set_kind`, and in the calls that mint, register a key or offboard what the owners' kinds add
//! (`Entitlements::KindOf`, `Entitlements::Kinds`).

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(missing_docs, unused_parens)]

use core::marker::PhantomData;

use frame_support::{
    traits::Get,
    weights::{constants::ParityDbWeight, Weight},
};

use crate::{types::CLASSES_MAX, KINDS_MAX};

/// Weights of the calls and of their authorisation.
pub trait WeightInfo {
    fn register_class() -> Weight;
    fn create_program() -> Weight;
    fn delegate_program() -> Weight;
    fn increase_budget() -> Weight;
    fn set_basket(l: u32, ) -> Weight;
    fn mint(l: u32, ) -> Weight;
    fn mint_many(l: u32, ) -> Weight;
    fn mint_signed(l: u32, ) -> Weight;
    fn authorize_mint_signed(l: u32, ) -> Weight;
    fn revoke() -> Weight;
    fn freeze(c: u32, ) -> Weight;
    fn offboard(s: u32, ) -> Weight;
    fn give_back() -> Weight;
    fn register_key(r: u32, ) -> Weight;
    fn revoke_key() -> Weight;
    fn set_limits() -> Weight;
    fn reserve_many(n: u32, ) -> Weight;
    fn release(n: u32, ) -> Weight;
    fn set_mint_allowance() -> Weight;
    fn set_energy_budget() -> Weight;
    fn set_policy(c: u32, ) -> Weight;
    fn set_kind() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Classes` (r:1 w:1)
    // Proof: `Entitlements::Classes` (`max_values`: None, `max_size`: Some(77), added: 2552, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::CounterForClasses` (r:1 w:1)
    // Proof: `Entitlements::CounterForClasses` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    fn register_class() -> Weight {
        Weight::from_parts(31_086_000, 3556)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Classes` (r:1 w:0)
    // Proof: `Entitlements::Classes` (`max_values`: None, `max_size`: Some(77), added: 2552, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::NextProgramId` (r:1 w:1)
    // Proof: `Entitlements::NextProgramId` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Programs` (r:0 w:1)
    // Proof: `Entitlements::Programs` (`max_values`: None, `max_size`: Some(181), added: 2656, mode: `MaxEncodedLen`)
    fn create_program() -> Weight {
        Weight::from_parts(37_295_000, 3556)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // Storage: `Entitlements::Programs` (r:7 w:2)
    // Proof: `Entitlements::Programs` (`max_values`: None, `max_size`: Some(181), added: 2656, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::NextProgramId` (r:1 w:1)
    // Proof: `Entitlements::NextProgramId` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    fn delegate_program() -> Weight {
        Weight::from_parts(82_352_000, 19582)
            .saturating_add(T::DbWeight::get().reads(8))
            .saturating_add(T::DbWeight::get().writes(3))
    }
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Programs` (r:8 w:8)
    // Proof: `Entitlements::Programs` (`max_values`: None, `max_size`: Some(181), added: 2656, mode: `MaxEncodedLen`)
    fn increase_budget() -> Weight {
        Weight::from_parts(72_998_000, 22238)
            .saturating_add(T::DbWeight::get().reads(9))
            .saturating_add(T::DbWeight::get().writes(8))
    }
    // Storage: `Roles::Grants` (r:2 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Baskets` (r:1 w:1)
    // Proof: `Entitlements::Baskets` (`max_values`: None, `max_size`: Some(575), added: 3050, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Programs` (r:128 w:0)
    // Proof: `Entitlements::Programs` (`max_values`: None, `max_size`: Some(181), added: 2656, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::CounterForBaskets` (r:1 w:1)
    // Proof: `Entitlements::CounterForBaskets` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // `l` is within `[0, 16]`.
    fn set_basket(l: u32, ) -> Weight {
        Weight::from_parts(29_679_452, 4040)
            .saturating_add(Weight::from_parts(42_436_683, 0).saturating_mul(l.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().reads((8_u64).saturating_mul(l.into())))
            .saturating_add(T::DbWeight::get().writes(1))
            .saturating_add(Weight::from_parts(0, 21248).saturating_mul(l.into()))
    }
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Issuers` (r:1 w:1)
    // Proof: `Entitlements::Issuers` (`max_values`: None, `max_size`: Some(1754), added: 4229, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Baskets` (r:1 w:0)
    // Proof: `Entitlements::Baskets` (`max_values`: None, `max_size`: Some(575), added: 3050, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Programs` (r:8 w:1)
    // Proof: `Entitlements::Programs` (`max_values`: None, `max_size`: Some(181), added: 2656, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::NextEntitlementId` (r:1 w:1)
    // Proof: `Entitlements::NextEntitlementId` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Wallets` (r:1 w:1)
    // Proof: `Entitlements::Wallets` (`max_values`: None, `max_size`: Some(14639), added: 17114, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Owners` (r:1 w:1)
    // Proof: `Entitlements::Owners` (`max_values`: None, `max_size`: Some(54), added: 2529, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::OwnedBy` (r:0 w:16)
    // Proof: `Entitlements::OwnedBy` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Entitlements` (r:0 w:16)
    // Proof: `Entitlements::Entitlements` (`max_values`: None, `max_size`: Some(119), added: 2594, mode: `MaxEncodedLen`)
    // `l` is within `[1, 16]`.
    fn mint(l: u32, ) -> Weight {
        Weight::from_parts(93_683_040, 22238)
            .saturating_add(Weight::from_parts(48_008_179, 0).saturating_mul(l.into()))
            .saturating_add(T::DbWeight::get().reads(15))
            .saturating_add(T::DbWeight::get().writes(5))
            .saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(l.into())))
            .saturating_add(T::DbWeight::get().reads_writes(u64::from(l.min(CLASSES_MAX)), u64::from(l.min(CLASSES_MAX))))
            .saturating_add(Weight::from_parts(5_000_000, 6280))
            .saturating_add(T::DbWeight::get().reads(2))
    }
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Issuers` (r:1 w:1)
    // Proof: `Entitlements::Issuers` (`max_values`: None, `max_size`: Some(1754), added: 4229, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Programs` (r:8 w:1)
    // Proof: `Entitlements::Programs` (`max_values`: None, `max_size`: Some(181), added: 2656, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::NextEntitlementId` (r:1 w:1)
    // Proof: `Entitlements::NextEntitlementId` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Wallets` (r:512 w:512)
    // Proof: `Entitlements::Wallets` (`max_values`: None, `max_size`: Some(14639), added: 17114, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Owners` (r:512 w:512)
    // Proof: `Entitlements::Owners` (`max_values`: None, `max_size`: Some(54), added: 2529, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:512 w:512)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::OwnedBy` (r:0 w:512)
    // Proof: `Entitlements::OwnedBy` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Entitlements` (r:0 w:512)
    // Proof: `Entitlements::Entitlements` (`max_values`: None, `max_size`: Some(119), added: 2594, mode: `MaxEncodedLen`)
    // `l` is within `[1, 512]`.
    fn mint_many(l: u32, ) -> Weight {
        Weight::from_parts(87_781_000, 22238)
            .saturating_add(Weight::from_parts(79_808_047, 0).saturating_mul(l.into()))
            .saturating_add(T::DbWeight::get().reads(12))
            .saturating_add(T::DbWeight::get().reads((3_u64).saturating_mul(l.into())))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().writes((5_u64).saturating_mul(l.into())))
            .saturating_add(Weight::from_parts(0, 17114).saturating_mul(l.into()))
            .saturating_add(T::DbWeight::get().reads_writes(u64::from(l.min(CLASSES_MAX)), u64::from(l.min(CLASSES_MAX))))
            .saturating_add(Weight::from_parts(5_000_000, 6280).saturating_mul(l.into()))
            .saturating_add(T::DbWeight::get().reads(u64::from(l) + u64::from(l.min(KINDS_MAX))))
    }
    // Storage: `Entitlements::Minted` (r:1 w:1)
    // Proof: `Entitlements::Minted` (`max_values`: None, `max_size`: Some(209), added: 2684, mode: `MaxEncodedLen`)
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Issuers` (r:1 w:1)
    // Proof: `Entitlements::Issuers` (`max_values`: None, `max_size`: Some(1754), added: 4229, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Baskets` (r:1 w:0)
    // Proof: `Entitlements::Baskets` (`max_values`: None, `max_size`: Some(575), added: 3050, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Programs` (r:8 w:1)
    // Proof: `Entitlements::Programs` (`max_values`: None, `max_size`: Some(181), added: 2656, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::NextEntitlementId` (r:1 w:1)
    // Proof: `Entitlements::NextEntitlementId` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Wallets` (r:1 w:1)
    // Proof: `Entitlements::Wallets` (`max_values`: None, `max_size`: Some(14639), added: 17114, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Owners` (r:1 w:1)
    // Proof: `Entitlements::Owners` (`max_values`: None, `max_size`: Some(54), added: 2529, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::OwnedBy` (r:0 w:16)
    // Proof: `Entitlements::OwnedBy` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Entitlements` (r:0 w:16)
    // Proof: `Entitlements::Entitlements` (`max_values`: None, `max_size`: Some(119), added: 2594, mode: `MaxEncodedLen`)
    // `l` is within `[1, 16]`.
    fn mint_signed(l: u32, ) -> Weight {
        Weight::from_parts(95_143_776, 22238)
            .saturating_add(Weight::from_parts(36_314_869, 0).saturating_mul(l.into()))
            .saturating_add(T::DbWeight::get().reads(18))
            .saturating_add(T::DbWeight::get().writes(7))
            .saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(l.into())))
            .saturating_add(T::DbWeight::get().reads_writes(u64::from(l.min(CLASSES_MAX)), u64::from(l.min(CLASSES_MAX))))
            .saturating_add(Weight::from_parts(5_000_000, 6280))
            .saturating_add(T::DbWeight::get().reads(2))
    }
    // Storage: `Entitlements::Minted` (r:1 w:0)
    // Proof: `Entitlements::Minted` (`max_values`: None, `max_size`: Some(209), added: 2684, mode: `MaxEncodedLen`)
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `System::BlockHash` (r:1 w:0)
    // Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Issuers` (r:1 w:0)
    // Proof: `Entitlements::Issuers` (`max_values`: None, `max_size`: Some(1754), added: 4229, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Baskets` (r:1 w:0)
    // Proof: `Entitlements::Baskets` (`max_values`: None, `max_size`: Some(575), added: 3050, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Programs` (r:8 w:0)
    // Proof: `Entitlements::Programs` (`max_values`: None, `max_size`: Some(181), added: 2656, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::NextEntitlementId` (r:1 w:0)
    // Proof: `Entitlements::NextEntitlementId` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Wallets` (r:1 w:0)
    // Proof: `Entitlements::Wallets` (`max_values`: None, `max_size`: Some(14639), added: 17114, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Owners` (r:1 w:0)
    // Proof: `Entitlements::Owners` (`max_values`: None, `max_size`: Some(54), added: 2529, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:0)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // `l` is within `[1, 16]`.
    fn authorize_mint_signed(l: u32, ) -> Weight {
        Weight::from_parts(203_586_146, 22238)
            .saturating_add(Weight::from_parts(35_154_829, 0).saturating_mul(l.into()))
            .saturating_add(T::DbWeight::get().reads(19))
            .saturating_add(Weight::from_parts(5_000_000, 6280))
            .saturating_add(T::DbWeight::get().reads(2))
    }
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Entitlements` (r:1 w:0)
    // Proof: `Entitlements::Entitlements` (`max_values`: None, `max_size`: Some(119), added: 2594, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Programs` (r:8 w:1)
    // Proof: `Entitlements::Programs` (`max_values`: None, `max_size`: Some(181), added: 2656, mode: `MaxEncodedLen`)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Wallets` (r:1 w:1)
    // Proof: `Entitlements::Wallets` (`max_values`: None, `max_size`: Some(14639), added: 17114, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Owners` (r:1 w:1)
    // Proof: `Entitlements::Owners` (`max_values`: None, `max_size`: Some(54), added: 2529, mode: `MaxEncodedLen`)
    fn revoke() -> Weight {
        Weight::from_parts(112_336_000, 22238)
            .saturating_add(T::DbWeight::get().reads(13))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Owners` (r:1 w:1)
    // Proof: `Entitlements::Owners` (`max_values`: None, `max_size`: Some(54), added: 2529, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Wallets` (r:33 w:32)
    // Proof: `Entitlements::Wallets` (`max_values`: None, `max_size`: Some(14639), added: 17114, mode: `MaxEncodedLen`)
    // `c` is within `[1, 32]`.
    fn freeze(c: u32, ) -> Weight {
        Weight::from_parts(38_701_070, 18104)
            .saturating_add(Weight::from_parts(6_620_866, 0).saturating_mul(c.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(c.into())))
            .saturating_add(T::DbWeight::get().writes(1))
            .saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(c.into())))
            .saturating_add(Weight::from_parts(0, 17114).saturating_mul(c.into()))
    }
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Owners` (r:1 w:1)
    // Proof: `Entitlements::Owners` (`max_values`: None, `max_size`: Some(54), added: 2529, mode: `MaxEncodedLen`)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::NextEntitlementId` (r:1 w:0)
    // Proof: `Entitlements::NextEntitlementId` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Wallets` (r:33 w:32)
    // Proof: `Entitlements::Wallets` (`max_values`: None, `max_size`: Some(14639), added: 17114, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Programs` (r:2048 w:2048)
    // Proof: `Entitlements::Programs` (`max_values`: None, `max_size`: Some(181), added: 2656, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::KeysOf` (r:1 w:1)
    // Proof: `Entitlements::KeysOf` (`max_values`: None, `max_size`: Some(1073), added: 3548, mode: `MaxEncodedLen`)
    // Storage: `System::Account` (r:1 w:1)
    // Proof: `System::Account` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Keys` (r:0 w:32)
    // Proof: `Entitlements::Keys` (`max_values`: None, `max_size`: Some(176), added: 2651, mode: `MaxEncodedLen`)
    // `s` is within `[1, 2048]`.
    fn offboard(s: u32, ) -> Weight {
        Weight::from_parts(213_957_000, 382470)
            .saturating_add(Weight::from_parts(18_151_850, 0).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads(28))
            .saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(s.into())))
            .saturating_add(T::DbWeight::get().writes(56))
            .saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(s.into())))
            .saturating_add(Weight::from_parts(0, 2656).saturating_mul(s.into()))
            .saturating_add(T::DbWeight::get().reads_writes(u64::from(CLASSES_MAX), u64::from(CLASSES_MAX)))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `Entitlements::Entitlements` (r:1 w:0)
    // Proof: `Entitlements::Entitlements` (`max_values`: None, `max_size`: Some(119), added: 2594, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Owners` (r:1 w:1)
    // Proof: `Entitlements::Owners` (`max_values`: None, `max_size`: Some(54), added: 2529, mode: `MaxEncodedLen`)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Wallets` (r:1 w:1)
    // Proof: `Entitlements::Wallets` (`max_values`: None, `max_size`: Some(14639), added: 17114, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Programs` (r:1 w:1)
    // Proof: `Entitlements::Programs` (`max_values`: None, `max_size`: Some(181), added: 2656, mode: `MaxEncodedLen`)
    fn give_back() -> Weight {
        Weight::from_parts(83_003_000, 18104)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(3))
            .saturating_add(T::DbWeight::get().reads_writes(1, 1))
    }
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Owners` (r:1 w:0)
    // Proof: `Entitlements::Owners` (`max_values`: None, `max_size`: Some(54), added: 2529, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Keys` (r:1 w:1)
    // Proof: `Entitlements::Keys` (`max_values`: None, `max_size`: Some(176), added: 2651, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::KeysOf` (r:1 w:1)
    // Proof: `Entitlements::KeysOf` (`max_values`: None, `max_size`: Some(1073), added: 3548, mode: `MaxEncodedLen`)
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Wallets` (r:16 w:16)
    // Proof: `Entitlements::Wallets` (`max_values`: None, `max_size`: Some(14639), added: 17114, mode: `MaxEncodedLen`)
    // `r` is within `[0, 16]`.
    fn register_key(r: u32, ) -> Weight {
        Weight::from_parts(70_936_688, 4538)
            .saturating_add(Weight::from_parts(4_960_121, 0).saturating_mul(r.into()))
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(r.into())))
            .saturating_add(T::DbWeight::get().writes(2))
            .saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(r.into())))
            .saturating_add(Weight::from_parts(0, 17114).saturating_mul(r.into()))
            .saturating_add(T::DbWeight::get().reads_writes(u64::from(r), u64::from(r)))
            .saturating_add(Weight::from_parts(5_000_000, 6280))
            .saturating_add(T::DbWeight::get().reads(2))
    }
    // Storage: `Entitlements::Keys` (r:1 w:1)
    // Proof: `Entitlements::Keys` (`max_values`: None, `max_size`: Some(176), added: 2651, mode: `MaxEncodedLen`)
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::KeysOf` (r:1 w:1)
    // Proof: `Entitlements::KeysOf` (`max_values`: None, `max_size`: Some(1073), added: 3548, mode: `MaxEncodedLen`)
    fn revoke_key() -> Weight {
        Weight::from_parts(50_685_000, 4538)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // Storage: `Entitlements::Keys` (r:1 w:1)
    // Proof: `Entitlements::Keys` (`max_values`: None, `max_size`: Some(176), added: 2651, mode: `MaxEncodedLen`)
    fn set_limits() -> Weight {
        Weight::from_parts(22_954_000, 3641)
            .saturating_add(T::DbWeight::get().reads(1))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Wallets` (r:4096 w:4096)
    // Proof: `Entitlements::Wallets` (`max_values`: None, `max_size`: Some(14639), added: 17114, mode: `MaxEncodedLen`)
    // `n` is within `[1, 4096]`.
    fn reserve_many(n: u32, ) -> Weight {
        Weight::from_parts(26_890_000, 3556)
            .saturating_add(Weight::from_parts(20_338_697, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(n.into())))
            .saturating_add(Weight::from_parts(0, 17114).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads_writes(u64::from(n.min(CLASSES_MAX)), u64::from(n.min(CLASSES_MAX))))
    }
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Wallets` (r:4096 w:4096)
    // Proof: `Entitlements::Wallets` (`max_values`: None, `max_size`: Some(14639), added: 17114, mode: `MaxEncodedLen`)
    // `n` is within `[1, 4096]`.
    fn release(n: u32, ) -> Weight {
        Weight::from_parts(29_534_000, 3556)
            .saturating_add(Weight::from_parts(22_806_807, 0).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads(2))
            .saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(n.into())))
            .saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(n.into())))
            .saturating_add(Weight::from_parts(0, 17114).saturating_mul(n.into()))
            .saturating_add(T::DbWeight::get().reads_writes(u64::from(n.min(CLASSES_MAX)), u64::from(n.min(CLASSES_MAX))))
    }
    // Storage: `Roles::Grants` (r:2 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Classes` (r:1 w:0)
    // Proof: `Entitlements::Classes` (`max_values`: None, `max_size`: Some(77), added: 2552, mode: `MaxEncodedLen`)
    // Storage: `Timestamp::Now` (r:1 w:0)
    // Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Issuers` (r:1 w:1)
    // Proof: `Entitlements::Issuers` (`max_values`: None, `max_size`: Some(1754), added: 4229, mode: `MaxEncodedLen`)
    fn set_mint_allowance() -> Weight {
        Weight::from_parts(40_000_000, 6122)
            .saturating_add(T::DbWeight::get().reads(5))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    fn set_energy_budget() -> Weight {
        Weight::from_parts(20_000_000, 3556)
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().writes(1))
    }
    // Storage: `Entitlements::Classes` (r:32 w:0)
    // Proof: `Entitlements::Classes` (`max_values`: None, `max_size`: Some(77), added: 2552, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Kinds` (r:1 w:1)
    // Proof: `Entitlements::Kinds` (`max_values`: None, `max_size`: Some(675), added: 3150, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::CounterForKinds` (r:1 w:1)
    // Proof: `Entitlements::CounterForKinds` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::NextEntitlementId` (r:1 w:0)
    // Proof: `Entitlements::NextEntitlementId` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    // `c` is within `[0, 32]`.
    fn set_policy(c: u32, ) -> Weight {
        Weight::from_parts(40_000_000, 4155)
            .saturating_add(Weight::from_parts(3_000_000, 2552).saturating_mul(c.into()))
            .saturating_add(T::DbWeight::get().reads(3))
            .saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(c.into())))
            .saturating_add(T::DbWeight::get().writes(2))
    }
    // Storage: `Roles::Grants` (r:1 w:0)
    // Proof: `Roles::Grants` (`max_values`: None, `max_size`: Some(91), added: 2566, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::Kinds` (r:1 w:0)
    // Proof: `Entitlements::Kinds` (`max_values`: None, `max_size`: Some(675), added: 3150, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::KindOf` (r:1 w:1)
    // Proof: `Entitlements::KindOf` (`max_values`: None, `max_size`: Some(60), added: 2535, mode: `MaxEncodedLen`)
    // Storage: `Entitlements::NextEntitlementId` (r:1 w:0)
    // Proof: `Entitlements::NextEntitlementId` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
    fn set_kind() -> Weight {
        Weight::from_parts(35_000_000, 4155)
            .saturating_add(T::DbWeight::get().reads(4))
            .saturating_add(T::DbWeight::get().writes(1))
    }
}

/// For tests: the same with the SDK's database costs.
impl WeightInfo for () {
    fn register_class() -> Weight {
        Weight::from_parts(31_086_000, 3556)
            .saturating_add(ParityDbWeight::get().reads(3))
            .saturating_add(ParityDbWeight::get().writes(2))
    }
    fn create_program() -> Weight {
        Weight::from_parts(37_295_000, 3556)
            .saturating_add(ParityDbWeight::get().reads(3))
            .saturating_add(ParityDbWeight::get().writes(2))
    }
    fn delegate_program() -> Weight {
        Weight::from_parts(82_352_000, 19582)
            .saturating_add(ParityDbWeight::get().reads(8))
            .saturating_add(ParityDbWeight::get().writes(3))
    }
    fn increase_budget() -> Weight {
        Weight::from_parts(72_998_000, 22238)
            .saturating_add(ParityDbWeight::get().reads(9))
            .saturating_add(ParityDbWeight::get().writes(8))
    }
    fn set_basket(l: u32, ) -> Weight {
        Weight::from_parts(29_679_452, 4040)
            .saturating_add(Weight::from_parts(42_436_683, 0).saturating_mul(l.into()))
            .saturating_add(ParityDbWeight::get().reads(3))
            .saturating_add(ParityDbWeight::get().reads((8_u64).saturating_mul(l.into())))
            .saturating_add(ParityDbWeight::get().writes(1))
    }
    fn mint(l: u32, ) -> Weight {
        Weight::from_parts(93_683_040, 22238)
            .saturating_add(Weight::from_parts(48_008_179, 0).saturating_mul(l.into()))
            .saturating_add(ParityDbWeight::get().reads(15))
            .saturating_add(ParityDbWeight::get().writes(5))
            .saturating_add(ParityDbWeight::get().writes((2_u64).saturating_mul(l.into())))
            .saturating_add(ParityDbWeight::get().reads_writes(u64::from(l.min(CLASSES_MAX)), u64::from(l.min(CLASSES_MAX))))
            .saturating_add(Weight::from_parts(5_000_000, 6280))
            .saturating_add(ParityDbWeight::get().reads(2))
    }
    fn mint_many(l: u32, ) -> Weight {
        Weight::from_parts(87_781_000, 22238)
            .saturating_add(Weight::from_parts(79_808_047, 0).saturating_mul(l.into()))
            .saturating_add(ParityDbWeight::get().reads(12))
            .saturating_add(ParityDbWeight::get().reads((3_u64).saturating_mul(l.into())))
            .saturating_add(ParityDbWeight::get().writes(3))
            .saturating_add(ParityDbWeight::get().writes((5_u64).saturating_mul(l.into())))
            .saturating_add(ParityDbWeight::get().reads_writes(u64::from(l.min(CLASSES_MAX)), u64::from(l.min(CLASSES_MAX))))
            .saturating_add(Weight::from_parts(5_000_000, 6280).saturating_mul(l.into()))
            .saturating_add(ParityDbWeight::get().reads(u64::from(l) + u64::from(l.min(KINDS_MAX))))
    }
    fn mint_signed(l: u32, ) -> Weight {
        Weight::from_parts(95_143_776, 22238)
            .saturating_add(Weight::from_parts(36_314_869, 0).saturating_mul(l.into()))
            .saturating_add(ParityDbWeight::get().reads(18))
            .saturating_add(ParityDbWeight::get().writes(7))
            .saturating_add(ParityDbWeight::get().writes((2_u64).saturating_mul(l.into())))
            .saturating_add(ParityDbWeight::get().reads_writes(u64::from(l.min(CLASSES_MAX)), u64::from(l.min(CLASSES_MAX))))
            .saturating_add(Weight::from_parts(5_000_000, 6280))
            .saturating_add(ParityDbWeight::get().reads(2))
    }
    fn authorize_mint_signed(l: u32, ) -> Weight {
        Weight::from_parts(203_586_146, 22238)
            .saturating_add(Weight::from_parts(35_154_829, 0).saturating_mul(l.into()))
            .saturating_add(ParityDbWeight::get().reads(19))
            .saturating_add(Weight::from_parts(5_000_000, 6280))
            .saturating_add(ParityDbWeight::get().reads(2))
    }
    fn revoke() -> Weight {
        Weight::from_parts(112_336_000, 22238)
            .saturating_add(ParityDbWeight::get().reads(13))
            .saturating_add(ParityDbWeight::get().writes(3))
            .saturating_add(ParityDbWeight::get().reads_writes(1, 1))
    }
    fn freeze(c: u32, ) -> Weight {
        Weight::from_parts(38_701_070, 18104)
            .saturating_add(Weight::from_parts(6_620_866, 0).saturating_mul(c.into()))
            .saturating_add(ParityDbWeight::get().reads(3))
            .saturating_add(ParityDbWeight::get().reads((1_u64).saturating_mul(c.into())))
            .saturating_add(ParityDbWeight::get().writes(1))
            .saturating_add(ParityDbWeight::get().writes((1_u64).saturating_mul(c.into())))
    }
    fn offboard(s: u32, ) -> Weight {
        Weight::from_parts(213_957_000, 382470)
            .saturating_add(Weight::from_parts(18_151_850, 0).saturating_mul(s.into()))
            .saturating_add(ParityDbWeight::get().reads(28))
            .saturating_add(ParityDbWeight::get().reads((1_u64).saturating_mul(s.into())))
            .saturating_add(ParityDbWeight::get().writes(56))
            .saturating_add(ParityDbWeight::get().writes((1_u64).saturating_mul(s.into())))
            .saturating_add(ParityDbWeight::get().reads_writes(u64::from(CLASSES_MAX), u64::from(CLASSES_MAX)))
            .saturating_add(ParityDbWeight::get().writes(1))
    }
    fn give_back() -> Weight {
        Weight::from_parts(83_003_000, 18104)
            .saturating_add(ParityDbWeight::get().reads(5))
            .saturating_add(ParityDbWeight::get().writes(3))
            .saturating_add(ParityDbWeight::get().reads_writes(1, 1))
    }
    fn register_key(r: u32, ) -> Weight {
        Weight::from_parts(70_936_688, 4538)
            .saturating_add(Weight::from_parts(4_960_121, 0).saturating_mul(r.into()))
            .saturating_add(ParityDbWeight::get().reads(5))
            .saturating_add(ParityDbWeight::get().reads((1_u64).saturating_mul(r.into())))
            .saturating_add(ParityDbWeight::get().writes(2))
            .saturating_add(ParityDbWeight::get().writes((1_u64).saturating_mul(r.into())))
            .saturating_add(ParityDbWeight::get().reads_writes(u64::from(r), u64::from(r)))
            .saturating_add(Weight::from_parts(5_000_000, 6280))
            .saturating_add(ParityDbWeight::get().reads(2))
    }
    fn revoke_key() -> Weight {
        Weight::from_parts(50_685_000, 4538)
            .saturating_add(ParityDbWeight::get().reads(3))
            .saturating_add(ParityDbWeight::get().writes(2))
    }
    fn set_limits() -> Weight {
        Weight::from_parts(22_954_000, 3641)
            .saturating_add(ParityDbWeight::get().reads(1))
            .saturating_add(ParityDbWeight::get().writes(1))
    }
    fn reserve_many(n: u32, ) -> Weight {
        Weight::from_parts(26_890_000, 3556)
            .saturating_add(Weight::from_parts(20_338_697, 0).saturating_mul(n.into()))
            .saturating_add(ParityDbWeight::get().reads(2))
            .saturating_add(ParityDbWeight::get().reads((2_u64).saturating_mul(n.into())))
            .saturating_add(ParityDbWeight::get().writes((1_u64).saturating_mul(n.into())))
            .saturating_add(ParityDbWeight::get().reads_writes(u64::from(n.min(CLASSES_MAX)), u64::from(n.min(CLASSES_MAX))))
    }
    fn release(n: u32, ) -> Weight {
        Weight::from_parts(29_534_000, 3556)
            .saturating_add(Weight::from_parts(22_806_807, 0).saturating_mul(n.into()))
            .saturating_add(ParityDbWeight::get().reads(2))
            .saturating_add(ParityDbWeight::get().reads((1_u64).saturating_mul(n.into())))
            .saturating_add(ParityDbWeight::get().writes((1_u64).saturating_mul(n.into())))
            .saturating_add(ParityDbWeight::get().reads_writes(u64::from(n.min(CLASSES_MAX)), u64::from(n.min(CLASSES_MAX))))
    }
    fn set_mint_allowance() -> Weight {
        Weight::from_parts(40_000_000, 6122)
            .saturating_add(ParityDbWeight::get().reads(5))
            .saturating_add(ParityDbWeight::get().writes(1))
    }
    fn set_energy_budget() -> Weight {
        Weight::from_parts(20_000_000, 3556)
            .saturating_add(ParityDbWeight::get().reads(3))
            .saturating_add(ParityDbWeight::get().writes(1))
    }
    fn set_policy(c: u32, ) -> Weight {
        Weight::from_parts(40_000_000, 4155)
            .saturating_add(Weight::from_parts(3_000_000, 2552).saturating_mul(c.into()))
            .saturating_add(ParityDbWeight::get().reads(3))
            .saturating_add(ParityDbWeight::get().reads((1_u64).saturating_mul(c.into())))
            .saturating_add(ParityDbWeight::get().writes(2))
    }
    fn set_kind() -> Weight {
        Weight::from_parts(35_000_000, 4155)
            .saturating_add(ParityDbWeight::get().reads(4))
            .saturating_add(ParityDbWeight::get().writes(1))
    }
}
