//! Replays the trace through a gateway as OpenAI calls.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{bail, Context, Result};
use futures::StreamExt;
use serde_json::{json, Value};
use stipend_primitives::{cost::Usage, Digest};

use crate::trace::Request;

/// What is replayed, and how.
#[derive(Clone)]
pub struct Replay {
    /// Address of the gateway, ending in `/v1`.
    pub gateway_url: String,
    /// How many times faster than the trace.
    pub speed: f64,
    /// Attempts at one request, for tests that kill the gateway meanwhile.
    pub attempts_max: u32,
}

/// One request to send.
#[derive(Clone)]
pub struct Call {
    /// Position in the trace.
    pub index: usize,
    /// What the trace says of it.
    pub request: Request,
    /// Whose key pays.
    pub api_key: String,
    /// The model to ask for.
    pub model: String,
    /// Whether to ask for a stream.
    pub stream: bool,
}

/// An acknowledged request.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Position in the trace.
    pub index: usize,
    /// The gateway's name for the request.
    pub digest: Digest,
    /// What the engine says was used.
    pub usage: Usage,
    /// When it was sent.
    pub sent_at: Instant,
    /// When its last byte was there.
    pub done_at: Instant,
}

impl Replay {
    /// Sends all calls at their times; `done` hears of every answer. The answers come back in the
    /// order of the calls; a call that got none in all its attempts is an error.
    pub async fn run(
        &self,
        calls: Vec<Call>,
        done: impl Fn(&Answer) + Send + Sync + 'static,
    ) -> Result<Vec<Answer>> {
        let http = reqwest::Client::builder().tcp_nodelay(true).build()?;
        let (started, done) = (Instant::now(), Arc::new(done));
        let tasks: Vec<_> = calls
            .into_iter()
            .map(|call| {
                let (replay, http, done) = (self.clone(), http.clone(), done.clone());
                tokio::spawn(async move {
                    let due = started + call.request.at.div_f64(replay.speed);
                    tokio::time::sleep_until(due.into()).await;
                    let answer = replay.insist(&http, &call).await?;
                    done(&answer);
                    anyhow::Ok(answer)
                })
            })
            .collect();
        let mut answers = Vec::with_capacity(tasks.len());
        for task in tasks {
            answers.push(task.await??);
        }
        Ok(answers)
    }

    /// Sends one call, again if it got no answer; fails after the last attempt.
    pub async fn insist(&self, http: &reqwest::Client, call: &Call) -> Result<Answer> {
        let mut attempt = 1;
        loop {
            match self.send(http, call).await {
                Ok(answer) => return Ok(answer),
                Err(error) if attempt >= self.attempts_max => {
                    return Err(error.context(format!("request {} got no answer", call.index)))
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
            attempt += 1;
        }
    }

    async fn send(&self, http: &reqwest::Client, call: &Call) -> Result<Answer> {
        let mut body = json!({
            "model": call.model,
            "messages": [{ "role": "user", "content": prompt(call.request.input) }],
            "max_tokens": call.request.output,
            "stream": call.stream,
        });
        if call.stream {
            body["stream_options"] = json!({ "include_usage": true });
        }
        let sent_at = Instant::now();
        let response = http
            .post(format!("{}/chat/completions", self.gateway_url))
            .bearer_auth(&call.api_key)
            .json(&body)
            .send()
            .await?;
        let status = response.status();
        if !status.is_success() {
            bail!("the gateway answered {status}: {}", response.text().await.unwrap_or_default());
        }
        let digest = digest_of(&response)?;
        let usage =
            if call.stream { usage_of_stream(response).await? } else { usage_of(&response.json().await?)? };
        Ok(Answer { index: call.index, digest, usage, sent_at, done_at: Instant::now() })
    }
}

fn digest_of(response: &reqwest::Response) -> Result<Digest> {
    let header = response.headers().get("x-stipend-request-id").context("the answer names no request id")?;
    let mut digest = Digest::default();
    hex::decode_to_slice(header.as_bytes(), &mut digest).context("the request id is not 32 hex digits")?;
    Ok(digest)
}

/// Reads a stream to its end; only `[DONE]` makes it whole.
async fn usage_of_stream(response: reqwest::Response) -> Result<Usage> {
    let (mut text, mut bytes) = (Vec::new(), response.bytes_stream());
    while let Some(chunk) = bytes.next().await {
        text.extend_from_slice(&chunk?);
    }
    let text = String::from_utf8(text)?;
    let mut events = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let (mut usage, mut whole) = (None, false);
    for event in &mut events {
        if event == "[DONE]" {
            whole = true;
        } else {
            let event: Value = serde_json::from_str(event)?;
            if event["usage"].is_object() {
                usage = Some(usage_of(&event)?);
            }
        }
    }
    if !whole {
        bail!("the stream broke off");
    }
    usage.context("the stream carried no usage")
}

fn usage_of(answer: &Value) -> Result<Usage> {
    let count = |pointer: &str| answer.pointer(pointer).and_then(Value::as_u64).map(|count| count as u32);
    let prompt = count("/usage/prompt_tokens").context("the answer has no usage.prompt_tokens")?;
    let cached_input = count("/usage/prompt_tokens_details/cached_tokens").unwrap_or(0);
    let output = count("/usage/completion_tokens").context("the answer has no usage.completion_tokens")?;
    Ok(Usage { input: prompt - cached_input, cached_input, output })
}

/// A prompt of exactly `tokens` tokens in the stand-in engine's vocabulary, where " the" is one.
pub fn prompt(tokens: u32) -> String {
    let mut text = String::from("the");
    text.extend(std::iter::repeat_n(" the", tokens.saturating_sub(1) as usize));
    text
}
