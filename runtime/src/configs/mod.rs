//! What each pallet is configured with.

pub mod consensus;
pub mod council;
pub mod ledger;
pub mod merit;
pub mod roles;
pub mod session;
pub mod settlement;
pub mod system;
mod weights;

/// Milliseconds between blocks.
pub const SLOT_MS: u64 = 1_000;

/// Blocks in a minute.
pub const MINUTE: crate::BlockNumber = (60_000 / SLOT_MS) as crate::BlockNumber;
