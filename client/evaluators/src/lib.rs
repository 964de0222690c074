#![doc = include_str!("../README.md")]

pub mod chain;
pub mod clock;
pub mod config;
pub mod experiment;
pub mod forge;
pub mod judge;
pub mod ledger;
pub mod outcome;
pub mod receipts;
pub mod report;
pub mod secret;
pub mod sender;
pub mod server;
pub mod statistics;
pub mod store;
pub mod suite;
