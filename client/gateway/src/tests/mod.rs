#![allow(clippy::unwrap_used)]

mod caps;
mod credits;
mod failures;
mod fake_chain;
mod fake_upstream;
mod harness;
mod queueing;
mod receipts;
mod refusals;
mod replay;
mod serving;
mod sharing;
mod streaming;
mod upstreams;
