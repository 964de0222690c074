//! Token counts out of an answer.

use serde::{de::IgnoredAny, Deserialize};
use stipend_primitives::cost::Usage;

use crate::{image::ImageSize, Endpoint, RequestView};

/// Why an answer's counts cannot be metered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// The answer is no JSON object or its `usage` has another form than the protocol's.
    #[error("the answer's usage cannot be read: {0}")]
    Unreadable(String),
    /// The answer has no `usage`, or one that leaves out what was used.
    #[error("the answer carries no usage")]
    Absent,
    /// More tokens came from the cache than the prompt has.
    #[error("the engine says that {cached} of {prompt} prompt tokens came from its cache")]
    CachedAbovePrompt {
        /// Prompt tokens from the cache.
        cached: u64,
        /// Prompt tokens.
        prompt: u64,
    },
    /// A count does not fit a receipt.
    #[error("a count of {0} tokens does not fit a receipt")]
    TooLarge(u64),
}

/// Token counts, whichever protocol they came by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tokens of the prompt, cached ones included.
    pub prompt: u64,
    /// Those of them that came from the engine's cache; 0 where the engine gives no details.
    pub cached: u64,
    /// Generated tokens, reasoning included; 0 where there are none, as with embeddings.
    pub completion: u64,
    /// Those of them that were reasoning; 0 where the engine gives no details.
    pub reasoning: u64,
}

impl Counts {
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

/// Reads what the answers to one request say they used. Made from the request, so that gateway and attestor
/// read alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsageReader {
    pub(crate) endpoint: Endpoint,
    image: ImageSize,
}

impl UsageReader {
    /// The reader for the answers to a request.
    pub fn of(view: &RequestView) -> Self {
        UsageReader { endpoint: view.endpoint, image: view.image }
    }

    /// The endpoint whose answers it reads.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// What a whole JSON answer used.
    pub fn of_answer(&self, body: &[u8]) -> Result<Usage, UsageError> {
        self.counts_of_answer(body)?.usage()
    }

    /// The counts of a whole JSON answer; what was generated is skipped.
    pub fn counts_of_answer(&self, body: &[u8]) -> Result<Counts, UsageError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            usage: Option<RawUsage>,
        }
        #[derive(Deserialize)]
        struct Images {
            data: Vec<IgnoredAny>,
        }
        let unreadable = |error: serde_json::Error| UsageError::Unreadable(error.to_string());
        let answer: Answer = serde_json::from_slice(body).map_err(unreadable)?;
        match answer.usage.map(|usage| usage.counts(self.endpoint)) {
            None | Some(Err(UsageError::Absent)) if self.endpoint == Endpoint::Images => {
                let images: Images = serde_json::from_slice(body).map_err(unreadable)?;
                Ok(self.of_images(images.data.len() as u64))
            }
            counts => counts.unwrap_or(Err(UsageError::Absent)),
        }
    }

    /// What images count whose engine does not say it.
    pub(crate) fn of_images(&self, images: u64) -> Counts {
        Counts { completion: images.saturating_mul(self.image.tokens()), ..Default::default() }
    }
}

/// `usage` on the wire, in the forms of all protocols. Engines leave out or null what they do not count.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct RawUsage {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<Details>,
    #[serde(default)]
    completion_tokens_details: Option<Details>,
    #[serde(default)]
    input_tokens_details: Option<Details>,
    #[serde(default)]
    output_tokens_details: Option<Details>,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Details {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

impl RawUsage {
    /// The counts in the form of one endpoint. A zero that is said is a zero; what is not said, though it
    /// was used, makes the usage one that is absent.
    pub(crate) fn counts(&self, endpoint: Endpoint) -> Result<Counts, UsageError> {
        let cached = |details: &Option<Details>| {
            details.as_ref().and_then(|details| details.cached_tokens).unwrap_or(0)
        };
        let reasoning = |details: &Option<Details>| {
            details.as_ref().and_then(|details| details.reasoning_tokens).unwrap_or(0)
        };
        let said = |count: Option<u64>| count.ok_or(UsageError::Absent);
        Ok(match endpoint {
            Endpoint::Chat | Endpoint::Completions => Counts {
                prompt: said(self.prompt_tokens)?,
                cached: cached(&self.prompt_tokens_details),
                completion: said(self.completion_tokens)?,
                reasoning: reasoning(&self.completion_tokens_details),
            },
            Endpoint::Embeddings => Counts {
                prompt: said(self.prompt_tokens)?,
                cached: cached(&self.prompt_tokens_details),
                ..Default::default()
            },
            Endpoint::Responses | Endpoint::Images => Counts {
                prompt: said(self.input_tokens)?,
                cached: cached(&self.input_tokens_details),
                completion: said(self.output_tokens)?,
                reasoning: reasoning(&self.output_tokens_details),
            },
            // Here the three kinds of input stand beside each other.
            Endpoint::Messages => {
                let cached = self.cache_read_input_tokens.unwrap_or(0);
                let created = self.cache_creation_input_tokens.unwrap_or(0);
                Counts {
                    prompt: said(self.input_tokens)?.saturating_add(created).saturating_add(cached),
                    cached,
                    completion: said(self.output_tokens)?,
                    reasoning: reasoning(&self.output_tokens_details),
                }
            }
        })
    }

    /// Takes in a later usage of the same answer, which says only what has changed.
    pub(crate) fn update(&mut self, later: RawUsage) {
        let keep = |count: &mut Option<u64>, later: Option<u64>| *count = later.or(*count);
        keep(&mut self.input_tokens, later.input_tokens);
        keep(&mut self.output_tokens, later.output_tokens);
        keep(&mut self.cache_read_input_tokens, later.cache_read_input_tokens);
        keep(&mut self.cache_creation_input_tokens, later.cache_creation_input_tokens);
        self.output_tokens_details = later.output_tokens_details.or(self.output_tokens_details.take());
    }
}
