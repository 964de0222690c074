//! What was measured and did not reach the collector.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use prometheus::{IntCounter, Registry};
use tokio::time::sleep;

/// Counts what is lost. The log tells of it once in an interval, however much it is.
#[derive(Clone, Debug)]
pub(crate) struct Losses {
    spans: IntCounter,
    exports: IntCounter,
    /// Why the last export failed.
    why: Arc<Mutex<String>>,
}

impl Losses {
    pub(super) fn new() -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str| IntCounter::new(name, help);
        Ok(Losses {
            spans: counter(
                "stipend_gateway_otlp_spans_lost_total",
                "Spans that did not reach the collector: too many waited, or it did not take them.",
            )?,
            exports: counter(
                "stipend_gateway_otlp_failures_total",
                "Attempts to hand spans or metrics to the collector that failed.",
            )?,
            why: Arc::default(),
        })
    }

    /// Puts the counters on the page that Prometheus reads.
    pub(crate) fn register(&self, registry: &Registry) -> Result<(), prometheus::Error> {
        registry.register(Box::new(self.spans.clone()))?;
        registry.register(Box::new(self.exports.clone()))
    }

    pub(super) fn spans_lost(&self, count: usize) {
        self.spans.inc_by(count as u64);
    }

    #[cfg(test)]
    pub(super) fn spans_lost_so_far(&self) -> u64 {
        self.spans.get()
    }

    pub(super) fn export_failed(&self, why: String) {
        self.exports.inc();
        *self.why.lock() = why;
    }

    /// Tells of what is lost, once in an interval.
    pub(super) async fn tell(self, every: Duration) {
        let mut told = (0, 0);
        loop {
            sleep(every).await;
            told = self.tell_since(told);
        }
    }

    fn tell_since(&self, told: (u64, u64)) -> (u64, u64) {
        let now = (self.spans.get(), self.exports.get());
        if now != told {
            let (spans_lost, failures) = (now.0 - told.0, now.1 - told.1);
            let why = self.why.lock().clone();
            tracing::warn!(
                spans_lost,
                failures,
                why,
                "the collector in [otlp] does not take all; requests go on"
            );
        }
        now
    }
}
