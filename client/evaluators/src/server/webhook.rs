//! What comes in: webhooks of forges, and receipts of their owners.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{to_bytes, Body},
    extract::{Path, State},
    response::Response,
};
use bytes::Bytes;
use http::{header, HeaderMap};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{
    answer::{refuse, taken},
    App,
};
use crate::{
    clock::now_ms,
    forge::{verify, Event},
    outcome::ReceiptId,
    receipts::believe,
    sender::blocking,
    store::{Delivery, HandedIn, Taken},
};

/// Bytes of a receipt: one has about 1,500.
const RECEIPT_BYTES_MAX: usize = 16 << 10;

/// `POST /v1/webhooks/{forge}`.
pub(super) async fn take(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let answer = match webhook(&app, &name, headers, body).await {
        Ok(answer) | Err(answer) => answer,
    };
    // Names come from the configuration, or the label would be anybody's.
    let label = app.config.forges.iter().find(|forge| forge.name == name);
    app.metrics.webhook(label.map_or("unknown", |forge| &forge.name), answer.status().as_u16());
    answer
}

async fn webhook(app: &Arc<App>, name: &str, headers: HeaderMap, body: Body) -> Result<Response, Response> {
    let forge = app.config.forges.iter().find(|forge| forge.name == name).cloned();
    let forge = forge.ok_or_else(|| refuse(404, "unknown_forge", "No [[forge]] has this name."))?;
    let body = whole(app, &headers, body, app.config.limits.body_bytes_max).await?;
    if let Err(why) = verify(&forge, &headers, &body) {
        tracing::warn!(forge = forge.name, %why, "a webhook is refused");
        return Err(refuse(401, "not_signed", &format!("{why}.")));
    }
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
        let kind = kind.as_bytes().to_ascii_lowercase();
        kind.starts_with(b"application/json")
    });
    if !is_json {
        let message = "Set the webhook's content type to application/json.";
        return Err(refuse(415, "not_json", message));
    }
    let delivery = forge.delivery(&headers).ok_or_else(|| {
        let message =
            "The header that names the delivery is missing, or is no name of 1 to 128 visible letters.";
        refuse(400, "no_delivery", message)
    })?;
    let event = forge.read(&headers, &body).map_err(|why| refuse(400, "malformed", &format!("{why}.")))?;
    if let Event::Other(why) = event {
        return Ok(taken(json!({ "state": "ignored", "why": why })));
    }
    let delivery = Delivery { name: delivery, body: Sha256::digest(&body).into() };
    let done = blocking(&app.store, move |store| store.take(&forge, &delivery, &event, now_ms())).await;
    match done {
        Ok(Taken::New { withdrawn }) => Ok(taken(json!({ "state": "taken", "withdrawn": withdrawn }))),
        Ok(Taken::Known) => Ok(taken(json!({ "state": "known" }))),
        Ok(Taken::Contradicts) => {
            let message = "Another body came under this delivery's name before; that one counts.";
            Err(refuse(409, "delivery_used", message))
        }
        Err(error) => Err(unavailable(&error)),
    }
}

/// `POST /v1/receipts`.
pub(super) async fn hand_in(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    let answer = match receipt(&app, headers, body).await {
        Ok(answer) | Err(answer) => answer,
    };
    app.metrics.receipt(answer.status().as_u16());
    answer
}

async fn receipt(app: &Arc<App>, headers: HeaderMap, body: Body) -> Result<Response, Response> {
    let body = whole(app, &headers, body, RECEIPT_BYTES_MAX).await?;
    let signed = believe(&app.config, &body)
        .map_err(|why| refuse(422, "not_believed", &format!("The receipt is not believed: {why}.")))?;
    let id = ReceiptId(signed.receipt().id).to_string();
    match blocking(&app.store, move |store| store.hand_in(&signed)).await {
        Ok(HandedIn::New) => Ok(taken(json!({ "state": "taken", "receipt": id }))),
        Ok(HandedIn::Known) => Ok(taken(json!({ "state": "known", "receipt": id }))),
        Ok(HandedIn::Contradicts) => {
            let message = "Another receipt with this id was handed in before; that one counts.";
            Err(refuse(409, "receipt_contradicts", message))
        }
        Err(error) => Err(unavailable(&error)),
    }
}

/// A whole body, within its bounds.
async fn whole(app: &App, headers: &HeaderMap, body: Body, bytes_max: usize) -> Result<Bytes, Response> {
    let _place = app
        .places
        .try_acquire()
        .map_err(|_| refuse(503, "busy", "Too many requests are being read. Send it again later."))?;
    let too_large = || {
        let message = format!("The body has more than {bytes_max} bytes, which is the most that is read.");
        refuse(413, "too_large", &message)
    };
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > bytes_max as u64) {
        return Err(too_large());
    }
    let limit = Duration::from_millis(app.config.limits.body_ms_max);
    match tokio::time::timeout(limit, to_bytes(body, bytes_max)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        // Whoever broke off does not read this.
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(refuse(408, "too_slow", "The body took too long to come in. Send it again.")),
    }
}

fn unavailable(error: &crate::store::StoreError) -> Response {
    tracing::error!(%error, "something that came in is not taken");
    refuse(503, "not_durable", "This cannot be made durable at present. Send it again later.")
}
