//! One file per behaviour.

#![allow(missing_docs, clippy::unwrap_used)]

mod equivocation;
mod genesis;
mod network;
mod providers;
mod quorum;
mod refunds;
mod scores;
mod sessions;
mod turnout;
mod views;
mod votes;
mod worker_adjust;
mod worker_convergence;
mod worker_evidence;
mod worker_hostile;
mod worker_lanes;
mod worker_match;
mod worker_unattested;
mod world;
