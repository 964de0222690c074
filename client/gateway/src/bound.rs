//! The most that a request can cost.
//!
//! Tokens of text never outnumber its bytes: a tokeniser's pieces have at least one byte each. So the
//! body's length bounds the prompt, whatever tokeniser the engine has; what chat templates add is an
//! allowance, and what is generated is bounded by the `max_tokens` that the engine is sent.

use stipend_openai::{ApiError, RequestView};
use stipend_primitives::{
    cost::{PriceEntry, Usage},
    Credits,
};

use crate::config::Limits;

/// What a request can use at most, its `max_tokens` still open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bound {
    input_max: u32,
    generations: u32,
    /// What the caller asked for, per generation.
    asked: Option<u32>,
}

impl Bound {
    pub(crate) fn of(view: &RequestView, limits: &Limits) -> Result<Self, ApiError> {
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
        let text = view.body.len() as u64 + u64::from(limits.template_tokens_max);
        let bound = Bound {
            input_max: u32::try_from(text.saturating_add(media)).unwrap_or(u32::MAX),
            generations: u32::try_from(generations).unwrap_or(u32::MAX),
            asked: view.max_tokens,
        };
        if view.max_tokens == Some(0) || view.max_tokens.is_some_and(|max| max > bound.tokens_max(limits)) {
            let most = bound.tokens_max(limits);
            let message = format!("Between 1 and {most} tokens can be generated per answer here.");
            return Err(
                ApiError::invalid_request("max_tokens_out_of_range", message).with_param("max_tokens")
            );
        }
        Ok(bound)
    }

    /// Tokens of one generation: as the configuration says, and so that a receipt can carry the sum.
    fn tokens_max(&self, limits: &Limits) -> u32 {
        limits.output_tokens_max.min(u32::MAX / self.generations.max(1))
    }

    /// `max_tokens` as the caller wants it, or the default.
    pub(crate) fn tokens_wanted(&self, limits: &Limits) -> u32 {
        self.asked.unwrap_or(limits.output_tokens_default).min(self.tokens_max(limits))
    }

    /// Whether the caller left `max_tokens` to the gateway.
    pub(crate) fn tokens_are_open(&self) -> bool {
        self.asked.is_none()
    }

    /// The most that the request costs if each generation has up to `max_tokens` tokens.
    pub(crate) fn cost(&self, entry: &PriceEntry, max_tokens: u32) -> Credits {
        // A cached token may cost more or less than a computed one.
        let computed = Usage { input: self.input_max, cached_input: 0, output: 0 };
        let cached = Usage { input: 0, cached_input: self.input_max, output: 0 };
        let output = u64::from(self.generations) * u64::from(max_tokens);
        let generated = Credits::from(output) * Credits::from(entry.c_output);
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
        input <= u64::from(self.input_max)
            && u64::from(usage.output) <= u64::from(self.generations) * u64::from(max_tokens)
    }
}

fn media_tokens(view: &RequestView, limits: &Limits) -> Result<u64, ApiError> {
    // Parts stand in lists of their own, inside the list of messages: with one list there are none.
    if view.body.iter().filter(|byte| **byte == b'[').count() <= 1 {
        return Ok(0);
    }
    let unreadable = |error: stipend_openai::RequestError| {
        ApiError::invalid_request("invalid_messages", error.to_string()).with_param("messages")
    };
    let parts = view.media_parts_count().map_err(unreadable)? as u64;
    if parts > 0 && limits.media_part_tokens_max == 0 {
        return Err(ApiError::invalid_request(
            "media_not_served",
            "Messages can only hold text here: the cost of images, sound and files is not bounded.",
        )
        .with_param("messages"));
    }
    Ok(parts.saturating_mul(u64::from(limits.media_part_tokens_max)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;
    use stipend_primitives::{ClassId, ModelId, Name};

    fn entry(c_input: u64, c_cached: u64, c_output: u64) -> PriceEntry {
        PriceEntry {
            model: ModelId(0),
            name: Name::default(),
            class: ClassId::INNOVATION,
            premium: false,
            c_input,
            c_cached,
            c_output,
            c_model: 3,
            weight: 5,
            reference_input: 0,
            reference_output: 0,
        }
    }

    fn bound(body: &str) -> Result<Bound, ApiError> {
        Bound::of(&RequestView::read(body.as_bytes()).unwrap(), &Limits::default())
    }

    proptest! {
        #[test]
        fn no_usage_within_the_bound_costs_more(
            c in (0..1_000u64, 0..1_000u64, 0..1_000u64), n in 1..8u32, max in 1..1_000u32,
            used in (0.0..1.0f64, 0.0..1.0f64, 0.0..1.0f64),
        ) {
            let bound = bound(&format!(r#"{{"model":"m","n":{n},"max_tokens":{max}}}"#)).unwrap();
            let entry = entry(c.0, c.1, c.2);
            let input = (f64::from(bound.input_max) * used.0) as u32;
            let cached = (f64::from(bound.input_max - input) * used.1) as u32;
            let output = (f64::from(n * max) * used.2) as u32;
            let usage = Usage { input, cached_input: cached, output };
            prop_assert!(bound.covers(&usage, max));
            prop_assert!(entry.cost(&usage) <= bound.cost(&entry, max));
        }

        #[test]
        fn the_largest_affordable_length_is_found(c_output in 0..500u64, n in 1..8u32, budget in 0..100_000u128) {
            let bound = bound(&format!(r#"{{"model":"m","n":{n}}}"#)).unwrap();
            let entry = entry(1, 1, c_output);
            let tokens = bound.tokens_within(&entry, 4_096, budget);
            prop_assert!(tokens == 0 || bound.cost(&entry, tokens) <= budget);
            prop_assert!(tokens == 4_096 || bound.cost(&entry, tokens + 1) > budget);
        }
    }

    #[test]
    fn requests_beyond_the_limits_are_refused_by_name() {
        for (body, code) in [
            (r#"{"model":"m","n":100}"#, "too_many_choices"),
            (r#"{"model":"m","n":0}"#, "too_many_choices"),
            (r#"{"model":"m","prompt":["a","b","c"],"n":6}"#, "too_many_choices"),
            (r#"{"model":"m","max_tokens":4000000000}"#, "max_tokens_out_of_range"),
            (r#"{"model":"m","max_tokens":0}"#, "max_tokens_out_of_range"),
            (
                r#"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]}"#,
                "media_not_served",
            ),
        ] {
            let error = bound(body).unwrap_err();
            assert_eq!((error.status, error.error.code.as_deref()), (400, Some(code)), "{body}");
        }
    }
}
