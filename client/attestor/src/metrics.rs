//! What `/metrics` shows.

use prometheus::{
    core::Collector, Encoder, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};
use stipend_primitives::cost::Usage;

use crate::{
    engine::{EngineKind, Quantity},
    gpu::Totals,
};

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
    /// Questions for evidence by how they ended.
    pub(crate) evidence: IntCounterVec,
    /// Tokens that went through the engine for this attestor, by the engine's own way of counting.
    pub(crate) counted_tokens: IntCounterVec,
    /// Tokens that the engine says it processed.
    pub(crate) engine_tokens: IntGaugeVec,
    /// What the engine counted above what was metered.
    pub(crate) engine_excess: IntGaugeVec,
    /// How often the engine's counters began anew.
    pub(crate) engine_restarts: IntCounter,
    /// Whether the engine's counters could be read the last time.
    pub(crate) engine_up: IntGauge,
    in_flight: IntGauge,
    unclaimed: IntGauge,
    ranges: IntGauge,
    leaves: IntGauge,
    log_failed: IntGauge,
    gpu_up: IntGaugeVec,
    gpu_time: IntGaugeVec,
    gpu_energy: IntGaugeVec,
}

/// Figures that are read when they are asked for.
pub(crate) struct Snapshot {
    pub(crate) in_flight: usize,
    pub(crate) unclaimed: usize,
    pub(crate) ranges: usize,
    pub(crate) leaves: usize,
    pub(crate) log_failed: bool,
    pub(crate) gpu: Option<Totals>,
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
            evidence: counters(
                "stipend_attestor_evidence_total",
                "Questions for evidence, by how they ended.",
                &["outcome"],
            ),
            counted_tokens: counters(
                "stipend_attestor_counted_tokens_total",
                "Tokens and requests metered, counted as the engine counts them.",
                &["kind"],
            ),
            engine_tokens: gauges(
                "stipend_attestor_engine_tokens",
                "What the engine's own counters of tokens and requests rose by since this attestor began to look.",
                &["kind"],
            ),
            engine_excess: gauges(
                "stipend_attestor_engine_excess_tokens",
                "What the engine counted above what was metered; above zero with requests in flight, and for good \
                 if someone else uses the engine, an answer broke off, or metering understates.",
                &["kind"],
            ),
            engine_restarts: counter(
                "stipend_attestor_engine_restarts_total",
                "How often the engine's counters began anew; the excess is compared from there on.",
            ),
            engine_up: gauge("stipend_attestor_engine_up", "Whether the engine's counters could be read."),
            in_flight: gauge("stipend_attestor_requests_in_flight", "Requests at the engine."),
            unclaimed: gauge("stipend_attestor_unclaimed", "Requests served or waiting to be claimed."),
            ranges: gauge("stipend_attestor_ranges", "Ranges attested and kept."),
            leaves: gauge("stipend_attestor_leaves", "Leaves of the ranges kept."),
            log_failed: gauge("stipend_attestor_log_failed", "Whether the log takes no more records."),
            // Without labels' values these are not shown: where nothing is measured, they are absent.
            gpu_up: gauges("stipend_attestor_gpu_up", "Whether the GPUs could be read.", &["uuid"]),
            gpu_time: gauges(
                "stipend_attestor_gpu_time_milliseconds",
                "GPU time since this attestor began to look: counted, and given to requests.",
                &["part"],
            ),
            gpu_energy: gauges(
                "stipend_attestor_gpu_energy_millijoules",
                "Energy of the GPUs since this attestor began to look: counted, and given to requests.",
                &["part"],
            ),
            registry,
        }
    }

    /// Counts a metered request.
    pub(crate) fn metered(&self, model: &str, usage: &Usage) {
        let kinds = [("input", usage.input), ("cached_input", usage.cached_input), ("output", usage.output)];
        for (kind, count) in kinds {
            self.tokens.with_label_values(&[model, kind]).inc_by(count.into());
        }
    }

    /// Counts as the engine does what it did for a request, which asked for `choices` per prompt and `prompts` prompts.
    pub(crate) fn counted(&self, kind: EngineKind, usage: &Usage, choices: u64, prompts: u64) {
        for quantity in Quantity::ALL {
            let count = kind.counts(quantity, usage, choices, prompts);
            self.counted_tokens.with_label_values(&[quantity.label()]).inc_by(count);
        }
    }

    /// The exposition.
    pub(crate) fn render(&self, now: Snapshot) -> Vec<u8> {
        self.in_flight.set(now.in_flight as i64);
        self.unclaimed.set(now.unclaimed as i64);
        self.ranges.set(now.ranges as i64);
        self.leaves.set(now.leaves as i64);
        self.log_failed.set(now.log_failed.into());
        if let Some(gpu) = now.gpu {
            for uuid in &gpu.uuids {
                self.gpu_up.with_label_values(&[uuid]).set(gpu.is_up.into());
            }
            for (part, share) in [("counted", gpu.counted), ("given", gpu.given)] {
                let set = |gauge: &IntGaugeVec, value: Option<u64>| {
                    gauge.with_label_values(&[part]).set((value.unwrap_or(0) / 1_000) as i64)
                };
                set(&self.gpu_time, share.time_us);
                set(&self.gpu_energy, share.energy_uj);
            }
        }
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
