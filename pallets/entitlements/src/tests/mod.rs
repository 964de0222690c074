//! One file per behaviour.
#![allow(clippy::unwrap_used)]

mod allowances;
mod archiving;
mod awards;
mod baskets;
mod charging;
mod energy;
mod energy_histories;
mod expiry;
mod freezing;
mod genesis;
mod keys;
mod kinds;
mod large_mints;
mod minting;
mod never_transferred;
mod offboarding;
mod policed_grants;
mod policed_keys;
mod policies;
mod policy_histories;
mod programs;
mod random_histories;
mod refunding;
mod reservations;
mod signed_mints;
mod stolen_key;
mod views;
mod withdrawing;
