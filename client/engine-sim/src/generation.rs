//! One request being generated, token by token.

use std::{sync::Arc, time::Duration};

use prometheus::IntCounter;
use rand::{rngs::StdRng, SeedableRng};
use tokio::time::Instant;

use crate::{
    engine::{Inner, Job},
    queue::Place,
    tokens,
    wire::{PromptDetails, Usage},
};

/// Invents the tokens of all choices of one request, one step after the other, at the engine's pace.
///
/// Tokens count in the metrics when they are generated; who drops the generation stops it.
pub(crate) struct Generation {
    engine: Arc<Inner>,
    pub(crate) job: Job,
    _place: Place,
    random: StdRng,
    start: Instant,
    prompt_tokens: u64,
    cached_tokens: Option<u64>,
    generated: u64,
    generation_counter: IntCounter,
}

/// A generated token.
pub(crate) struct Generated {
    /// Which choice it belongs to.
    pub(crate) choice: usize,
    /// The word, with a space before it.
    pub(crate) word: &'static str,
    /// Whether it is the choice's last.
    pub(crate) is_last: bool,
}

impl Generation {
    pub(crate) fn new(
        engine: Arc<Inner>,
        job: Job,
        place: Place,
        prompt_tokens: u64,
        cached_tokens: Option<u64>,
    ) -> Self {
        let labels = ["0", job.model.as_str()];
        Generation {
            random: StdRng::seed_from_u64(job.seed),
            start: Instant::now(),
            generation_counter: engine.metrics.generation_tokens.with_label_values(&labels),
            engine,
            job,
            _place: place,
            prompt_tokens,
            cached_tokens,
            generated: 0,
        }
    }

    pub(crate) fn choices_count(&self) -> u64 {
        self.job.prompts.len() as u64 * u64::from(self.job.choices_per_prompt)
    }

    /// The next token, when it is due; `None` after the last.
    pub(crate) async fn next(&mut self) -> Option<Generated> {
        let choices = self.choices_count();
        let step = self.generated.checked_div(choices)?;
        if step >= self.job.tokens_max {
            return None;
        }
        let choice = self.generated % choices;
        if choice == 0 {
            self.wait_for(step).await;
        }
        if self.generated == 0 {
            let labels = ["0", self.job.model.as_str()];
            let prompt_tokens = self.prompt_tokens * u64::from(self.job.choices_per_prompt);
            self.engine.metrics.prompt_tokens.with_label_values(&labels).inc_by(prompt_tokens);
        }
        self.generated += 1;
        self.generation_counter.inc();
        let is_last = step + 1 == self.job.tokens_max;
        if is_last && choice + 1 == choices {
            let labels = ["0", self.job.finish_reason, self.job.model.as_str()];
            self.engine.metrics.successes.with_label_values(&labels).inc();
        }
        Some(Generated { choice: choice as usize, word: tokens::word(&mut self.random), is_last })
    }

    async fn wait_for(&self, step: u64) {
        let options = &self.engine.options;
        let after_first = match options.tokens_per_second {
            Some(rate) => Duration::from_secs_f64(step as f64 / rate),
            None => Duration::ZERO,
        };
        let due = self.start + options.first_token + after_first;
        if due > Instant::now() {
            tokio::time::sleep_until(due).await;
        }
    }

    /// Counts so far.
    pub(crate) fn usage(&self) -> Usage {
        Usage {
            prompt_tokens: self.prompt_tokens,
            total_tokens: self.prompt_tokens + self.generated,
            completion_tokens: self.generated,
            prompt_tokens_details: self.cached_tokens.map(|cached_tokens| PromptDetails { cached_tokens }),
        }
    }
}
