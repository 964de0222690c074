//! Random histories of all calls on the real runtime, held against books of their own.
//!
//! A history is a list of [`Act`]s: HR grants and revokes, employees register keys, gateways reserve
//! and submit batches (some of them wrong on purpose), validators vote, evaluators record outcomes, the
//! council governs, time passes. Parts of a history run on a fork that is then abandoned: its transactions come again on
//! the other branch, in part and out of order. After every act the chain is compared with the books,
//! and at every block the pallets check their own state.

mod act;
mod batches;
mod books;
mod deeds;
mod merit;
mod votes;
mod world;

pub use act::{history, Act};
pub use world::{Coverage, World};
