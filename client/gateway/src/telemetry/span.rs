//! The span of a request, for a collector. Without a collector all of this is nothing.
//!
//! One span covers a request from its head to its receipt; what happens in between are its events, each with its moment:
//! `stipend.admitted`, `stipend.placed`, `stipend.sent`, `stipend.upstream_failed`, `stipend.first_token`, `stipend.receipt`.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Response};
use opentelemetry::{
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanKind, SpanRef, Status, TraceContextExt, Tracer},
    Context, KeyValue,
};
use opentelemetry_sdk::{propagation::TraceContextPropagator, trace::SdkTracer};
use stipend_openai::{ApiError, Endpoint};
use stipend_primitives::{cost::Usage, Credits, Digest};

use super::names;
use crate::upstream::Upstream;

/// Which span is whose parent [W3C Trace Context].
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static(PARENT);
const PARENT: &str = "traceparent";

/// Begins the spans of requests.
#[derive(Default)]
pub(crate) struct RequestSpans(Option<SdkTracer>);

impl RequestSpans {
    pub(super) fn to(tracer: SdkTracer) -> Self {
        RequestSpans(Some(tracer))
    }

    /// A request arrives. Its caller's `traceparent` is the span's parent.
    pub(crate) fn begin(&self, endpoint: Endpoint, headers: &HeaderMap) -> RequestSpan {
        let Some(tracer) = &self.0 else { return RequestSpan::default() };
        let operation = names::operation(endpoint);
        let attributes =
            [KeyValue::new(names::OPERATION, operation), KeyValue::new(names::PROVIDER, names::STIPEND)];
        let span = tracer.span_builder(operation).with_kind(SpanKind::Server).with_attributes(attributes);
        let span = span.start_with_context(tracer, &caller(headers));
        RequestSpan(Some(Context::new().with_span(span)))
    }
}

/// What a caller says of its own span. A second header of the kind makes both worthless.
fn caller(headers: &HeaderMap) -> Context {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let value = match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().unwrap_or_default(),
        _ => return Context::new(),
    };
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Caller(value))
}

/// The one header that is read. `tracestate` is anybody's text: it is neither kept nor passed on.
struct Caller<'h>(&'h str);

impl Extractor for Caller<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == PARENT).then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec![PARENT]
    }
}

/// The span of one request. It ends when the last who holds it lets go: the caller's side or the provider's.
#[derive(Clone, Default)]
pub(crate) struct RequestSpan(Option<Context>);

impl RequestSpan {
    /// The span, if somebody is to see it.
    fn seen(&self) -> Option<SpanRef<'_>> {
        let span = self.0.as_ref()?.span();
        span.span_context().is_sampled().then_some(span)
    }

    /// Which model it is for, if that is served: any other name is a caller's text, and not kept.
    pub(crate) fn asks_for(&self, endpoint: Endpoint, model: &str, is_served: impl FnOnce() -> bool) {
        let Some(span) = self.seen().filter(|_| is_served()) else { return };
        span.update_name(format!("{} {model}", names::operation(endpoint)));
        span.set_attribute(KeyValue::new(names::REQUEST_MODEL, model.to_owned()));
    }

    /// What it can use is held. `max_tokens` is what the engine is told, where it is told.
    pub(crate) fn admitted(&self, id: &Digest, max_tokens: Option<u32>) {
        let Some(span) = self.seen() else { return };
        span.add_event("stipend.admitted", Vec::new());
        span.set_attribute(KeyValue::new(names::REQUEST_ID, hex::encode(id)));
        if let Some(max_tokens) = max_tokens {
            span.set_attribute(KeyValue::new(names::REQUEST_MAX_TOKENS, i64::from(max_tokens)));
        }
    }

    /// It has its turn at an upstream.
    pub(crate) fn placed(&self, upstream: &Upstream) {
        self.event_at("stipend.placed", upstream);
    }

    /// It is on its way to an upstream.
    pub(crate) fn sent(&self, upstream: &Upstream) {
        self.event_at("stipend.sent", upstream);
    }

    /// An upstream did not serve it; another one may.
    pub(crate) fn upstream_failed(&self, upstream: &Upstream) {
        self.event_at("stipend.upstream_failed", upstream);
    }

    fn event_at(&self, name: &'static str, upstream: &Upstream) {
        let Some(span) = self.seen() else { return };
        span.add_event(name, vec![KeyValue::new(names::SERVED_BY, upstream.address.clone())]);
    }

    /// An upstream answers it.
    pub(crate) fn taken(&self, upstream: &Upstream, queued: Duration) {
        let Some(span) = self.seen() else { return };
        let (host, port) = upstream.host();
        span.set_attributes([
            KeyValue::new(names::SERVED_BY, upstream.address.clone()),
            KeyValue::new(names::SERVER_ADDRESS, host.to_owned()),
            KeyValue::new(names::SERVER_PORT, i64::from(port)),
            KeyValue::new(names::QUEUE_MS, names::count(queued.as_millis())),
        ]);
    }

    /// The answer's first event goes to the caller.
    pub(crate) fn first_token(&self) {
        let Some(span) = self.seen() else { return };
        span.add_event("stipend.first_token", Vec::new());
    }

    /// Its receipt is durable. `model` is the one that the receipt names.
    pub(crate) fn charged(&self, model: &str, usage: &Usage, paid: Credits) {
        let Some(span) = self.seen() else { return };
        span.add_event("stipend.receipt", Vec::new());
        let input = i64::from(usage.input) + i64::from(usage.cached_input);
        span.set_attributes([
            KeyValue::new(names::RESPONSE_MODEL, model.to_owned()),
            KeyValue::new(names::INPUT_TOKENS, input),
            KeyValue::new(names::CACHED_TOKENS, i64::from(usage.cached_input)),
            KeyValue::new(names::OUTPUT_TOKENS, i64::from(usage.output)),
            KeyValue::new(names::COST, names::count(paid)),
        ]);
    }

    /// Its caller gets this, or the head of this.
    pub(crate) fn answered<B>(&self, answered: &Result<Response<B>, ApiError>) {
        let Some(span) = self.seen() else { return };
        let status = match answered {
            Ok(answer) => answer.status().as_u16(),
            Err(error) => error.status,
        };
        span.set_attribute(KeyValue::new(names::STATUS, i64::from(status)));
        match answered {
            Ok(_) if status < 400 => {}
            // An engine's own refusal, which has no code here.
            Ok(_) => span.set_attribute(KeyValue::new(names::ERROR, status.to_string())),
            Err(error) => self.failed(error),
        }
    }

    /// It was not served, or not to its end. What the caller did wrong is no error of the span's.
    pub(crate) fn failed(&self, error: &ApiError) {
        let Some(span) = self.seen() else { return };
        let code = error.error.code.as_deref().map_or_else(|| error.status.to_string(), str::to_owned);
        span.set_attribute(KeyValue::new(names::ERROR, code));
        if error.status >= 500 {
            span.set_status(Status::error(""));
        }
    }

    /// What upstreams are told: they are children of this span.
    pub(crate) fn traceparent(&self) -> Option<HeaderValue> {
        let span = self.0.as_ref()?.span();
        let context = span.span_context();
        let flags = u8::from(context.is_sampled());
        HeaderValue::from_str(&format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id())).ok()
    }
}
