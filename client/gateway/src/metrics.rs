//! What the gateway counts, for Prometheus and, of models, for a collector. Names of generative-AI figures are
//! OpenTelemetry's.
//!
//! Every counter of the hot path is looked up once, at the start, and then is one atomic step.

mod models;
mod waste;

use std::{collections::HashMap, sync::Arc};

use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};
use stipend_primitives::KeyHash;

use crate::{
    caps::{self, Warning},
    clock::now_ms,
    jobs::JobState,
    state::State,
    telemetry::Otlp,
    upstream::UpstreamSet,
};
use models::{ModelMetrics, Models};
pub(crate) use waste::WasteMetrics;

/// Seconds, from the fastest cache hit to the longest answer.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 300.0];

/// Statuses that are counted one by one.
const STATUSES: [u16; 15] = [200, 400, 401, 402, 403, 404, 405, 408, 413, 422, 429, 500, 502, 503, 504];

pub(crate) struct Metrics {
    registry: Registry,
    requests: HashMap<u16, IntCounter>,
    requests_other: IntCounter,
    models: Models,
    upstream_failures: IntCounterVec,
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
    jobs_ended: IntCounterVec,
    cluster_failures: IntCounter,
    gauges: Gauges,
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
    jobs: IntGaugeVec,
}

impl Metrics {
    /// Metrics that know no model and no provider yet. What a collector has names for goes there, too.
    pub(crate) fn new(otlp: Option<&Otlp>) -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok::<_, prometheus::Error>(counters)
        };
        let requests = counters("stipend_gateway_requests_total", "Answers by HTTP status.", &["status"])?;
        let upstream_failures = counters(
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
        let jobs_ended =
            counters("stipend_gateway_jobs_ended_total", "Jobs that are over, by outcome.", &["outcome"])?;
        let cluster_failures = plain(
            "stipend_gateway_cluster_failures_total",
            "Calls of the Kubernetes API that came to nothing.",
        )?;
        let wait =
            HistogramOpts::new("stipend_gateway_queue_wait_seconds", "Wait for a place at an upstream.");
        let queue_wait = Histogram::with_opts(wait.buckets(SECONDS.to_vec()))?;
        registry.register(Box::new(queue_wait.clone()))?;
        if let Some(otlp) = otlp {
            otlp.losses.register(&registry)?;
        }
        Ok(Metrics {
            requests: STATUSES
                .map(|status| (status, requests.with_label_values(&[status.to_string().as_str()])))
                .into(),
            requests_other: requests.with_label_values(&["other"]),
            models: Models::new(&registry, otlp.map(Otlp::figures))?,
            upstream_failures,
            unmetered,
            bound_exceeded,
            callers_gone,
            reservations,
            malformed,
            reloads: ["taken", "refused"].map(|outcome| reloads.with_label_values(&[outcome])),
            queue_wait,
            caps,
            jobs_ended,
            cluster_failures,
            gauges: Gauges::new(&registry)?,
            registry,
        })
    }

    /// What is counted of looking for waste, where somebody does.
    pub(crate) fn of_waste(&self) -> Result<WasteMetrics, prometheus::Error> {
        WasteMetrics::new(&self.registry)
    }

    /// Makes room for the models and providers of a configuration.
    pub(crate) fn know(&self, upstreams: &UpstreamSet) {
        self.models.know(upstreams.models());
        for upstream in &upstreams.all {
            // A failure that has not happened is a zero, not a gap.
            self.upstream_failures.with_label_values(&[upstream.address.as_str()]);
        }
        self.gauges.forget_providers();
    }

    pub(crate) fn answered(&self, status: u16) {
        self.requests.get(&status).unwrap_or(&self.requests_other).inc();
    }

    pub(crate) fn model(&self, name: &str) -> Option<Arc<ModelMetrics>> {
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

    pub(crate) fn jobs_ended(&self, outcome: JobState) {
        self.jobs_ended.with_label_values(&[outcome.name()]).inc();
    }

    /// The Kubernetes API server could not be asked, or refused.
    pub(crate) fn cluster_failed(&self) {
        self.cluster_failures.inc();
    }

    pub(crate) fn upstream_failed(&self, provider: &str) {
        self.upstream_failures.with_label_values(&[provider]).inc();
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
        for (job_state, count) in state.jobs.iter().flat_map(|jobs| jobs.counts()) {
            gauges.jobs.with_label_values(&[job_state.name()]).set(count);
        }
        for upstream in &state.upstreams.set().all {
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

impl Gauges {
    /// Those that are still there are set when somebody looks.
    fn forget_providers(&self) {
        let Gauges { waiting, serving, suspended, limit, circuit, priorities, .. } = self;
        for gauges in [waiting, serving, suspended, limit, circuit, priorities] {
            gauges.reset();
        }
    }

    fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let one = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        let per = |label: &str, name: &str, help: &str| {
            let gauges = IntGaugeVec::new(Opts::new(name, help), &[label])?;
            registry.register(Box::new(gauges.clone()))?;
            Ok::<_, prometheus::Error>(gauges)
        };
        let per_provider = |name: &str, help: &str| per("provider", name, help);
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
            jobs: per("state", "stipend_gateway_jobs", "Jobs that can be looked at.")?,
        })
    }
}
