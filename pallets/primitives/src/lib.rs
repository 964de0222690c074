//! What every part of Stipend must agree on to the byte and to the micro-credit.
//!
//! The runtime, the node, the gateway, the attestor, the wallet and an auditor's script all use
//! this crate: its types, its cost function, its canonical encodings and its signing domains. It
//! keeps no storage and builds without `std`, so the chain and the clients run the same code.
//!
//! | module | holds |
//! |---|---|
//! | [`ids`] | identifiers and units: accounts, classes, models, credits |
//! | [`cost`] | [`Usage`](cost::Usage), the price book, and the one function that prices a receipt |
//! | [`batch`] | receipts as fixed-size records under one signature |
//! | [`leaf`] | the two views of a receipt that are committed to by roots |
//! | [`merkle`] | chunked roots and inclusion proofs |
//! | [`mint`] | signed mint requests and second signatures under them |
//! | [`key`] | API keys as the chain knows them |
//! | [`policy`] | what wallets of people who are not employees may hold |
//! | [`council`] | what the council votes on |
//! | [`evidence`] | what is known of the hardware behind a provider's key |
//! | [`attestation`] | what a provider signs about what it served |
//! | [`energy`] | energy by receipt and class, budgets of it, and what it emitted |
//! | [`settlement`] | verdicts and votes |
//! | [`merit`] | outcomes and what they earn |
//! | [`signing`] | domains and the bytes that are signed |
//! | [`ledger`] | the traits by which the pallets use each other |
//! | [`view`] | the answers of the runtime APIs |
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod attestation;
pub mod batch;
pub mod cost;
pub mod council;
pub mod energy;
pub mod evidence;
pub mod ids;
pub mod key;
pub mod leaf;
pub mod ledger;
pub mod merit;
pub mod merkle;
pub mod mint;
pub mod policy;
pub mod settlement;
pub mod signing;
pub mod view;

pub use ids::*;
