//! The wall clock, in the chain's unit.

use std::time::{SystemTime, UNIX_EPOCH};

use stipend_primitives::Moment;

/// Unix time in milliseconds.
pub(crate) fn now_ms() -> Moment {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::try_from(since.as_millis()).unwrap_or(Moment::MAX)
}
