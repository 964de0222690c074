//! The wallet service on a made-up chain.
#![allow(missing_docs, clippy::unwrap_used)]

mod access;
mod acts;
mod browser;
mod browser_acts;
mod browser_hr;
mod carrier;
mod cluster;
mod crash;
mod driver;
mod exports;
mod fake;
mod follower;
mod history;
mod ledger;
mod lists;
mod office;
mod on_postgres;
mod place;
mod programs;
mod projection;
mod service;
mod speed;
