#![allow(clippy::unwrap_used)]

mod asking;
mod credits;
mod endpoints;
mod failures;
mod fake_answers;
mod fake_chain;
mod fake_upstream;
mod harness;
mod receipts;
mod refusals;
mod replay;
mod serving;
mod streaming;
