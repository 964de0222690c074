//! The most that a request can cost.
//!
//! Tokens of text never outnumber its bytes: a tokeniser's pieces have at least one byte each. So the
//! body's length bounds the prompt, whatever tokeniser the engine has; what chat templates add is an
//! allowance, and what is generated is bounded by the `max_tokens` that the engine is sent.

use serde::{Deserialize, Serialize};
use stipend_openai::{ApiError, Endpoint, RequestView};
use stipend_primitives::{
    cost::{PriceEntry, Usage},
    Credits,
};

use crate::config::Limits;

/// What a request can use at most, its `max_tokens` still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bound {
    input_max: u32,
    generations: u32,
    output: Output,
}

/// What one generation has at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Output {
    /// What the caller asked for, or what the gateway chooses.
    Tokens(Option<u32>),
    /// What no field of the request bounds: nothing for embeddings, an image's most.
    Fixed(u32),
}

/// Times that the bytes of tools count: templates write them out, one value on a line.
const TOOLS_TIMES_MAX: u64 = 3;

impl Bound {
    pub(crate) fn of(view: &RequestView, limits: &Limits) -> Result<Self, ApiError> {
        check_outside(view)?;
        let generations = view.generations_count();
        if view.n == 0 || generations > u64::from(limits.generations_max) {
            return Err(ApiError::invalid_request(
                "too_many_choices",
                format!(
                    "The request asks for {generations} answers (`n` or `best_of` times prompts); send 1 to {}.",
                    limits.generations_max
                ),
            )
            .with_param("n"));
        }
        let media = media_tokens(view, limits)?;
        let tools = (view.tools_bytes as u64).saturating_mul(TOOLS_TIMES_MAX - 1);
        let text = (view.body.len() as u64).saturating_add(tools) + u64::from(limits.template_tokens_max);
        let bound = Bound {
            input_max: u32::try_from(text.saturating_add(media)).unwrap_or(u32::MAX),
            generations: u32::try_from(generations).unwrap_or(u32::MAX),
            output: output(view, generations)?,
        };
        bound.check_tokens(view, limits)?;
        Ok(bound)
    }

    fn check_tokens(&self, view: &RequestView, limits: &Limits) -> Result<(), ApiError> {
        let Some(field) = view.endpoint.bound_field() else { return Ok(()) };
        let most = self.tokens_max(limits);
        if view.max_tokens == Some(0) || view.max_tokens.is_some_and(|max| max > most) {
            let message = format!("Between 1 and {most} tokens can be generated per answer here.");
            return Err(ApiError::invalid_request("max_tokens_out_of_range", message).with_param(field));
        }
        let max = view.max_tokens.unwrap_or(most);
        if view.min_tokens.is_some_and(|min| min > max) {
            let message =
                format!("`min_tokens` is above the {max} tokens that this answer can have. Lower it.");
            return Err(
                ApiError::invalid_request("min_tokens_out_of_range", message).with_param("min_tokens")
            );
        }
        Ok(())
    }

    /// Tokens of one generation: as the configuration says, and so that a receipt can carry the sum.
    fn tokens_max(&self, limits: &Limits) -> u32 {
        limits.output_tokens_max.min(u32::MAX / self.generations.max(1))
    }

    /// `max_tokens` as the caller wants it, or the default.
    pub(crate) fn tokens_wanted(&self, limits: &Limits) -> u32 {
        match self.output {
            Output::Tokens(asked) => {
                asked.unwrap_or(limits.output_tokens_default).min(self.tokens_max(limits))
            }
            Output::Fixed(tokens) => tokens,
        }
    }

    /// Whether the caller left `max_tokens` to the gateway.
    pub(crate) fn tokens_are_open(&self) -> bool {
        self.output == Output::Tokens(None)
    }

    /// The most tokens that the prompt can have.
    pub(crate) fn input_max(&self) -> u32 {
        self.input_max
    }

    /// The most tokens that are generated if each generation has up to `max_tokens`.
    pub(crate) fn output_max(&self, max_tokens: u32) -> u64 {
        u64::from(self.generations) * u64::from(max_tokens)
    }

    /// The most that the request costs if each generation has up to `max_tokens` tokens.
    pub(crate) fn cost(&self, entry: &PriceEntry, max_tokens: u32) -> Credits {
        // A cached token may cost more or less than a computed one.
        let computed = Usage { input: self.input_max, cached_input: 0, output: 0 };
        let cached = Usage { input: 0, cached_input: self.input_max, output: 0 };
        let generated = Credits::from(self.output_max(max_tokens)) * Credits::from(entry.c_output);
        entry.cost(&computed).max(entry.cost(&cached)) + generated
    }

    /// The largest `max_tokens` up to `wanted` whose cost is within `budget`; 0 if not even one token
    /// is.
    pub(crate) fn tokens_within(&self, entry: &PriceEntry, wanted: u32, budget: Credits) -> u32 {
        let Some(left) = budget.checked_sub(self.cost(entry, 0)) else { return 0 };
        let per_token = Credits::from(self.generations) * Credits::from(entry.c_output);
        let affordable = left.checked_div(per_token).unwrap_or(Credits::MAX);
        u32::try_from(affordable).unwrap_or(u32::MAX).min(wanted)
    }

    /// Tokens of prompt and answers together, at most.
    pub(crate) fn tokens(&self, max_tokens: u32) -> u64 {
        u64::from(self.input_max) + u64::from(self.generations) * u64::from(max_tokens)
    }

    /// Whether `usage` is within the bound.
    pub(crate) fn covers(&self, usage: &Usage, max_tokens: u32) -> bool {
        let input = u64::from(usage.input) + u64::from(usage.cached_input);
        input <= u64::from(self.input_max) && u64::from(usage.output) <= self.output_max(max_tokens)
    }
}

/// What one generation has at most, and whether it can be bounded.
fn output(view: &RequestView, generations: u64) -> Result<Output, ApiError> {
    match view.endpoint {
        Endpoint::Embeddings => Ok(Output::Fixed(0)),
        Endpoint::Images if view.stream && generations > 1 => Err(ApiError::invalid_request(
            "too_many_choices",
            "A stream is of one image. Send `n` of 1, or ask for the whole answer.",
        )
        .with_param("n")),
        // A receipt must carry all of them.
        Endpoint::Images => match u32::try_from(view.image.tokens_max()) {
            Ok(tokens) if tokens <= IMAGE_TOKENS_MAX => Ok(Output::Fixed(tokens)),
            _ => Err(ApiError::invalid_request(
                "image_too_large",
                "An image of this `size` cannot be metered: it can have up to 8192 x 8192 pixels.",
            )
            .with_param("size")),
        },
        _ => Ok(Output::Tokens(view.max_tokens)),
    }
}

/// What an image of 8192 x 8192 pixels can count.
const IMAGE_TOKENS_MAX: u32 = 256 * 256 * 4 + 512;

/// Refuses what would cost more than the body shows.
fn check_outside(view: &RequestView) -> Result<(), ApiError> {
    let Some(field) = view.outside else { return Ok(()) };
    let message = match field {
        "tools" => {
            "Tools that the engine runs by itself are not served: what they cost is not bounded. Send tools that              your program runs (`function`, `custom`)."
        }
        _ => {
            "Only what stands in the request itself can be metered: no stored conversation, item or prompt, no              container or remote server, no work in the background. Send the whole input, and leave this field out."
        }
    };
    Err(ApiError::invalid_request("unbounded_request", message).with_param(field))
}

fn media_tokens(view: &RequestView, limits: &Limits) -> Result<u64, ApiError> {
    // Parts stand in lists of their own, inside the list of messages: with one list there are none. Items of
    // responses can be parts themselves.
    let lists = || view.body.iter().filter(|byte| **byte == b'[').count();
    let has_messages = matches!(view.endpoint, Endpoint::Chat | Endpoint::Messages);
    if has_messages && lists() <= 1 {
        return Ok(0);
    }
    let field = match view.endpoint {
        Endpoint::Chat | Endpoint::Messages => "messages",
        Endpoint::Responses | Endpoint::Embeddings => "input",
        Endpoint::Completions | Endpoint::Images => "prompt",
    };
    let unreadable = |error: stipend_openai::RequestError| {
        ApiError::invalid_request("invalid_messages", error.to_string()).with_param(field)
    };
    let parts = view.media_parts_count().map_err(unreadable)? as u64;
    if parts > 0 && limits.media_part_tokens_max == 0 {
        return Err(ApiError::invalid_request(
            "media_not_served",
            "Requests can only hold text here: the cost of images, sound and files is not bounded. Leave them out,              or have the gateway's operator set `media_part_tokens_max`.",
        )
        .with_param(field));
    }
    Ok(parts.saturating_mul(u64::from(limits.media_part_tokens_max)))
}

#[cfg(test)]
mod tests;
