//! Aura, GRANDPA and the clock.

use frame_support::traits::{ConstBool, ConstU32, ConstU64};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;

use crate::{Aura, BlockNumber, Historical, Offences, Roles, Runtime, RuntimeEvent, Session};

use super::{
    session::{ValidatorsMax, SESSIONS_REMEMBERED},
    MINUTE, SLOT_MS,
};

/// Blocks that a report of GRANDPA's may wait in the pool: an hour.
const REPORT_LONGEVITY: BlockNumber = 60 * MINUTE;

impl pallet_timestamp::Config for Runtime {
    type Moment = u64;
    type OnTimestampSet = Aura;
    type MinimumPeriod = ConstU64<{ SLOT_MS / 2 }>;
    type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_aura::Config for Runtime {
    type AuthorityId = AuraId;
    type MaxAuthorities = ValidatorsMax;
    type DisabledValidators = Session;
    type AllowMultipleBlocksPerSlot = ConstBool<false>;
    type SlotDuration = ConstU64<SLOT_MS>;
}

impl pallet_grandpa::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type WeightInfo = ();
    type MaxAuthorities = ValidatorsMax;
    /// Nobody nominates.
    type MaxNominators = ConstU32<0>;
    type MaxSetIdSessionEntries = ConstU64<{ SESSIONS_REMEMBERED as u64 }>;
    type KeyOwnerProof = sp_session::MembershipProof;
    /// A node that sees two votes of one validator in one round reports them, by way of a validator
    /// that puts the report into a block of its own. The validator is suspended: see `pallet-roles`.
    type EquivocationReportSystem = pallet_grandpa::EquivocationReportSystem<
        Runtime,
        Offences,
        Historical,
        ConstU64<{ REPORT_LONGEVITY as u64 }>,
    >;
}

impl pallet_authorship::Config for Runtime {
    type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Runtime, Aura>;
    type EventHandler = ();
}

impl pallet_offences::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type IdentificationTuple = pallet_session::historical::IdentificationTuple<Runtime>;
    type OnOffenceHandler = Roles;
}
