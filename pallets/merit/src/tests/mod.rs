//! One file per behaviour.
#![allow(clippy::unwrap_used)]

mod caps;
mod contesting;
mod counting_once;
mod debts;
mod forgetting;
mod genesis;
mod kinds;
mod random_histories;
mod recording;
mod reverting;
mod storm;
mod views;
