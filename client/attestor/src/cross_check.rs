//! Comparing what was metered with what the engine's own counters say.
//!
//! The counters are one for all who use the engine and count requests that never ended, so a
//! difference is no proof; but a difference that grows on an engine of its own is a question to ask.

use std::{sync::Arc, time::Duration};

use crate::App;

/// The engine's counters, by vLLM's names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) prompt: u64,
    pub(crate) generation: u64,
}

impl Reading {
    /// Reads an exposition; `None` if the counters are not in it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(Reading {
            prompt: sum(text, "vllm:prompt_tokens_total")?,
            generation: sum(text, "vllm:generation_tokens_total")?,
        })
    }
}

/// The sum of a counter over all its labels.
fn sum(text: &str, name: &str) -> Option<u64> {
    let mut total = None;
    for line in text.lines() {
        let Some(rest) = line.strip_prefix(name) else { continue };
        // A label's value can hold any character, so the labels end at the last brace.
        let value = match rest.chars().next() {
            Some('{') => rest.rsplit_once('}')?.1,
            Some(' ') => rest,
            _ => continue,
        };
        let value: f64 = value.split_whitespace().next()?.parse().ok()?;
        if !value.is_finite() || value < 0.0 {
            return None;
        }
        *total.get_or_insert(0) += value as u64;
    }
    total
}

/// What the engine's counters rose by since the first look, across restarts of the engine.
#[derive(Default)]
pub(crate) struct Risen {
    last: Option<Reading>,
    /// What had been metered at the first look.
    counted_before: Reading,
    total: Reading,
}

impl Risen {
    /// Takes in a reading and what was metered until then; returns what the engine counted and its
    /// excess over what was metered.
    pub(crate) fn update(&mut self, reading: Reading, counted: Reading) -> (Reading, [i64; 2]) {
        match self.last {
            None => self.counted_before = counted,
            Some(last) => {
                // A counter that fell began anew with the engine.
                let rise = |now: u64, last: u64| now.checked_sub(last).unwrap_or(now);
                self.total.prompt += rise(reading.prompt, last.prompt);
                self.total.generation += rise(reading.generation, last.generation);
            }
        }
        self.last = Some(reading);
        let excess = |engine: u64, counted: u64, before: u64| engine as i64 - (counted - before) as i64;
        let excess = [
            excess(self.total.prompt, counted.prompt, self.counted_before.prompt),
            excess(self.total.generation, counted.generation, self.counted_before.generation),
        ];
        (self.total, excess)
    }
}

/// Looks at the engine's counters again and again. An engine without them is only reported once.
pub(crate) async fn run(app: Arc<App>, every: Duration) {
    let mut risen = Risen::default();
    let mut was_up = true;
    loop {
        let is_up = look(&app, &mut risen).await;
        if was_up && !is_up {
            tracing::warn!("the engine's counters cannot be read: what is metered is not cross-checked");
        }
        was_up = is_up;
        tokio::time::sleep(every).await;
    }
}

async fn look(app: &App, risen: &mut Risen) -> bool {
    let metrics = &app.metrics;
    let reading = app.engine.counters().await.ok().and_then(|text| Reading::parse(&text));
    metrics.engine_up.set(reading.is_some().into());
    let Some(reading) = reading else { return false };
    let counted = Reading {
        prompt: metrics.counted.with_label_values(&["prompt"]).get(),
        generation: metrics.counted.with_label_values(&["generation"]).get(),
    };
    let (total, excess) = risen.update(reading, counted);
    let kinds = [("prompt", total.prompt, excess[0]), ("generation", total.generation, excess[1])];
    for (kind, total, excess) in kinds {
        metrics.engine_tokens.with_label_values(&[kind]).set(total as i64);
        metrics.engine_excess.with_label_values(&[kind]).set(excess);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_summed_over_labels() {
        let text =
            "# HELP vllm:prompt_tokens_total Prompt tokens.\n# TYPE vllm:prompt_tokens_total counter\n\
            vllm:prompt_tokens_total{engine=\"0\",model_name=\"a } b\"} 12.0\n\
            vllm:prompt_tokens_total{engine=\"1\",model_name=\"c\"} 3.0 1700000000\n\
            vllm:prompt_tokens_total_other 9\nvllm:generation_tokens_total 7\n";
        assert_eq!(Reading::parse(text), Some(Reading { prompt: 15, generation: 7 }));
        assert_eq!(Reading::parse("vllm:prompt_tokens_total 1\n"), None);
        assert_eq!(Reading::parse("llamacpp:prompt_tokens_total 1\n"), None);
    }

    #[test]
    fn what_was_before_the_first_look_does_not_count() {
        let mut risen = Risen::default();
        let reading = |prompt| Reading { prompt, generation: 0 };
        assert_eq!(risen.update(reading(1_000), reading(10)), (reading(0), [0, 0]));
        assert_eq!(risen.update(reading(1_005), reading(15)), (reading(5), [0, 0]));
    }

    #[test]
    fn a_restarted_engine_goes_on_counting() {
        let mut risen = Risen::default();
        let reading = |generation| Reading { prompt: 0, generation };
        risen.update(reading(100), reading(0));
        risen.update(reading(150), reading(50));
        let (total, excess) = risen.update(reading(20), reading(60));
        assert_eq!((total, excess), (reading(70), [0, 10]));
    }
}
