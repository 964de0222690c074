//! One file per behaviour.
#![allow(clippy::unwrap_used)]

mod allowances;
mod archiving;
mod baskets;
mod charging;
mod energy;
mod energy_histories;
mod expiry;
mod freezing;
mod genesis;
mod keys;
mod large_mints;
mod minting;
mod never_transferred;
mod offboarding;
mod programs;
mod random_histories;
mod refunding;
mod reservations;
mod signed_mints;
mod stolen_key;
mod views;
mod withdrawing;
