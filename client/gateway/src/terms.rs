//! What a caller says in headers about how its request is to be treated.

use std::time::{Duration, Instant};

use http::HeaderMap;
use stipend_openai::ApiError;

/// What a caller offers for a place in the queue: micro-credits of Priority.
const X_PRIORITY_FEE: &str = "x-stipend-priority-fee";

/// Milliseconds from the request's arrival within which it must be with a provider.
const X_DEADLINE: &str = "x-stipend-deadline-ms";

/// The longest deadline: beyond it no queue waits.
const DEADLINE_MS_MAX: u64 = 3_600_000;

/// How a caller wants its request treated.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Terms {
    /// Micro-credits of Priority.
    pub(crate) priority_fee: u32,
    /// When it is of no use any more to begin.
    pub(crate) start_by: Option<Instant>,
}

impl Terms {
    /// Reads the headers of a request that came at `began`.
    pub(crate) fn read(headers: &HeaderMap, began: Instant) -> Result<Self, ApiError> {
        let priority_fee = match number(headers, X_PRIORITY_FEE) {
            None => 0,
            Some(fee) => fee.and_then(|fee| u32::try_from(fee).ok()).ok_or_else(|| {
                ApiError::invalid_request(
                    "invalid_priority_fee",
                    format!(
                        "The header `{X_PRIORITY_FEE}` must be a whole number of micro-credits, at most {}.",
                        u32::MAX
                    ),
                )
            })?,
        };
        let start_by = match number(headers, X_DEADLINE) {
            None => None,
            Some(Some(ms @ 1..=DEADLINE_MS_MAX)) => Some(began + Duration::from_millis(ms)),
            Some(_) => {
                let message = format!(
                    "The header `{X_DEADLINE}` must be a whole number of milliseconds from 1 to {DEADLINE_MS_MAX}."
                );
                return Err(ApiError::invalid_request("invalid_deadline", message));
            }
        };
        Ok(Terms { priority_fee, start_by })
    }

    /// Whether it is too late to begin.
    pub(crate) fn is_late(&self) -> bool {
        self.start_by.is_some_and(|start_by| Instant::now() >= start_by)
    }

    /// The earlier of a moment and the deadline.
    pub(crate) fn by(&self, latest: Instant) -> Instant {
        self.start_by.map_or(latest, |start_by| start_by.min(latest))
    }
}

/// A header's number: `None` without the header, `Some(None)` where it is no number.
fn number(headers: &HeaderMap, name: &str) -> Option<Option<u64>> {
    let value = headers.get(name)?;
    Some(value.to_str().ok().and_then(|text| text.trim().parse().ok()))
}

/// The answer to a request that could not begin by its caller's deadline.
pub(crate) fn too_late() -> ApiError {
    ApiError::new(
        504,
        "api_error",
        "deadline_exceeded",
        "The request could not begin within the time that its header `x-stipend-deadline-ms` allows. Nothing was \
         charged; allow more time, or offer a fee in `x-stipend-priority-fee`.",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn read(name: &'static str, value: &'static str) -> Result<Terms, ApiError> {
        let headers = [(http::HeaderName::from_static(name), http::HeaderValue::from_static(value))];
        Terms::read(&headers.into_iter().collect(), Instant::now())
    }

    #[test]
    fn headers_are_read_and_what_is_no_number_is_refused_by_name() {
        assert_eq!(read(X_PRIORITY_FEE, " 7 ").unwrap().priority_fee, 7);
        assert!(!read(X_DEADLINE, "60000").unwrap().is_late());
        assert!(Terms::read(&HeaderMap::new(), Instant::now()).unwrap().start_by.is_none());
        for (name, value, code) in [
            (X_PRIORITY_FEE, "-1", "invalid_priority_fee"),
            (X_PRIORITY_FEE, "4294967296", "invalid_priority_fee"),
            (X_DEADLINE, "0", "invalid_deadline"),
            (X_DEADLINE, "soon", "invalid_deadline"),
            (X_DEADLINE, "3600001", "invalid_deadline"),
        ] {
            let error = read(name, value).unwrap_err();
            assert_eq!((error.status, error.error.code.as_deref()), (400, Some(code)), "{name}: {value}");
        }
    }
}
