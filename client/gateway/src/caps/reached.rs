//! What a request is told that a cap does not let through.

use stipend_openai::ApiError;

use super::{window::Refused, Cap, Warning};
use crate::credits::show;

/// A cap does not let a request through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CapReached {
    pub(crate) cap: Cap,
    pub(super) max: u128,
    pub(super) needed: u128,
    pub(super) refused: Refused,
    /// To be told, if it was not yet.
    pub(crate) warning: Option<Warning>,
}

impl CapReached {
    /// The answer to the request.
    pub(crate) fn answer(&self) -> ApiError {
        let amount = |amount: u128| match self.cap {
            Cap::TokensPerMinute => format!("{amount} tokens"),
            _ => format!("{} credits", show(amount)),
        };
        let span = match self.cap {
            Cap::CreditsPerDay => "per day",
            Cap::ModelCreditsPerDay => "per day for this model",
            Cap::CreditsPerMinute | Cap::TokensPerMinute => "per minute",
        };
        let allowed = format!(
            "Its API key allows {} {span} at one gateway, and this request can use up to {}",
            amount(self.max),
            amount(self.needed)
        );
        match self.refused {
            Refused::ForGood => ApiError::permission(
                "request_above_cap",
                format!("{allowed}: more than all of it. Lower `max_tokens`, or have the key's owner raise the cap."),
            ),
            Refused::Held => ApiError::rate_limit(format!(
                "{allowed}; what is left is held by the key's requests in flight. Try again when some are done."
            ))
            .with_retry_after(1),
            Refused::Used { left_ms } => ApiError::new(
                429,
                "rate_limit_error",
                "key_cap_reached",
                format!(
                    "{allowed}; too little of it is left. Wait for the next one, lower `max_tokens`, or have the \
                     key's owner raise the cap."
                ),
            )
            .with_retry_after(u32::try_from(left_ms.div_ceil(1_000)).unwrap_or(u32::MAX).max(1)),
        }
    }
}
