//! Outcomes and what they earn.

use frame_support::parameter_types;
use stipend_primitives::Moment;

use crate::{Entitlements, Roles, Runtime, Timestamp};

use super::council::EnsureLedger;

const DAY_MS: Moment = 24 * 3_600_000;

parameter_types! {
    /// A day: whoever works by a rule hears of the next one before it holds.
    pub const Notice: Moment = DAY_MS;
    /// A month: longer than a reservation lasts, so that what comes back is taken meanwhile.
    pub const Keep: Moment = 30 * DAY_MS;
}

impl pallet_merit::Config for Runtime {
    type CouncilOrigin = EnsureLedger;
    type Roles = Roles;
    type Awards = Entitlements;
    type Time = Timestamp;
    type Notice = Notice;
    type Keep = Keep;
    type WeightInfo = pallet_merit::weights::SubstrateWeight<Runtime>;
}
