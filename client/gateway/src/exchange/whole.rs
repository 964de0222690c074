//! Answers that come in one piece.

use http::{header, HeaderValue, Response};
use sha2::{Digest, Sha256};
use stipend_openai::ApiError;
use stipend_primitives::{cost::Usage, AccountId};

use super::{
    charge::{charge, Served, NOT_RECORDED},
    collect, told, upstream_failed, Order, Reply, Taken,
};
use crate::{
    server::answer::{request_id, AnswerBody},
    waste::{self, Watch},
};

/// Reads the answer, charges it, passes it on.
pub(super) async fn pass_on(order: Order, taken: Taken, reply: Reply) {
    let (passed, watched) = match charged_answer(order, taken).await {
        Ok((answer, watched)) => (Ok(answer), watched),
        Err(error) => (Err(error), None),
    };
    let is_there = reply.send(passed).is_ok();
    if let Some((watch, provider, usage)) = watched {
        waste::ended(Some(watch), &provider, usage, if is_there { 1_000 } else { 0 });
    }
}

/// A request that will be looked at: who served it, and what it used.
type Watched = Option<(Watch, AccountId, Usage)>;

async fn charged_answer(order: Order, taken: Taken) -> Result<(Response<AnswerBody>, Watched), ApiError> {
    let Taken { upstream, place, response, deadline, queued } = taken;
    let kind = response.headers().get(header::CONTENT_TYPE).cloned();
    let body = collect(response.into_body(), order.state.limits.answer_bytes_max, deadline).await;
    drop(place);
    let body = body.map_err(|error| {
        upstream_failed(&order, &upstream, &error);
        ApiError::upstream("The provider broke off. Nothing was charged; try again.")
    })?;
    let usage = order.usage.of_answer(&body).map_err(|error| {
        upstream_failed(&order, &upstream, &error.to_string());
        order.state.metrics.unmetered.inc();
        ApiError::upstream("The provider's answer does not say what it used. Nothing was charged.")
    })?;
    let Order {
        state, endpoint, admitted, digest, model, began, span, in_flight, request_sha256, watch, ..
    } = order;
    let response_sha256 = Sha256::digest(&body).into();
    let served = Served {
        provider: &upstream.provider,
        digest,
        model: &model,
        usage,
        request_sha256,
        response_sha256,
        endpoint,
        span: &span,
    };
    let charged = charge(&state, admitted, served).await;
    let charged = charged.map_err(|error| {
        tracing::error!(%error, "a receipt could not be recorded");
        ApiError::unavailable(NOT_RECORDED)
    })?;
    if let Some(metrics) = state.metrics.model(&model) {
        metrics.lasted(endpoint, began);
    }
    drop((span, in_flight));
    let mut answer = Response::new(AnswerBody::whole(body));
    let headers = answer.headers_mut();
    let json = || HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, kind.unwrap_or_else(json));
    headers.insert(request_id::NAME, request_id::value(&digest));
    told::of_whole(headers, &charged, queued);
    Ok((answer, watch.map(|watch| (watch, upstream.provider.clone(), usage))))
}
