//! One file per behaviour.
#![allow(clippy::unwrap_used)]

mod genesis;
mod grace;
mod history;
mod names;
mod publishing;
mod quoting;
mod scheduling;
