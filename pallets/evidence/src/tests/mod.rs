//! One file per behaviour.

#![allow(missing_docs, clippy::unwrap_used)]

mod council;
mod devices;
mod findings;
mod golden;
mod level;
// The network of pallet-settlement's tests: one stand-in of the node's HTTP for both workers.
#[allow(dead_code)]
#[path = "../../../settlement/src/tests/network.rs"]
mod network;
mod random_histories;
mod views;
mod worker;
mod worker_hostile;
mod worker_keys;
mod world;
