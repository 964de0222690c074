#![allow(clippy::unwrap_used)]

mod credits;
mod failures;
mod fake_chain;
mod fake_upstream;
mod framing;
mod harness;
mod operating;
mod receipts;
mod refusals;
mod replay;
mod serving;
mod streaming;
mod who_may_call;
