//! What the gateway counts, for Prometheus. Names of generative-AI figures are OpenTelemetry's.
//!
//! Every counter of the hot path is looked up once, at the start, and then is one atomic step.

use std::collections::HashMap;

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};
use stipend_primitives::{cost::Usage, KeyHash};

use crate::{
    caps::{self, Warning},
    clock::now_ms,
    state::State,
};

/// Seconds, from the fastest cache hit to the longest answer.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0];

/// Statuses that are counted one by one.
const STATUSES: [u16; 15] = [200, 400, 401, 402, 403, 404, 405, 408, 413, 422, 429, 500, 502, 503, 504];

pub(crate) struct Metrics {
    registry: Registry,
    requests: HashMap<u16, IntCounter>,
    requests_other: IntCounter,
    models: HashMap<String, ModelMetrics>,
    upstream_failures: HashMap<String, IntCounter>,
    /// Answers that carried no usage, so nothing was charged.
    pub(crate) unmetered: IntCounter,
    /// Requests that used more than their bound.
    pub(crate) bound_exceeded: IntCounter,
    /// Callers that went away before their answer was complete.
    pub(crate) callers_gone: IntCounter,
    /// Rows of reservations asked for.
    pub(crate) reservations: IntCounter,
    /// Requests whose framing was refused; their connections were closed.
    pub(crate) malformed: IntCounter,
    /// Configurations taken in while the gateway runs, and those refused.
    pub(crate) reloads: [IntCounter; 2],
    queue_wait: Histogram,
    caps: IntCounterVec,
    gauges: Gauges,
}

/// Figures of one model.
pub(crate) struct ModelMetrics {
    input: IntCounter,
    cached: IntCounter,
    output: IntCounter,
    cost: IntCounter,
    /// From the request's arrival to the answer's last byte.
    pub(crate) duration: Histogram,
    /// From the request's arrival to the answer's first byte.
    pub(crate) first_token: Histogram,
}

/// Set when somebody looks.
struct Gauges {
    in_flight: IntGauge,
    keys: IntGauge,
    block: IntGauge,
    next_seq_log: IntGauge,
    next_seq_chain: IntGauge,
    admitting: IntGauge,
    waiting: IntGaugeVec,
    serving: IntGaugeVec,
    suspended: IntGaugeVec,
    limit: IntGaugeVec,
    circuit: IntGaugeVec,
    priorities: IntGaugeVec,
}

impl Metrics {
    /// Metrics for the models and providers of a configuration.
    pub(crate) fn new<'a>(
        models: impl Iterator<Item = &'a str>,
        providers: impl Iterator<Item = &'a str>,
    ) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok::<_, prometheus::Error>(counters)
        };
        let requests = counters("stipend_gateway_requests_total", "Answers by HTTP status.", &["status"])?;
        let failures = counters(
            "stipend_gateway_upstream_failures_total",
            "Requests that an upstream failed.",
            &["provider"],
        )?;
        let plain = |name: &str, help: &str| {
            counters(name, help, &[]).map(|all| all.with_label_values(&[] as &[&str]))
        };
        let unmetered =
            plain("stipend_gateway_unmetered_total", "Answers without usage: nothing was charged.")?;
        let bound_exceeded =
            plain("stipend_gateway_bound_exceeded_total", "Requests that used more than their bound.")?;
        let callers_gone =
            plain("stipend_gateway_callers_gone_total", "Callers that left before their answer ended.")?;
        let reservations =
            plain("stipend_gateway_reservation_rows_total", "Rows of reservations asked of the chain.")?;
        let caps = counters(
            "stipend_gateway_cap_warnings_total",
            "Shares of API keys' caps that were reached, each once in its minute or day.",
            &["cap", "percent"],
        )?;
        let malformed = plain("stipend_gateway_malformed_total", "Requests whose framing was refused.")?;
        let reloads = counters(
            "stipend_gateway_reloads_total",
            "Configurations read again on SIGHUP, by outcome.",
            &["outcome"],
        )?;
        let wait =
            HistogramOpts::new("stipend_gateway_queue_wait_seconds", "Wait for a place at an upstream.");
        let queue_wait = Histogram::with_opts(wait.buckets(SECONDS.to_vec()))?;
        registry.register(Box::new(queue_wait.clone()))?;
        Ok(Metrics {
            requests: STATUSES
                .map(|status| (status, requests.with_label_values(&[status.to_string().as_str()])))
                .into(),
            requests_other: requests.with_label_values(&["other"]),
            models: model_metrics(&registry, models)?,
            upstream_failures: providers
                .map(|provider| (provider.to_owned(), failures.with_label_values(&[provider])))
                .collect(),
            unmetered,
            bound_exceeded,
            callers_gone,
            reservations,
            malformed,
            reloads: ["taken", "refused"].map(|outcome| reloads.with_label_values(&[outcome])),
            queue_wait,
            caps,
            gauges: Gauges::new(&registry)?,
            registry,
        })
    }

    pub(crate) fn answered(&self, status: u16) {
        self.requests.get(&status).unwrap_or(&self.requests_other).inc();
    }

    pub(crate) fn model(&self, name: &str) -> Option<&ModelMetrics> {
        self.models.get(name)
    }

    pub(crate) fn waited(&self, seconds: f64) {
        self.queue_wait.observe(seconds);
    }

    /// A key has used a share of one of its caps.
    pub(crate) fn cap_reached(&self, key: &KeyHash, warning: Warning) {
        let (cap, percent) = (warning.cap.name(), warning.percent);
        tracing::warn!(key = caps::short(key), cap, percent, "an API key has used a large share of a cap");
        self.caps.with_label_values(&[cap, percent.to_string().as_str()]).inc();
    }

    pub(crate) fn upstream_failed(&self, provider: &str) {
        if let Some(counter) = self.upstream_failures.get(provider) {
            counter.inc();
        }
    }

    /// The page that Prometheus reads.
    pub(crate) fn page(&self, state: &State, admitting: bool) -> Vec<u8> {
        let gauges = &self.gauges;
        gauges.in_flight.set(state.in_flight() as i64);
        gauges.keys.set(state.keys.len() as i64);
        gauges.block.set(i64::from(state.status.block()));
        gauges.next_seq_log.set(state.receipts.next_position() as i64);
        gauges.next_seq_chain.set(state.status.next_seq() as i64);
        gauges.admitting.set(i64::from(admitting));
        for upstream in &state.upstreams.all {
            let waiting = upstream.queue.waiting();
            let label = &[upstream.address.as_str()];
            gauges.waiting.with_label_values(label).set(waiting as i64);
            gauges.serving.with_label_values(label).set(upstream.load().saturating_sub(waiting) as i64);
            gauges.suspended.with_label_values(label).set(i64::from(upstream.is_suspended()));
            gauges.limit.with_label_values(label).set(upstream.queue.limit() as i64);
            gauges.circuit.with_label_values(label).set(upstream.breaker.circuit(now_ms()) as i64);
            gauges.priorities.with_label_values(label).set(upstream.honours() as i64 - 1);
        }
        let mut page = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut page) {
            tracing::warn!(%error, "cannot write the metrics");
        }
        page
    }
}

impl ModelMetrics {
    pub(crate) fn used(&self, usage: &Usage, cost: u128) {
        self.input.inc_by(u64::from(usage.input));
        self.cached.inc_by(u64::from(usage.cached_input));
        self.output.inc_by(u64::from(usage.output));
        self.cost.inc_by(u64::try_from(cost).unwrap_or(u64::MAX));
    }
}

fn model_metrics<'a>(
    registry: &Registry,
    models: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, ModelMetrics>, prometheus::Error> {
    let model = "gen_ai_request_model";
    let tokens = IntCounterVec::new(
        Opts::new("gen_ai_client_token_usage_total", "Tokens charged, by kind."),
        &[model, "gen_ai_token_type"],
    )?;
    let cost = IntCounterVec::new(
        Opts::new("stipend_gateway_cost_micro_credits_total", "Micro-credits charged, fees included."),
        &[model],
    )?;
    let seconds = |name: &str, help: &str| {
        HistogramVec::new(HistogramOpts::new(name, help).buckets(SECONDS.to_vec()), &[model])
    };
    let duration = seconds("gen_ai_server_request_duration_seconds", "Arrival to last byte.")?;
    let first = seconds("gen_ai_server_time_to_first_token_seconds", "Arrival to first byte of the answer.")?;
    registry.register(Box::new(tokens.clone()))?;
    registry.register(Box::new(cost.clone()))?;
    registry.register(Box::new(duration.clone()))?;
    registry.register(Box::new(first.clone()))?;
    let metrics = models.map(|name| {
        let metrics = ModelMetrics {
            input: tokens.with_label_values(&[name, "input"]),
            cached: tokens.with_label_values(&[name, "cached_input"]),
            output: tokens.with_label_values(&[name, "output"]),
            cost: cost.with_label_values(&[name]),
            duration: duration.with_label_values(&[name]),
            first_token: first.with_label_values(&[name]),
        };
        (name.to_owned(), metrics)
    });
    Ok(metrics.collect())
}

impl Gauges {
    fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let one = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let per_provider = |name: &str, help: &str| {
            let gauges = IntGaugeVec::new(Opts::new(name, help), &["provider"])?;
            registry.register(Box::new(gauges.clone()))?;
            Ok::<_, prometheus::Error>(gauges)
        };
        Ok(Gauges {
            in_flight: one("stipend_gateway_requests_in_flight", "Requests being served or waiting.")?,
            keys: one("stipend_gateway_keys", "API keys known.")?,
            block: one("stipend_gateway_finalised_block", "Newest finalised block taken in.")?,
            next_seq_log: one("stipend_gateway_receipts_recorded", "Number of the next receipt.")?,
            next_seq_chain: one("stipend_gateway_receipts_finalised", "First receipt not finalised.")?,
            admitting: one("stipend_gateway_admitting", "1 while new requests are admitted.")?,
            waiting: per_provider("stipend_gateway_upstream_waiting", "Requests that wait for a place.")?,
            serving: per_provider("stipend_gateway_upstream_serving", "Requests that have a place.")?,
            suspended: per_provider("stipend_gateway_upstream_suspended", "1 while the chain suspends it.")?,
            limit: per_provider("stipend_gateway_upstream_limit", "Requests that it gets at a time, now.")?,
            circuit: per_provider(
                "stipend_gateway_upstream_circuit",
                "0: closed; 1: half-open, one request at a time tries; 2: open, it is not asked.",
            )?,
            priorities: per_provider(
                "stipend_gateway_upstream_priorities",
                "1: its engine schedules by priority; 0: it ignores priorities; -1: not known.",
            )?,
        })
    }
}
