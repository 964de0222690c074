//! The paths.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::{
    body::Body,
    extract::{DefaultBodyLimit, State},
    http::{header::CONTENT_TYPE, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
    Json, Router,
};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{
    engine::{text_prompts, Refusal},
    generation::Generation,
    images, stream, tools,
    typed::Typed,
    wire::{Answer, Call, Choice, EmbeddingsRequest, Head, Kind, Request, Said},
    Engine, FINGERPRINT,
};

/// Bytes of a request: a prompt that fills the context with room to spare.
const BODY_BYTES_MAX: usize = 32 << 20;

/// Numbers in an embedding that names no other count.
const DIMENSIONS_DEFAULT: usize = 64;

/// All paths of an engine.
pub fn router(engine: Engine) -> Router {
    Router::new()
        .route("/v1/chat/completions", post(chat))
        .route("/v1/completions", post(text))
        .route("/v1/embeddings", post(embeddings))
        .route("/v1/responses", post(responses))
        .route("/v1/messages", post(messages))
        .route("/v1/images/generations", post(generate_images))
        .route("/v1/models", get(models))
        .route("/health", get(|| async { StatusCode::OK }))
        .route("/metrics", get(metrics))
        .route("/server_info", get(server_info))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(engine)
}

async fn chat(State(engine): State<Engine>, body: Bytes) -> Response {
    complete(engine, Kind::Chat, &body).await.unwrap_or_else(refuse)
}

async fn text(State(engine): State<Engine>, body: Bytes) -> Response {
    complete(engine, Kind::Text, &body).await.unwrap_or_else(refuse)
}

async fn responses(State(engine): State<Engine>, body: Bytes) -> Response {
    complete(engine, Kind::Responses, &body).await.unwrap_or_else(refuse)
}

async fn messages(State(engine): State<Engine>, body: Bytes) -> Response {
    let refuse = |(status, message): Refusal| {
        let kind = if status == 404 { "not_found_error" } else { "invalid_request_error" };
        let body = json!({ "type": "error", "error": { "type": kind, "message": message } });
        (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Json(body))
            .into_response()
    };
    complete(engine, Kind::Messages, &body).await.unwrap_or_else(refuse)
}

async fn generate_images(State(engine): State<Engine>, body: Bytes) -> Response {
    read(&body).and_then(|request| images::make(&engine, &request)).unwrap_or_else(refuse)
}

async fn complete(engine: Engine, kind: Kind, body: &[u8]) -> Result<Response, Refusal> {
    let request: Request = read(body)?;
    let job = engine.job(kind, &request)?;
    let is_stream = request.stream.unwrap_or(false);
    let head = Head::new(kind, is_stream, job.number, unix_seconds(), job.model.clone());
    let generation = engine.start(job).await;
    if is_stream {
        let body = stream::body(generation, head, &request.stream_options.unwrap_or_default());
        return Ok(([(CONTENT_TYPE, "text/event-stream; charset=utf-8")], body).into_response());
    }
    Ok(json_bytes(whole(generation, head).await))
}

/// Generates all choices and makes the answer's body.
async fn whole(mut generation: Generation, head: Head) -> Vec<u8> {
    let mut texts = vec![String::new(); generation.choices_count() as usize];
    while let Some(token) = generation.next().await {
        texts[token.choice].push_str(token.word);
    }
    let (job, usage) = (&generation.job, generation.usage());
    if matches!(job.kind, Kind::Responses | Kind::Messages) {
        let answer = Typed::new(job.kind, head, job.tool.clone()).whole(&texts[0], usage, job.is_cut);
        return answer.to_string().into_bytes();
    }
    if job.tool.is_some() {
        texts = texts.iter().map(|text| [tools::BEGIN, text.as_str(), tools::END].concat()).collect();
    }
    let choices: Vec<Choice> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| Choice {
            index,
            said: match (job.kind, &job.tool) {
                (Kind::Text, _) => Said::Text(text),
                (_, Some(name)) => {
                    let tool_calls = [Call::named(&head, index, name, text)];
                    Said::Call { role: "assistant", content: None, tool_calls }
                }
                (_, None) => Said::Message { role: "assistant", content: text },
            },
            logprobs: None,
            finish_reason: Some(job.finish_reason),
        })
        .collect();
    let answer = Answer { head: &head, choices: &choices, usage: Some(usage) };
    serde_json::to_vec(&answer).expect("answers are plain structs of text and numbers; qed")
}

async fn embeddings(State(engine): State<Engine>, body: Bytes) -> Response {
    embed(&engine, &body).unwrap_or_else(refuse)
}

fn embed(engine: &Engine, body: &[u8]) -> Result<Response, Refusal> {
    let request: EmbeddingsRequest = read(body)?;
    engine.check_model(&request.model)?;
    let dimensions = request.dimensions.unwrap_or(DIMENSIONS_DEFAULT).clamp(1, 8_192);
    let prompts = text_prompts(&request.input);
    let prompt_tokens: u64 = prompts.iter().map(|prompt| prompt.len() as u64).sum();
    let data: Vec<_> = prompts
        .iter()
        .enumerate()
        .map(|(index, prompt)| {
            let seed = prompt.iter().fold(17u32, |seed, token| seed.wrapping_mul(31).wrapping_add(*token));
            let number =
                |at: usize| f64::from(seed.wrapping_mul(at as u32 * 2 + 1)) / f64::from(u32::MAX) - 0.5;
            let embedding: Vec<f64> = (0..dimensions).map(number).collect();
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        })
        .collect();
    let metrics = &engine.inner.metrics;
    metrics.prompt_tokens.with_label_values(&["0", &request.model]).inc_by(prompt_tokens);
    metrics.successes.with_label_values(&["0", "stop", &request.model]).inc_by(prompts.len() as u64);
    let answer = json!({
        "object": "list",
        "data": data,
        "model": request.model,
        "system_fingerprint": FINGERPRINT,
        "usage": { "prompt_tokens": prompt_tokens, "total_tokens": prompt_tokens },
    });
    Ok(Json(answer).into_response())
}

async fn models(State(engine): State<Engine>) -> Response {
    let options = &engine.inner.options;
    let data: Vec<_> = options
        .models
        .iter()
        .map(|name| {
            json!({
                "id": name,
                "object": "model",
                "created": unix_seconds(),
                "owned_by": "stipend-engine-sim",
                "description": "A simulated model: it counts tokens truly and invents its words.",
                "max_model_len": options.context_tokens_max,
            })
        })
        .collect();
    Json(json!({ "object": "list", "data": data })).into_response()
}

/// As far as vLLM's page is read by anybody.
async fn server_info(State(engine): State<Engine>) -> Response {
    let policy = if engine.inner.options.by_priority { "priority" } else { "fcfs" };
    Json(json!({ "vllm_config": { "scheduler_config": { "policy": policy } } })).into_response()
}

async fn metrics(State(engine): State<Engine>) -> Response {
    let (running, waiting) = engine.inner.queue.lengths();
    let model = engine.inner.options.models.first().map_or("", String::as_str);
    let text = engine.inner.metrics.render(model, running, waiting);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| (400, format!("The request cannot be read: {error}.")))
}

fn refuse((status, message): Refusal) -> Response {
    let kind = if status == 404 { "NotFoundError" } else { "BadRequestError" };
    let body = json!({ "error": { "message": message, "type": kind, "param": null, "code": status } });
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(body)).into_response()
}

fn json_bytes(body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
