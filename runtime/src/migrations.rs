//! Changes of the state's layout.
//!
//! Every pallet of Stipend has a storage version, which stands in the state too. Who changes a
//! layout raises the pallet's version by one, writes a
//! [`VersionedMigration`](frame_support::migrations::VersionedMigration) from the version before,
//! which runs exactly once whatever happens, and adds it to [`Migrations`]. The states that earlier
//! versions left behind stand in `tests/data/state`; `tests/tests/old_state.rs` takes each of them
//! through the migrations and has every pallet check itself.

/// Run in the first block of a new runtime, in this order. The chain begins with this version.
pub type Migrations = ();
