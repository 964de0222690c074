//! What `/metrics` shows.

use prometheus::{
    core::Collector, Encoder, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};
use stipend_primitives::cost::Usage;

/// The attestor's own metrics. Labels come from the configuration only, so there are boundedly many.
pub(crate) struct Metrics {
    registry: Registry,
    /// Requests by how they ended.
    pub(crate) requests: IntCounterVec,
    /// Tokens metered, by model and kind.
    tokens: IntCounterVec,
    /// Requests whose gateway went away before the answer's end.
    pub(crate) drained: IntCounter,
    /// Claims by how they were taken.
    pub(crate) claims: IntCounterVec,
    /// Claimed requests that were never metered here.
    pub(crate) claimed_unknown: IntCounter,
    /// Tokens that went through the engine for this attestor, by the engine's own way of counting.
    pub(crate) counted: IntCounterVec,
    /// Tokens that the engine says it processed.
    pub(crate) engine_tokens: IntGaugeVec,
    /// What the engine counted above what was metered.
    pub(crate) engine_excess: IntGaugeVec,
    /// Whether the engine's counters could be read the last time.
    pub(crate) engine_up: IntGauge,
    in_flight: IntGauge,
    unclaimed: IntGauge,
    ranges: IntGauge,
    leaves: IntGauge,
    log_failed: IntGauge,
}

/// Figures that are read when they are asked for.
pub(crate) struct Snapshot {
    pub(crate) in_flight: usize,
    pub(crate) unclaimed: usize,
    pub(crate) ranges: usize,
    pub(crate) leaves: usize,
    pub(crate) log_failed: bool,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let registry = Registry::new();
        let counters = |name, help, labels: &[&str]| {
            register(&registry, IntCounterVec::new(Opts::new(name, help), labels))
        };
        let counter = |name, help| register(&registry, IntCounter::new(name, help));
        let gauges = |name, help, labels: &[&str]| {
            register(&registry, IntGaugeVec::new(Opts::new(name, help), labels))
        };
        let gauge = |name, help| register(&registry, IntGauge::new(name, help));
        Metrics {
            requests: counters("stipend_attestor_requests_total", "Requests, by how they ended.", &["outcome"]),
            tokens: counters("stipend_attestor_tokens_total", "Tokens metered.", &["model", "kind"]),
            drained: counter(
                "stipend_attestor_drained_total",
                "Requests whose gateway went away; they were read to their end and metered.",
            ),
            claims: counters("stipend_attestor_claims_total", "Claims, by how they were taken.", &["outcome"]),
            claimed_unknown: counter(
                "stipend_attestor_claimed_unknown_total",
                "Claimed requests that were never metered here; they are attested with no usage.",
            ),
            counted: counters(
                "stipend_attestor_counted_tokens_total",
                "Tokens metered, counted as the engine counts them: a prompt once per choice.",
                &["kind"],
            ),
            engine_tokens: gauges(
                "stipend_attestor_engine_tokens",
                "Tokens that the engine's own counters rose by since this attestor began to look.",
                &["kind"],
            ),
            engine_excess: gauges(
                "stipend_attestor_engine_excess_tokens",
                "What the engine counted above what was metered; above zero with requests in flight, and for good \
                 if someone else uses the engine, an answer broke off, or metering understates.",
                &["kind"],
            ),
            engine_up: gauge("stipend_attestor_engine_up", "Whether the engine's counters could be read."),
            in_flight: gauge("stipend_attestor_requests_in_flight", "Requests at the engine."),
            unclaimed: gauge("stipend_attestor_unclaimed", "Requests served or waiting to be claimed."),
            ranges: gauge("stipend_attestor_ranges", "Ranges attested and kept."),
            leaves: gauge("stipend_attestor_leaves", "Leaves of the ranges kept."),
            log_failed: gauge("stipend_attestor_log_failed", "Whether the log takes no more records."),
            registry,
        }
    }

    /// Counts a metered request; `generations` is how often the engine counts its prompt.
    pub(crate) fn metered(&self, model: &str, usage: &Usage, generations: u64) {
        let kinds = [("input", usage.input), ("cached_input", usage.cached_input), ("output", usage.output)];
        for (kind, count) in kinds {
            self.tokens.with_label_values(&[model, kind]).inc_by(count.into());
        }
        let prompt = u64::from(usage.input) + u64::from(usage.cached_input);
        self.counted.with_label_values(&["prompt"]).inc_by(prompt.saturating_mul(generations));
        self.counted.with_label_values(&["generation"]).inc_by(usage.output.into());
    }

    /// The exposition.
    pub(crate) fn render(&self, now: Snapshot) -> Vec<u8> {
        self.in_flight.set(now.in_flight as i64);
        self.unclaimed.set(now.unclaimed as i64);
        self.ranges.set(now.ranges as i64);
        self.leaves.set(now.leaves as i64);
        self.log_failed.set(now.log_failed.into());
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
