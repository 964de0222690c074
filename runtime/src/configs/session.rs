//! Sessions: how the validator set becomes the authorities of consensus and settlement.

use alloc::vec::Vec;

use frame_support::{
    parameter_types,
    traits::{ConstU32, Get},
};
use pallet_session::{
    disabling::UpToLimitDisablingStrategy,
    historical::{NoteHistoricalRoot, Pallet as HistoricalPallet},
    PeriodicSessions, SessionManager,
};
use sp_runtime::{
    impl_opaque_keys,
    traits::{Convert, OpaqueKeys},
};
use sp_staking::SessionIndex;

use crate::{
    AccountId, Aura, BlockNumber, Grandpa, Roles, Runtime, RuntimeEvent, RuntimeHoldReason, Settlement,
};

use super::MINUTE;

/// Validators at most: those whose votes on settlements are kept.
pub type ValidatorsMax = ConstU32<{ pallet_settlement::types::AUTHORITIES_MAX }>;

impl_opaque_keys! {
    /// The keys that a validator's node works with.
    pub struct SessionKeys {
        /// Makes blocks (sr25519).
        pub aura: Aura,
        /// Votes on finality (ed25519).
        pub grandpa: Grandpa,
        /// Votes on settlements (ed25519).
        pub settlement: Settlement,
    }
}

parameter_types! {
    /// A validator that joins or leaves waits for the end of two sessions: 20 minutes at most.
    pub const DefaultSessionBlocks: BlockNumber = 10 * MINUTE;
    /// The first session begins with the chain.
    pub const SessionOffset: BlockNumber = 0;
    /// There is nothing to deposit.
    pub const KeyDeposit: u128 = 0;
}

/// Blocks of a session, as the chain's genesis chose it.
pub struct SessionPeriod;

impl Get<BlockNumber> for SessionPeriod {
    fn get() -> BlockNumber {
        pallet_roles::SessionBlocks::<Runtime>::get()
    }
}

/// Sessions whose keys can still be shown to have been a validator's: a report comes seconds after
/// what it reports, and with these many it may come hours later.
pub const SESSIONS_REMEMBERED: u32 = 100;

/// [`Roles`]'s validator sets, with the root of each session's keys noted and the old roots
/// forgotten.
pub struct RememberedSessions;

type Noted = NoteHistoricalRoot<Runtime, Roles>;

impl SessionManager<AccountId> for RememberedSessions {
    fn new_session(index: SessionIndex) -> Option<Vec<AccountId>> {
        <Noted as SessionManager<AccountId>>::new_session(index)
    }

    fn new_session_genesis(index: SessionIndex) -> Option<Vec<AccountId>> {
        <Noted as SessionManager<AccountId>>::new_session_genesis(index)
    }

    fn start_session(index: SessionIndex) {
        <Noted as SessionManager<AccountId>>::start_session(index);
    }

    fn end_session(index: SessionIndex) {
        <Noted as SessionManager<AccountId>>::end_session(index);
        if let Some(oldest) = index.checked_sub(SESSIONS_REMEMBERED) {
            HistoricalPallet::<Runtime>::prune_up_to(oldest);
        }
    }
}

/// A validator is fully named by its account.
pub struct NothingMore;

impl Convert<AccountId, Option<()>> for NothingMore {
    fn convert(_who: AccountId) -> Option<()> {
        Some(())
    }
}

impl pallet_session::historical::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type FullIdentification = ();
    type FullIdentificationOf = NothingMore;
}

impl pallet_session::Config for Runtime {
    type RuntimeEvent = RuntimeEvent;
    type ValidatorId = AccountId;
    type ValidatorIdOf = pallet_roles::ValidatorIdOf<Runtime>;
    type ShouldEndSession = PeriodicSessions<SessionPeriod, SessionOffset>;
    type NextSessionRotation = PeriodicSessions<SessionPeriod, SessionOffset>;
    type SessionManager = RememberedSessions;
    type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
    type Keys = SessionKeys;
    /// Fewer than a third of the authorities: the rest goes on without them.
    type DisablingStrategy = UpToLimitDisablingStrategy;
    type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
    type Currency = pallet_roles::NoCurrency<RuntimeHoldReason>;
    type KeyDeposit = KeyDeposit;
}
