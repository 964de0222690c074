//! Entitlements, prices and receipts.

use frame_support::{parameter_types, traits::ConstU32};
use stipend_primitives::{Credits, Moment, MICRO_CREDITS_PER_CREDIT};

use crate::{Entitlements, Evidence, Pricing, Roles, Runtime, Timestamp};

use super::{council::EnsureLedger, MINUTE};

const HOUR_MS: Moment = 3_600_000;

parameter_types! {
    /// A new key works for a day before its gateway has to reserve by itself.
    pub const FirstReservationLifetime: Moment = 24 * HOUR_MS;
    /// What a gateway that burned down can hold back, and for how long.
    pub const ReservationLifetimeMax: Moment = 7 * 24 * HOUR_MS;
    /// A day: periods end at midnight UTC, so HR knows without asking when the next begins.
    pub const MintPeriod: Moment = 24 * HOUR_MS;
    /// What a stolen issuer key is worth per class and day. An intake of a thousand people with a
    /// hundred credits each fits; who grants more asks the council for more.
    pub const MintAllowance: Credits = 100_000 * MICRO_CREDITS_PER_CREDIT;
    /// A tenth of a day's allowance for one owner at once is rare enough to ask a colleague.
    pub const LargeMint: Credits = 10_000 * MICRO_CREDITS_PER_CREDIT;
}

impl pallet_entitlements::Config for Runtime {
    type CouncilOrigin = EnsureLedger;
    type Roles = Roles;
    type Time = Timestamp;
    type FirstReservationLifetime = FirstReservationLifetime;
    type ReservationLifetimeMax = ReservationLifetimeMax;
    type MintPeriod = MintPeriod;
    type MintAllowance = MintAllowance;
    type LargeMint = LargeMint;
    type WeightInfo = pallet_entitlements::weights::SubstrateWeight<Runtime>;
}

impl pallet_pricing::Config for Runtime {
    type CouncilOrigin = EnsureLedger;
    /// Ten minutes: the longest answer of a model, and the batch after it.
    type GraceBlocks = ConstU32<{ 10 * MINUTE }>;
    type WeightInfo = pallet_pricing::weights::SubstrateWeight<Runtime>;
}

impl pallet_receipts::Config for Runtime {
    type Roles = Roles;
    type Ledger = Entitlements;
    type Prices = Pricing;
    type Evidence = Evidence;
    type WeightInfo = pallet_receipts::weights::SubstrateWeight<Runtime>;
}
