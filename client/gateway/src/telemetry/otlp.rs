//! Traces and metrics for a collector, by OTLP over HTTP.
//!
//! The SDK hands them over in two threads of its own. Requests only put spans into a bounded queue and count in histograms: a
//! collector that is slow or gone costs them nothing.

use opentelemetry::{metrics::MeterProvider, trace::TracerProvider, KeyValue};
use opentelemetry_otlp::{MetricExporter, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    metrics::{PeriodicReader, SdkMeterProvider, Temporality},
    trace::{Sampler, SdkTracerProvider},
    Resource,
};
use tokio::{
    runtime::Handle,
    task::{spawn_blocking, JoinError, JoinSet},
};

use super::{
    collector::{Collector, EXPORT_WAIT_MAX},
    figures::Figures,
    losses::Losses,
    outbox::Outbox,
    span::RequestSpans,
};
use crate::{client::HttpClient, config};

/// Who measures.
const SCOPE: &str = "stipend-gateway";

/// Why nothing can be exported.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// The exporters of one collector. They run until they are shut down.
pub(crate) struct Otlp {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    pub(crate) losses: Losses,
    /// Tells the log of losses for as long as this lives.
    _teller: JoinSet<()>,
}

impl Otlp {
    /// `gateway` is this gateway's account.
    pub(crate) fn start(config: &config::Otlp, gateway: &str) -> Result<Self, Trouble> {
        let client = match &config.ca {
            Some(authorities) => HttpClient::trusting(authorities)?,
            None => HttpClient::new()?,
        };
        let losses = Losses::new()?;
        let (headers, runtime) = (config.headers.clone(), Handle::current());
        let collector = Collector { client, headers, runtime, losses: losses.clone() };
        let spans = SpanExporter::builder()
            .with_http()
            .with_http_client(collector.clone())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", config.endpoint))
            .with_timeout(EXPORT_WAIT_MAX)
            .build()?;
        let figures = MetricExporter::builder()
            .with_temporality(Temporality::Cumulative)
            .with_http()
            .with_http_client(collector)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/metrics", config.endpoint))
            .with_timeout(EXPORT_WAIT_MAX)
            .build()?;
        let resource = resource(gateway);
        let of_our_own = Sampler::TraceIdRatioBased(config.sample_ratio);
        let traces = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(of_our_own)))
            .with_resource(resource.clone())
            .with_span_processor(Outbox::new(spans, config.interval, losses.clone()))
            .build();
        let reader = PeriodicReader::builder(figures).with_interval(config.interval).build();
        let metrics = SdkMeterProvider::builder().with_resource(resource).with_reader(reader).build();
        let mut teller = JoinSet::new();
        teller.spawn(losses.clone().tell(config.interval));
        Ok(Otlp { traces, metrics, losses, _teller: teller })
    }

    pub(crate) fn spans(&self) -> RequestSpans {
        RequestSpans::to(self.traces.tracer(SCOPE))
    }

    pub(crate) fn figures(&self) -> Figures {
        Figures::new(&self.metrics.meter(SCOPE))
    }

    /// Hands over what there is, and gives up after [`EXPORT_WAIT_MAX`].
    pub(crate) async fn shutdown(&self) {
        let (traces, metrics) = (self.traces.clone(), self.metrics.clone());
        // Both block. The SDK's reader of metrics gives up after five seconds, too.
        let traces = spawn_blocking(move || traces.shutdown_with_timeout(EXPORT_WAIT_MAX));
        let metrics = spawn_blocking(move || metrics.shutdown());
        let (traces, metrics) = tokio::join!(traces, metrics);
        for (what, ended) in [("traces", traces), ("metrics", metrics)] {
            if let Err(error) = flat(ended) {
                tracing::warn!(what, error, "the last of them did not reach the collector in [otlp]");
            }
        }
    }
}

fn flat(ended: Result<OTelSdkResult, JoinError>) -> Result<(), String> {
    ended.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
}

fn resource(gateway: &str) -> Resource {
    let attributes = [
        KeyValue::new("service.name", SCOPE),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", gateway.to_owned()),
    ];
    Resource::builder_empty().with_attributes(attributes).build()
}
