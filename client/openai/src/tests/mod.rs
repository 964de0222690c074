#![allow(clippy::unwrap_used)]

mod chunk;
mod request;
mod rewrite;
mod sse;
mod usage;
