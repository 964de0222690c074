//! What every line of the log says of the request that it is about. Names are OpenTelemetry's.

use tracing::{field::Empty, Span};

/// The span of a request.
pub(super) fn of(id: &str) -> Span {
    tracing::info_span!("request", id, "gen_ai.request.model" = Empty)
}

/// The current request is for a model.
pub(crate) fn of_model(name: &str) {
    Span::current().record("gen_ai.request.model", name);
}
