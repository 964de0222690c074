//! Token counts out of an answer.

use serde::{Deserialize, Serialize};
use stipend_primitives::cost::Usage;

/// Why an answer's counts cannot be metered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// The answer is no JSON object or its `usage` has another form than OpenAI's.
    #[error("the answer's usage cannot be read: {0}")]
    Unreadable(String),
    /// The answer has no `usage`.
    #[error("the answer carries no usage")]
    Absent,
    /// More tokens came from the cache than the prompt has.
    #[error("the engine says that {cached} of {prompt} prompt tokens came from its cache")]
    CachedAbovePrompt {
        /// `prompt_tokens_details.cached_tokens`.
        cached: u64,
        /// `prompt_tokens`.
        prompt: u64,
    },
    /// A count does not fit a receipt.
    #[error("a count of {0} tokens does not fit a receipt")]
    TooLarge(u64),
}

/// Token counts as OpenAI's `usage` has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// `prompt_tokens`, cached ones included.
    pub prompt: u64,
    /// `prompt_tokens_details.cached_tokens`; 0 where the engine gives no details.
    pub cached: u64,
    /// `completion_tokens`, reasoning included; 0 where there are none, as with embeddings.
    pub completion: u64,
    /// `completion_tokens_details.reasoning_tokens`; 0 where the engine gives no details.
    pub reasoning: u64,
}

impl Counts {
    /// Reads the `usage` of a whole JSON answer; choices and everything else are skipped.
    pub fn of_answer(body: &[u8]) -> Result<Counts, UsageError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            usage: Option<RawUsage>,
        }
        let answer: Answer =
            serde_json::from_slice(body).map_err(|error| UsageError::Unreadable(error.to_string()))?;
        answer.usage.map(Counts::from).ok_or(UsageError::Absent)
    }

    /// The counts as receipts carry them: computed input, cached input, output.
    pub fn usage(&self) -> Result<Usage, UsageError> {
        let input = self
            .prompt
            .checked_sub(self.cached)
            .ok_or(UsageError::CachedAbovePrompt { cached: self.cached, prompt: self.prompt })?;
        let fit = |count: u64| u32::try_from(count).map_err(|_| UsageError::TooLarge(count));
        Ok(Usage { input: fit(input)?, cached_input: fit(self.cached)?, output: fit(self.completion)? })
    }
}

/// The usage of a whole JSON answer.
pub fn usage_of_answer(body: &[u8]) -> Result<Usage, UsageError> {
    Counts::of_answer(body)?.usage()
}

/// `usage` on the wire. Engines leave out or null what they do not count.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct RawUsage {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(default)]
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct CompletionDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

impl From<RawUsage> for Counts {
    fn from(raw: RawUsage) -> Self {
        Counts {
            prompt: raw.prompt_tokens.unwrap_or(0),
            cached: raw.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0),
            completion: raw.completion_tokens.unwrap_or(0),
            reasoning: raw
                .completion_tokens_details
                .and_then(|details| details.reasoning_tokens)
                .unwrap_or(0),
        }
    }
}
