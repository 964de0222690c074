//! Random requests of every kind, with callers that leave and requests that an engine refuses.

use std::time::Duration;

use anyhow::{ensure, Context, Result};
use futures::StreamExt;
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use serde_json::{json, Value};
use stipend_primitives::{cost::Usage, Digest};

use super::Kind;
use crate::{company::MODEL_GENERAL, stage::Stage};

/// Kinds of requests; each comes as often as the others.
const KINDS: usize = 10;

/// Requests at a time.
const CONCURRENCY: usize = 6;

/// Words of prompts; more than a context has room for are refused by the engine.
const WORDS: [&str; 12] =
    ["ledger", "the", "credit", "of", "a", "wallet", "counts", "tokens", "and", "nobody", "überträgt", "🧾"];
const WORDS_TOO_MANY: usize = 5_000;

/// A number of random requests.
pub struct Mix {
    asks: Vec<Ask>,
}

/// One request, and what becomes of it.
#[derive(Clone, Debug)]
struct Ask {
    path: &'static str,
    body: Value,
    /// Choices per prompt.
    choices: u64,
    /// When its caller leaves.
    leave_after: Option<Duration>,
    is_refused: bool,
}

/// What a caller was told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The gateway's name for the request, if its answer began.
    pub digest: Option<Digest>,
    /// The usage, if the answer ended and told it.
    pub usage: Option<Usage>,
    /// Choices per prompt that were asked for.
    pub choices: u64,
    /// Whether the caller left before the end.
    pub left: bool,
    /// Whether the request was refused, as it had to be.
    pub refused: bool,
}

impl Mix {
    /// `count` requests for an engine.
    pub fn new(seed: u64, kind: Kind, count: usize) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut asks: Vec<Ask> = (0..count).map(|at| ask(&mut random, kind, at % KINDS)).collect();
        asks.shuffle(&mut random);
        Mix { asks }
    }

    /// Sends them all through the stage's gateway, a few at a time.
    pub async fn run(self, stage: &Stage) -> Result<Vec<Told>> {
        let http = reqwest::Client::builder().tcp_nodelay(true).build()?;
        let calls = self.asks.into_iter().enumerate().map(|(at, ask)| {
            let employee = &stage.company.employees[at % stage.company.employees.len()];
            let request = http
                .post(format!("{}{}", stage.gateway_url(), ask.path))
                .bearer_auth(&employee.api_key)
                .json(&ask.body);
            async move { send(request, &ask).await.with_context(|| format!("request {at}: {ask:?}")) }
        });
        futures::stream::iter(calls)
            .buffer_unordered(CONCURRENCY)
            .collect::<Vec<_>>()
            .await
            .into_iter()
            .collect()
    }
}

fn words(random: &mut StdRng, count: usize) -> String {
    (0..count).map(|_| *WORDS.choose(random).unwrap_or(&"a")).collect::<Vec<_>>().join(" ")
}

/// A prompt; every third begins as others do, so that caches have something to do: vLLM's has blocks of 128 tokens on
/// a CPU, llama.cpp's takes any beginning and reads slowly.
fn prompt(random: &mut StdRng, kind: Kind) -> String {
    let count = random.gen_range(1..20);
    let own = words(random, count);
    let repeats = if kind == Kind::Vllm { 16 } else { 2 };
    match random.gen_range(0..3) {
        0 => format!("{} {own}", "A ledger counts tokens and nobody pays twice. ".repeat(repeats)),
        _ => own,
    }
}

fn ask(random: &mut StdRng, kind: Kind, number: usize) -> Ask {
    let tokens_max = if kind == Kind::Vllm { 64 } else { 16 };
    let max_tokens = random.gen_range(1..=tokens_max);
    let chat = |random: &mut StdRng, more: Value| {
        let messages = json!([{ "role": "user", "content": prompt(random, kind) }]);
        ("/chat/completions", with(json!({ "messages": messages, "max_tokens": max_tokens }), more))
    };
    let text = |random: &mut StdRng, more: Value| {
        ("/completions", with(json!({ "prompt": prompt(random, kind), "max_tokens": max_tokens }), more))
    };
    let (n, is_stream): (u64, bool) = (random.gen_range(2..=3), random.gen());
    let usage = json!({ "stream": true, "stream_options": { "include_usage": true } });
    let long = json!({ "max_tokens": tokens_max * 3, "stream": is_stream });
    let (path, body) = match number {
        0 => chat(random, json!({})),
        1 => chat(random, usage),
        2 => chat(random, json!({ "stream": true })),
        3 => text(random, json!({})),
        4 => text(random, usage),
        5 => chat(random, with(json!({ "n": n, "stream": is_stream }), json!({ "temperature": 0.7 }))),
        6 => {
            let prompts = [prompt(random, kind), prompt(random, kind)];
            text(random, json!({ "prompt": prompts, "n": n, "stream": is_stream }))
        }
        7 => chat(random, long),
        8 => text(random, long),
        _ if random.gen_bool(0.5) => chat(random, json!({ "messages": "no list of messages" })),
        _ => {
            let prompt = words(random, WORDS_TOO_MANY);
            text(random, json!({ "prompt": prompt }))
        }
    };
    let is_several = matches!(number, 5 | 6);
    Ask {
        path,
        body: with(body, json!({ "model": MODEL_GENERAL })),
        choices: if is_several { n } else { 1 },
        leave_after: matches!(number, 7 | 8).then(|| Duration::from_millis(random.gen_range(0..600))),
        // llama.cpp's usage does not cover several choices or prompts: the attestor refuses them.
        is_refused: number == KINDS - 1 || is_several && kind == Kind::LlamaCpp,
    }
}

fn with(mut body: Value, more: Value) -> Value {
    if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
        body.extend(more);
    }
    body
}

async fn send(request: reqwest::RequestBuilder, ask: &Ask) -> Result<Told> {
    let told = Told { choices: ask.choices, ..Default::default() };
    let Some(leave_after) = ask.leave_after else { return read(request, ask, told).await };
    // Dropping the call closes the connection: the caller is gone.
    match tokio::time::timeout(leave_after, read(request, ask, told.clone())).await {
        Ok(told) => told,
        Err(_) => Ok(Told { left: true, ..told }),
    }
}

async fn read(request: reqwest::RequestBuilder, ask: &Ask, mut told: Told) -> Result<Told> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    if ask.is_refused {
        let text = response.text().await?;
        ensure!(status == 400 && text.contains("\"error\""), "{status} instead of a refusal: {text}");
        return Ok(Told { refused: true, ..told });
    }
    if status != 200 {
        anyhow::bail!("{status}: {}", response.text().await?);
    }
    let id = response.headers().get("x-stipend-request-id").context("the answer has no request id")?;
    let mut digest = Digest::default();
    hex::decode_to_slice(id.as_bytes(), &mut digest)?;
    told.digest = Some(digest);
    let text = response.text().await?;
    if ask.body["stream"] == true {
        ensure!(text.ends_with("data: [DONE]\n\n"), "a stream ended early: {text}");
        let events = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let events = events.filter_map(|event| serde_json::from_str::<Value>(event).ok());
        told.usage = events.rev().find(|event| event["usage"].is_object()).map(|event| usage_of(&event));
        let is_asked = !ask.body["stream_options"].is_null();
        ensure!(told.usage.is_some() == is_asked, "usage is told if it was asked for: {text}");
    } else {
        told.usage = Some(usage_of(&serde_json::from_str(&text)?));
    }
    Ok(told)
}

fn usage_of(answer: &Value) -> Usage {
    let count = |pointer: &str| answer.pointer(pointer).and_then(Value::as_u64).unwrap_or(0) as u32;
    let cached_input = count("/usage/prompt_tokens_details/cached_tokens");
    let input = count("/usage/prompt_tokens") - cached_input;
    Usage { input, cached_input, output: count("/usage/completion_tokens") }
}
