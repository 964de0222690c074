//! Spans on their way to the collector: a bounded number waits, and what is lost is counted.

use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Span, SpanData, SpanExporter, SpanProcessor},
    Resource,
};

use super::losses::Losses;

/// Spans that wait for the exporter or are with it: some ten megabytes. What comes on top is lost, for no request waits.
pub(super) const SPANS_MAX: usize = 8_192;

/// Spans of one export.
const BATCH_MAX: usize = 512;

/// The SDK's processor, which has a thread of its own, with its losses counted.
#[derive(Debug)]
pub(super) struct Outbox {
    batches: BatchSpanProcessor,
    waiting: Arc<AtomicUsize>,
    losses: Losses,
}

impl Outbox {
    pub(super) fn new<E: SpanExporter + 'static>(exporter: E, every: Duration, losses: Losses) -> Self {
        let waiting = Arc::new(AtomicUsize::new(0));
        let counted = Counted { exporter, waiting: waiting.clone(), losses: losses.clone() };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(SPANS_MAX)
            .with_max_export_batch_size(BATCH_MAX)
            .with_scheduled_delay(every);
        Outbox { batches: BatchSpanProcessor::new(counted, config.build()), waiting, losses }
    }
}

impl SpanProcessor for Outbox {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.batches.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if self.waiting.fetch_add(1, Ordering::Relaxed) < SPANS_MAX {
            return self.batches.on_end(span);
        }
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.losses.spans_lost(1);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.batches.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.batches.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.batches.set_resource(resource);
    }
}

/// An exporter that says how many spans it is done with, and how many of them were lost.
#[derive(Debug)]
struct Counted<E> {
    exporter: E,
    waiting: Arc<AtomicUsize>,
    losses: Losses,
}

impl<E: SpanExporter> SpanExporter for Counted<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        let exported = self.exporter.export(batch).await;
        self.waiting.fetch_sub(count, Ordering::Relaxed);
        if exported.is_err() {
            self.losses.spans_lost(count);
        }
        exported
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::time::Instant;

    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::trace::SdkTracerProvider;

    use super::*;

    /// An exporter that never comes back.
    #[derive(Debug)]
    struct Stuck;

    impl SpanExporter for Stuck {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            std::future::pending().await
        }
    }

    #[test]
    fn a_bounded_number_of_spans_waits_and_what_is_lost_is_counted() {
        let losses = Losses::new().unwrap();
        let outbox = Outbox::new(Stuck, Duration::from_millis(1), losses.clone());
        let provider = SdkTracerProvider::builder().with_span_processor(outbox).build();
        let tracer = provider.tracer("test");
        let began = Instant::now();
        for _ in 0..SPANS_MAX + 100 {
            drop(tracer.start("a"));
        }
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        assert_eq!(losses.spans_lost_so_far(), 100);
        assert!(provider.shutdown_with_timeout(Duration::from_millis(50)).is_err());
    }
}
