//! Names of the conventions for generative AI [OpenTelemetry semantic conventions, "Generative AI"], and this gateway's own.

use std::sync::Arc;

use opentelemetry::KeyValue;
use stipend_openai::Endpoint;

pub(super) const OPERATION: &str = "gen_ai.operation.name";
pub(super) const PROVIDER: &str = "gen_ai.provider.name";
pub(super) const REQUEST_MODEL: &str = "gen_ai.request.model";
pub(super) const REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";
pub(super) const RESPONSE_MODEL: &str = "gen_ai.response.model";
pub(super) const INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
pub(super) const CACHED_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";
pub(super) const OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
pub(super) const TOKEN_TYPE: &str = "gen_ai.token.type";
pub(super) const SERVER_ADDRESS: &str = "server.address";
pub(super) const SERVER_PORT: &str = "server.port";
pub(super) const STATUS: &str = "http.response.status_code";
pub(super) const ERROR: &str = "error.type";

/// The receipt's id.
pub(super) const REQUEST_ID: &str = "stipend.request_id";
/// Micro-credits charged, fee included.
pub(super) const COST: &str = "stipend.cost_micro_credits";
/// Milliseconds that the request waited for its turn.
pub(super) const QUEUE_MS: &str = "stipend.queue_ms";
/// The account of the provider that served.
pub(super) const SERVED_BY: &str = "stipend.provider";

/// The value of [`PROVIDER`]: as callers see it, this network is who serves them.
pub(super) const STIPEND: &str = "stipend";

/// The value of [`OPERATION`].
pub(super) const fn operation(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Chat | Endpoint::Responses | Endpoint::Messages => "chat",
        Endpoint::Completions => "text_completion",
        Endpoint::Embeddings => "embeddings",
        Endpoint::Images => "generate_content",
    }
}

/// What every figure of a model is told apart by.
pub(super) fn of_model(endpoint: Endpoint, model: &Arc<str>) -> [KeyValue; 3] {
    [
        KeyValue::new(OPERATION, operation(endpoint)),
        KeyValue::new(PROVIDER, STIPEND),
        KeyValue::new(REQUEST_MODEL, model.clone()),
    ]
}

/// A count as the protocol has it.
pub(super) fn count(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
