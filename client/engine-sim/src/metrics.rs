//! Counters under the names that vLLM gives them.

use prometheus::{core::Collector, Encoder, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

/// What an engine has done for all its models: the truth that meters are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// `vllm:prompt_tokens_total`: the prompt counts once for each choice.
    pub prompt_tokens: u64,
    /// `vllm:generation_tokens_total`, of aborted requests too.
    pub generation_tokens: u64,
    /// `vllm:request_success_total`.
    pub successes: u64,
}

/// The engine's counters, by model.
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) prompt_tokens: IntCounterVec,
    pub(crate) generation_tokens: IntCounterVec,
    pub(crate) successes: IntCounterVec,
    pub(crate) prefix_queries: IntCounterVec,
    pub(crate) prefix_hits: IntCounterVec,
    running: IntGaugeVec,
    waiting: IntGaugeVec,
}

const LABELS: [&str; 2] = ["engine", "model_name"];

impl Metrics {
    pub(crate) fn new(models: &[String]) -> Self {
        let registry = Registry::new();
        let counter = |name, help, labels: &[&str]| {
            register(&registry, IntCounterVec::new(Opts::new(name, help), labels))
        };
        let gauge = |name, help| register(&registry, IntGaugeVec::new(Opts::new(name, help), &LABELS));
        let metrics = Metrics {
            prompt_tokens: counter("vllm:prompt_tokens_total", "Prompt tokens computed or cached.", &LABELS),
            generation_tokens: counter("vllm:generation_tokens_total", "Tokens generated.", &LABELS),
            successes: counter(
                "vllm:request_success_total",
                "Requests that were answered in full.",
                &["engine", "finished_reason", "model_name"],
            ),
            prefix_queries: counter("vllm:prefix_cache_queries_total", "Prompt tokens looked up.", &LABELS),
            prefix_hits: counter(
                "vllm:prefix_cache_hits_total",
                "Prompt tokens found in the cache.",
                &LABELS,
            ),
            running: gauge("vllm:num_requests_running", "Requests that generate."),
            waiting: gauge("vllm:num_requests_waiting", "Requests that wait for a place."),
            registry,
        };
        for model in models {
            // A counter that is there from the first scrape on can be told from one that is missing.
            metrics.prompt_tokens.with_label_values(&["0", model]);
            metrics.generation_tokens.with_label_values(&["0", model]);
        }
        metrics
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            prompt_tokens: sum(&self.prompt_tokens),
            generation_tokens: sum(&self.generation_tokens),
            successes: sum(&self.successes),
        }
    }

    /// The exposition that `/metrics` answers with. The queue is one for all models; it stands under
    /// the first.
    pub(crate) fn render(&self, model: &str, running: usize, waiting: usize) -> Vec<u8> {
        self.running.with_label_values(&["0", model]).set(running as i64);
        self.waiting.with_label_values(&["0", model]).set(waiting as i64);
        let mut text = Vec::new();
        TextEncoder::new()
            .encode(&self.registry.gather(), &mut text)
            .expect("writing to memory does not fail, and gathered families are well formed; qed");
        text
    }
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, metric: prometheus::Result<C>) -> C {
    let metric = metric.expect("names and labels are constants that follow the rules; qed");
    registry.register(Box::new(metric.clone())).expect("every name is registered once; qed");
    metric
}

fn sum(counters: &IntCounterVec) -> u64 {
    let families = counters.collect();
    let metrics = families.iter().flat_map(|family| family.get_metric());
    metrics.map(|metric| metric.get_counter().get_value() as u64).sum()
}
