//! Roles and admission.

use frame_support::traits::ConstU32;

use crate::{Council, Runtime};

use super::{
    council::{EnsureMembers, EnsureValidators, SEATS_MAX},
    session::{DefaultSessionBlocks, ValidatorsMax},
};

impl pallet_roles::Config for Runtime {
    type CouncilOrigin = EnsureMembers;
    type ValidatorsOrigin = EnsureValidators;
    type Seats = Council;
    type SeatsMax = ConstU32<SEATS_MAX>;
    type SessionKeys = pallet_roles::PalletSession<Runtime>;
    type SessionBlocks = DefaultSessionBlocks;
    /// HR's busiest day: 64 calls of 512 grants each, every second.
    type RoleAllowance = ConstU32<64>;
    /// An employee registers a key and sets its limits.
    type OwnerAllowance = ConstU32<4>;
    /// The longest call of an owner registers a key: 32 models and a first reservation in every
    /// class, under 2 kB with signature and extension.
    type OwnerLengthMax = ConstU32<4_096>;
    type ValidatorsMax = ValidatorsMax;
    type WeightInfo = pallet_roles::weights::SubstrateWeight<Runtime>;
}
