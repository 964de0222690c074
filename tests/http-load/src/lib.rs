//! The load generator and the stand-in upstream of `make bench-gateway`.
//!
//! | module | does |
//! |---|---|
//! | [`mock`] | answers OpenAI chat completions, whole and streamed, at the least cost |
//! | [`target`] | what is asked of one side |
//! | [`closed`] | as many requests at a time as there are connections |
//! | [`paced`] | requests at fixed times, whether or not earlier ones were answered |
//! | [`tally`] | latencies, counts, faults |
//!
//! It is a crate of its own because it is compiled for speed: what it needs of a processor, the side that is measured
//! does not get. The harness around it is compiled to be compiled quickly.

pub mod closed;
mod connection;
pub mod mock;
pub mod paced;
pub mod tally;
pub mod target;
