//! The time.

use std::time::{SystemTime, UNIX_EPOCH};

use stipend_primitives::Moment;

/// Unix time in milliseconds.
pub fn now_ms() -> Moment {
    // A clock before 1970 is a broken one; nothing here gets worse by taking it for 1970.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as Moment)
}
