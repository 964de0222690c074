//! A collector that keeps what it is sent, or takes it and never answers.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{any_value::Value, KeyValue},
    metrics::v1::{metric::Data, HistogramDataPoint, Metric},
    trace::v1::Span,
};
use parking_lot::Mutex;
use prost::Message;
use tokio::net::TcpListener;

/// One export as it arrived.
pub(super) struct Export {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

pub(super) struct FakeCollector {
    pub(super) address: SocketAddr,
    pub(super) exports: Mutex<Vec<Export>>,
    hangs: AtomicBool,
}

impl FakeCollector {
    pub(super) async fn start() -> Arc<Self> {
        Self::with(false).await
    }

    pub(super) async fn hanging() -> Arc<Self> {
        Self::with(true).await
    }

    async fn with(hangs: bool) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let hangs = AtomicBool::new(hangs);
        let collector = Arc::new(FakeCollector { address, exports: Mutex::default(), hangs });
        let served = collector.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let served = served.clone();
                let service = service_fn(move |request| {
                    let served = served.clone();
                    async move { Ok::<_, Infallible>(served.take(request).await) }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        collector
    }

    async fn take(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let path = head.uri.path().to_owned();
        self.exports.lock().push(Export { path, headers: head.headers, body });
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Response::default()
    }

    /// All spans so far.
    pub(super) fn spans(&self) -> Vec<Span> {
        let exports = self.exports.lock();
        let bodies = exports.iter().filter(|export| export.path == "/v1/traces").map(|export| &export.body);
        let requests = bodies.map(|body| ExportTraceServiceRequest::decode(&body[..]).unwrap());
        let of_resources = requests.flat_map(|request| request.resource_spans);
        of_resources.flat_map(|spans| spans.scope_spans).flat_map(|spans| spans.spans).collect()
    }

    /// The metrics of the newest export.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        let exports = self.exports.lock();
        let Some(last) = exports.iter().rev().find(|export| export.path == "/v1/metrics") else {
            return Vec::new();
        };
        let request = ExportMetricsServiceRequest::decode(&last.body[..]).unwrap();
        let of_scopes = request.resource_metrics.into_iter().flat_map(|metrics| metrics.scope_metrics);
        of_scopes.flat_map(|metrics| metrics.metrics).collect()
    }

    /// The points of one histogram, and its unit.
    pub(super) fn histogram(&self, name: &str) -> (String, Vec<HistogramDataPoint>) {
        let Some(metric) = self.metrics().into_iter().find(|metric| metric.name == name) else {
            return Default::default();
        };
        match metric.data {
            Some(Data::Histogram(histogram)) => (metric.unit, histogram.data_points),
            other => panic!("{name} is no histogram: {other:?}"),
        }
    }
}

/// An attribute as text.
pub(super) fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let mut found = attributes.iter().filter(|attribute| attribute.key == key);
    let value = found.next()?.value.clone()?.value?;
    assert!(found.next().is_none(), "{key} is there twice");
    Some(match value {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        other => panic!("{key} is {other:?}"),
    })
}
