//! Figures of single models: whoever measures one says it once, and it is counted for Prometheus and for the collector.

use std::{collections::HashMap, sync::Arc, time::Instant};

use arc_swap::ArcSwap;
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry};
use stipend_openai::Endpoint;
use stipend_primitives::cost::Usage;

use super::SECONDS;
use crate::telemetry::Figures;

/// All models that were ever served in this run.
pub(super) struct Models {
    tokens: IntCounterVec,
    cost: IntCounterVec,
    duration: HistogramVec,
    first_token: HistogramVec,
    /// For the collector, if there is one.
    figures: Option<Figures>,
    known: ArcSwap<HashMap<String, Arc<ModelMetrics>>>,
}

/// Figures of one model.
pub(crate) struct ModelMetrics {
    name: Arc<str>,
    input: IntCounter,
    cached: IntCounter,
    output: IntCounter,
    cost: IntCounter,
    duration: Histogram,
    first_token: Histogram,
    figures: Option<Figures>,
}

impl Models {
    pub(super) fn new(registry: &Registry, figures: Option<Figures>) -> Result<Self, prometheus::Error> {
        let model = "gen_ai_request_model";
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok::<_, prometheus::Error>(counters)
        };
        let seconds = |name: &str, help: &str| {
            let options = HistogramOpts::new(name, help).buckets(SECONDS.to_vec());
            let histograms = HistogramVec::new(options, &[model])?;
            registry.register(Box::new(histograms.clone()))?;
            Ok::<_, prometheus::Error>(histograms)
        };
        Ok(Models {
            tokens: counters(
                "gen_ai_client_token_usage_total",
                "Tokens charged, by kind.",
                &[model, "gen_ai_token_type"],
            )?,
            cost: counters(
                "stipend_gateway_cost_micro_credits_total",
                "Micro-credits charged, fees included.",
                &[model],
            )?,
            duration: seconds("gen_ai_server_request_duration_seconds", "Arrival to last byte.")?,
            first_token: seconds(
                "gen_ai_server_time_to_first_token_seconds",
                "Arrival to first byte of the answer.",
            )?,
            figures,
            known: ArcSwap::default(),
        })
    }

    /// Makes room for models that are new. Those that are served no more keep their figures.
    pub(super) fn know<'a>(&self, names: impl Iterator<Item = &'a str>) {
        let mut known = self.known.load().as_ref().clone();
        for name in names {
            known.entry(name.to_owned()).or_insert_with(|| Arc::new(self.make(name)));
        }
        self.known.store(Arc::new(known));
    }

    pub(super) fn get(&self, name: &str) -> Option<Arc<ModelMetrics>> {
        self.known.load().get(name).cloned()
    }

    fn make(&self, name: &str) -> ModelMetrics {
        ModelMetrics {
            name: name.into(),
            figures: self.figures.clone(),
            input: self.tokens.with_label_values(&[name, "input"]),
            cached: self.tokens.with_label_values(&[name, "cached_input"]),
            output: self.tokens.with_label_values(&[name, "output"]),
            cost: self.cost.with_label_values(&[name]),
            duration: self.duration.with_label_values(&[name]),
            first_token: self.first_token.with_label_values(&[name]),
        }
    }
}

impl ModelMetrics {
    /// A request is charged: its tokens, and its micro-credits with the fee.
    pub(crate) fn used(&self, endpoint: Endpoint, usage: &Usage, cost: u128) {
        self.input.inc_by(u64::from(usage.input));
        self.cached.inc_by(u64::from(usage.cached_input));
        self.output.inc_by(u64::from(usage.output));
        self.cost.inc_by(u64::try_from(cost).unwrap_or(u64::MAX));
        if let Some(figures) = &self.figures {
            figures.used(endpoint, &self.name, usage);
        }
    }

    /// The first byte of the answer to a request that arrived at `arrival` goes out.
    pub(crate) fn began(&self, endpoint: Endpoint, arrival: Instant) {
        let seconds = arrival.elapsed().as_secs_f64();
        self.first_token.observe(seconds);
        if let Some(figures) = &self.figures {
            figures.began(endpoint, &self.name, seconds);
        }
    }

    /// The last byte of the answer to a request that arrived at `arrival` goes out.
    pub(crate) fn lasted(&self, endpoint: Endpoint, arrival: Instant) {
        let seconds = arrival.elapsed().as_secs_f64();
        self.duration.observe(seconds);
        if let Some(figures) = &self.figures {
            figures.lasted(endpoint, &self.name, seconds);
        }
    }
}
