//! The rules, one file each: what it looks for, the bounds that it holds figures against, and what it says.
//!
//! A bound is a number that honest work in the tuning set stays well away from; `docs/waste.md` says for each what passes beneath it.

mod burst;
mod clockwork;
mod copied;
mod extraction;
mod fan_out;
mod loops;
mod repeat;
mod shared_key;
mod unread;

pub(crate) use burst::Burst;
pub(crate) use clockwork::Clockwork;
pub(crate) use copied::copied;
pub(crate) use extraction::Extraction;
pub(crate) use fan_out::FanOut;
pub(crate) use loops::Loops;
pub(crate) use repeat::repeat;
pub(crate) use shared_key::SharedKey;
pub(crate) use unread::Unread;

pub(crate) const MINUTE_MS: u64 = 60_000;
pub(crate) const HOUR_MS: u64 = 60 * MINUTE_MS;
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;

/// Whole hours or minutes between two moments, in words.
fn lasting(from_ms: u64, to_ms: u64) -> String {
    match to_ms.saturating_sub(from_ms) {
        ms if ms >= 2 * HOUR_MS => format!("{} hours", ms / HOUR_MS),
        ms => format!("{} minutes", (ms / MINUTE_MS).max(1)),
    }
}
