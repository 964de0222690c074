//! `POST /v1/quote`: what a request would cost and whether it would be admitted, without running it.

use std::{borrow::Cow, sync::Arc, time::Instant};

use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use stipend_openai::{error::ErrorObject, ApiError, Endpoint, RequestView};
use stipend_primitives::{
    cost::{PriceEntry, Usage},
    view::decimal,
    BookVersion, ClassId, Credits,
};

use super::{
    answer::{of_kind, AnswerBody},
    completions,
};
use crate::{admission::admit, bound::Bound, clock::now_ms, keys::Key, prices, state::State, terms::Terms};

/// Bytes of a request that are taken for one token, where nobody has counted.
const BYTES_PER_TOKEN: u64 = 4;

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    endpoint: Cow<'a, str>,
    #[serde(borrow)]
    request: &'a RawValue,
}

/// Amounts are micro-credits of the class, tokens are counts.
#[derive(Serialize)]
struct Quote<'a> {
    object: &'static str,
    endpoint: &'static str,
    model: &'a str,
    class: ClassId,
    class_name: String,
    price_book: BookVersion,
    coefficients: Coefficients,
    /// The most that is charged, and what would be held.
    upper_bound: Priced,
    /// What it comes to if the answer is as long as it may be; not where its length is left open.
    estimate: Option<Priced>,
    /// Micro-credits of Priority.
    priority_fee: u32,
    admitted: bool,
    refusal: Option<Refusal>,
}

/// Micro-credits per token, and per request.
#[derive(Serialize)]
struct Coefficients {
    input: u64,
    cached_input: u64,
    output: u64,
    #[serde(with = "decimal")]
    request: Credits,
}

#[derive(Clone, Copy, Serialize)]
struct Priced {
    input_tokens: u64,
    output_tokens: u64,
    #[serde(with = "decimal")]
    cost: Credits,
}

/// The answer that the request would get instead.
#[derive(Serialize)]
struct Refusal {
    status: u16,
    error: ErrorObject,
    retry_after_s: Option<u32>,
}

pub(super) async fn answer(
    request: Request<Incoming>,
    state: Arc<State>,
    key: Arc<Key>,
) -> Result<Response<AnswerBody>, ApiError> {
    let _in_flight = completions::enter(&state)?;
    let terms = Terms::read(request.headers(), Instant::now())?;
    let body = completions::read(&state, request).await?;
    let unreadable = |message: String| ApiError::invalid_request("invalid_body", message);
    let asked: Asked = serde_json::from_slice(&body).map_err(|error| {
        unreadable(format!("Send {{\"endpoint\": \"/v1/chat/completions\", \"request\": {{…}}}}: {error}."))
    })?;
    let endpoint = Endpoint::of_path(&asked.endpoint).ok_or_else(|| {
        let paths = Endpoint::ALL.map(Endpoint::path).join(", ");
        unreadable(format!("There is no such endpoint to quote. These are there: {paths}."))
            .with_param("endpoint")
    })?;
    let view = RequestView::read(endpoint, asked.request.get().as_bytes())
        .map_err(|error| unreadable(error.to_string()))?;
    let prices = state.prices.load_full();
    let quote = prices.quote(&view.model).ok_or_else(|| ApiError::model_not_found(&view.model))?;
    let bound = Bound::of(&view, &state.limits)?;
    // What is admitted here is let go again at once: the answer is admission's own.
    let admitted = match state.refusal(now_ms()) {
        Some(refusal) => Err(refusal.answer()),
        None => admit(&state, &key, &view, terms).await.map(|admitted| admitted.max_tokens),
    };
    let max_tokens = admitted.as_ref().copied().unwrap_or_else(|_| bound.tokens_wanted(&state.limits));
    let quoted = Quote {
        object: "quote",
        endpoint: endpoint.path(),
        model: &view.model,
        class: quote.entry.class,
        class_name: prices.class_name(quote.entry.class),
        price_book: quote.book,
        coefficients: coefficients(&quote),
        upper_bound: upper_bound(&bound, &quote.entry, max_tokens),
        estimate: estimate(&view, &quote.entry),
        priority_fee: terms.priority_fee,
        admitted: admitted.is_ok(),
        refusal: admitted.err().map(|error| Refusal {
            status: error.status,
            retry_after_s: error.retry_after_s,
            error: error.error,
        }),
    };
    let body = serde_json::to_vec(&quoted).map_err(|_| ApiError::internal())?;
    Ok(of_kind(StatusCode::OK, "application/json", body))
}

fn coefficients(quote: &prices::Quote) -> Coefficients {
    let entry = &quote.entry;
    Coefficients {
        input: entry.c_input,
        cached_input: entry.c_cached,
        output: entry.c_output,
        request: entry.cost(&Usage::default()),
    }
}

fn upper_bound(bound: &Bound, entry: &PriceEntry, max_tokens: u32) -> Priced {
    Priced {
        input_tokens: bound.input_max().into(),
        output_tokens: bound.output_max(max_tokens),
        cost: bound.cost(entry, max_tokens),
    }
}

/// With a few bytes to a token, and an answer as long as it may be.
fn estimate(view: &RequestView, entry: &PriceEntry) -> Option<Priced> {
    let each = match view.endpoint {
        Endpoint::Embeddings => 0,
        Endpoint::Images => view.image.tokens(),
        _ => view.max_tokens?.into(),
    };
    let input_tokens = (view.body.len() as u64).div_ceil(BYTES_PER_TOKEN);
    let output_tokens = each.saturating_mul(view.generations_count());
    let fit = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let usage = Usage { input: fit(input_tokens), cached_input: 0, output: fit(output_tokens) };
    Some(Priced { input_tokens, output_tokens, cost: entry.cost(&usage) })
}
