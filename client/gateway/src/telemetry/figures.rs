//! The conventions' histograms, for a collector. Prometheus has its own, fed in the same place: `metrics`.

use std::sync::Arc;

use opentelemetry::{
    metrics::{Histogram, Meter},
    KeyValue,
};
use stipend_openai::Endpoint;
use stipend_primitives::cost::Usage;

use super::names;

/// Bounds of the buckets, as the conventions have them.
const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
const DURATION_S: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const FIRST_TOKEN_S: [f64; 16] =
    [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// The histograms of all models.
#[derive(Clone)]
pub(crate) struct Figures {
    tokens: Histogram<u64>,
    duration: Histogram<f64>,
    first_token: Histogram<f64>,
}

impl Figures {
    pub(super) fn new(meter: &Meter) -> Self {
        let tokens = meter
            .u64_histogram("gen_ai.client.token.usage")
            .with_description("Tokens charged.")
            .with_unit("{token}")
            .with_boundaries(TOKENS.to_vec());
        let seconds = |name, description, bounds: &[f64]| {
            let histogram = meter.f64_histogram(name).with_description(description).with_unit("s");
            histogram.with_boundaries(bounds.to_vec()).build()
        };
        Figures {
            tokens: tokens.build(),
            duration: seconds("gen_ai.server.request.duration", "Arrival to last byte.", &DURATION_S),
            first_token: seconds(
                "gen_ai.server.time_to_first_token",
                "Arrival to first byte of the answer.",
                &FIRST_TOKEN_S,
            ),
        }
    }

    pub(crate) fn used(&self, endpoint: Endpoint, model: &Arc<str>, usage: &Usage) {
        let [operation, provider, model] = names::of_model(endpoint, model);
        let mut of = [operation, provider, model, KeyValue::new(names::TOKEN_TYPE, "input")];
        self.tokens.record(u64::from(usage.input) + u64::from(usage.cached_input), &of);
        of[3] = KeyValue::new(names::TOKEN_TYPE, "output");
        self.tokens.record(u64::from(usage.output), &of);
    }

    pub(crate) fn lasted(&self, endpoint: Endpoint, model: &Arc<str>, seconds: f64) {
        self.duration.record(seconds, &names::of_model(endpoint, model));
    }

    pub(crate) fn began(&self, endpoint: Endpoint, model: &Arc<str>, seconds: f64) {
        self.first_token.record(seconds, &names::of_model(endpoint, model));
    }
}
