//! One file per behaviour.
#![allow(clippy::unwrap_used)]

mod equivocation;
mod nodes;
mod upgrades;

use frame_system::RawOrigin;
use stipend_primitives::AccountId;

use crate::mock::RuntimeOrigin;

/// The origin of a call that `who` signed.
fn signed(who: &AccountId) -> RuntimeOrigin {
    RawOrigin::Signed(who.clone()).into()
}
