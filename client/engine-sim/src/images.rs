//! Images: one and the same pixel, however large it was to be.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    Json,
};
use serde::Deserialize;
use serde_json::json;

use crate::{engine::Refusal, tokens, Engine};

/// Images of one request, as OpenAI bounds them.
const IMAGES_MAX: u64 = 10;

/// Output tokens that an image counts, where the engine is told to report usage: what OpenAI's models count
/// for a small one of low quality.
const IMAGE_TOKENS: u64 = 272;

/// A PNG of one transparent pixel, in base64.
const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[derive(Deserialize)]
pub(crate) struct ImagesRequest {
    model: String,
    prompt: String,
    #[serde(default)]
    n: Option<u64>,
    #[serde(default)]
    stream: Option<bool>,
}

/// Makes the images of a request.
pub(crate) fn make(engine: &Engine, request: &ImagesRequest) -> Result<Response, Refusal> {
    engine.check_model(&request.model)?;
    let count = request.n.unwrap_or(1);
    if !(1..=IMAGES_MAX).contains(&count) {
        return Err((400, format!("n must be from 1 to {IMAGES_MAX}.")));
    }
    let text_tokens = tokens::encode(&request.prompt).len() as u64;
    let output_tokens = count * IMAGE_TOKENS;
    let usage = engine.inner.options.image_usage.then(|| {
        json!({
            "input_tokens": text_tokens, "output_tokens": output_tokens, "total_tokens": text_tokens + output_tokens,
            "input_tokens_details": {"text_tokens": text_tokens, "image_tokens": 0},
        })
    });
    let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if request.stream == Some(true) {
        let mut done = json!({
            "type": "image_generation.completed", "b64_json": PIXEL, "created_at": created,
        });
        if let Some(usage) = usage {
            done["usage"] = usage;
        }
        let event = format!("event: image_generation.completed\ndata: {done}\n\n");
        return Ok(([(CONTENT_TYPE, "text/event-stream; charset=utf-8")], event).into_response());
    }
    let data: Vec<_> = (0..count).map(|_| json!({"b64_json": PIXEL})).collect();
    let mut answer = json!({"created": created, "data": data});
    if let Some(usage) = usage {
        answer["usage"] = usage;
    }
    Ok(Json(answer).into_response())
}
