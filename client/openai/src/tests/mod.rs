#![allow(clippy::unwrap_used)]

mod request;
mod rewrite;
mod shape;
mod sse;
mod stream;
mod usage;
