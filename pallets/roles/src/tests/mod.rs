//! One file per behaviour.
#![allow(clippy::unwrap_used)]

mod admission;
mod genesis;
mod granting;
mod history;
mod no_currency;
mod session;
mod suspension;
mod validators;

use frame_support::traits::Hooks;
use frame_system::RawOrigin;
use stipend_primitives::AccountId;

use crate::mock::{Roles, RuntimeOrigin, Session, System};

/// The origin of a call that `who` signed.
fn signed(who: &AccountId) -> RuntimeOrigin {
    RawOrigin::Signed(who.clone()).into()
}

/// Makes empty blocks up to the beginning of block `number`.
fn advance_to(number: u32) {
    while System::block_number() < number {
        Roles::on_finalize(System::block_number());
        System::set_block_number(System::block_number() + 1);
        Roles::on_initialize(System::block_number());
        Session::on_initialize(System::block_number());
    }
}
