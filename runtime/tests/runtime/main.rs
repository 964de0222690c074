//! The runtime as a whole: its genesis, its calls, its admission.
#![allow(missing_docs, clippy::unwrap_used)]

mod admission;
mod chain;
mod council;
mod equivocation;
mod evidence;
mod genesis;
mod limits;
mod migrations;
mod reviewed_calls;
mod sessions;
mod settlement_cost;
mod upgrades;
