#![allow(clippy::unwrap_used)]

mod asking;
mod caps;
mod credits;
mod endpoints;
mod exporting;
mod failures;
mod fake_answers;
mod fake_chain;
mod fake_cluster;
mod fake_collector;
mod fake_upstream;
mod framing;
mod harness;
mod jobs;
mod jobs_trouble;
mod operating;
mod queueing;
mod receipts;
mod refusals;
mod reloading;
mod replay;
mod serving;
mod sharing;
mod streaming;
mod upstreams;
mod who_may_call;
