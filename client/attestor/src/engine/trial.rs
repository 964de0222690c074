//! Trying whether the engine heeds `priority`: filled with requests of the attestor's own, it gets eight that can wait and
//! then eight that are urgent, and the order in which they end tells.
//!
//! It costs about 100 tokens for each request that the engine runs at a time, at most [`FILLERS_MAX`] of them, once after
//! each start of the engine and only while nobody else uses it. Nobody pays for it, and the counters that are compared
//! with what was metered count it.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::json;
use stipend_openai::{Endpoint, RequestView, UsageReader};
use tokio::{task::JoinSet, time::Instant};

use super::{exposition::sum, schedule::Priorities, EngineKind};
use crate::{outbound::collect, App};

/// Requests that fill the engine, at most: as many as vLLM runs at a time on the largest machines by default.
const FILLERS_MAX: usize = 1_024;

/// Fillers sent before the engine is looked at again.
const FILLERS_STEP: usize = 32;

/// Fillers have from so many tokens to twice as many, so that they end one after the other.
const FILLER_TOKENS: usize = 64;

/// Requests of either kind that are compared.
const COMPARED: usize = 8;

/// Tokens of these.
const COMPARED_TOKENS: usize = 4;

/// Time for all of it.
const TRIAL_MAX: Duration = Duration::from_secs(120);

/// Time for the engine to show that what was sent waits, and between two looks.
const SETTLE_MAX: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(20);

const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The engine is in use, or does not answer.
pub(super) struct NotNow;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    Filler,
    CanWait,
    Urgent,
}

/// Tries it once.
pub(super) async fn run(app: &Arc<App>) -> Result<Priorities, NotNow> {
    let (running, waiting) = load(app).await.ok_or(NotNow)?;
    if running + waiting > 0 {
        return Err(NotNow);
    }
    let deadline = Instant::now() + TRIAL_MAX;
    let mut requests = JoinSet::new();
    let mut send = |sort, tokens, priority| {
        requests.spawn(one(app.clone(), sort, tokens, priority, deadline));
    };
    let mut fillers = 0;
    loop {
        for _ in 0..FILLERS_STEP {
            send(Sort::Filler, FILLER_TOKENS + fillers % FILLER_TOKENS, 0);
            fillers += 1;
        }
        let is_full = has_waiting(app, 1, SETTLE_MAX / 10).await;
        if is_full {
            break;
        }
        if fillers >= FILLERS_MAX {
            tracing::warn!(
                fillers,
                "the engine could not be filled: whether it heeds priorities is not known"
            );
            return Ok(Priorities::Unknown);
        }
    }
    let before = load(app).await.map_or(0, |(_, waiting)| waiting);
    for _ in 0..COMPARED {
        send(Sort::CanWait, COMPARED_TOKENS, 1);
    }
    // The order of arrival must be certain.
    let came = has_waiting(app, before.saturating_sub(1) + COMPARED as u64 / 2, SETTLE_MAX / 10).await;
    for _ in 0..COMPARED {
        send(Sort::Urgent, COMPARED_TOKENS, -1);
    }
    let mut order = Vec::new();
    while let Some(ended) = requests.join_next().await {
        order.extend(ended.ok().flatten().filter(|sort| *sort != Sort::Filler));
    }
    tracing::debug!(fillers, came, compared = order.len(), "the engine was tried");
    Ok(verdict(&order))
}

/// What the order of ends says: whether the urgent ones, who came last, overtook those who could wait.
fn verdict(order: &[Sort]) -> Priorities {
    let all = COMPARED * COMPARED;
    if order.len() != 2 * COMPARED {
        return Priorities::Unknown;
    }
    let mut overtaken = 0;
    for (at, sort) in order.iter().enumerate() {
        if *sort == Sort::Urgent {
            overtaken += order[at..].iter().filter(|later| **later == Sort::CanWait).count();
        }
    }
    match overtaken {
        most if most >= all * 3 / 4 => Priorities::Honoured,
        few if few <= all / 4 => Priorities::Ignored,
        _ => Priorities::Unknown,
    }
}

/// Sends one request and reads its answer; `None` if it failed.
async fn one(app: Arc<App>, sort: Sort, tokens: usize, priority: i64, deadline: Instant) -> Option<Sort> {
    let model = app.models.first()?;
    let body = json!({
        "model": model.engine_name,
        "prompt": "one two three",
        "max_tokens": tokens,
        "ignore_eos": true,
        "temperature": 0,
        "priority": priority,
    });
    let (endpoint, body) = (Endpoint::Completions, Bytes::from(body.to_string()));
    let reader = UsageReader::of(&RequestView::read(endpoint, &body).ok()?);
    let response = app.engine.infer(endpoint.path(), body, deadline).await.ok()?;
    if !response.status().is_success() {
        return None;
    }
    let answer = collect(response.into_body(), ANSWER_BYTES_MAX, deadline).await.ok()?;
    let usage = reader.of_answer(&answer).ok()?;
    app.metrics.counted(EngineKind::Vllm, &usage, 1, 1);
    Some(sort)
}

/// Waits until the engine shows at least so many waiting requests.
async fn has_waiting(app: &App, least: u64, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    loop {
        if load(app).await.is_some_and(|(_, waiting)| waiting >= least) {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Requests that run in the engine, and those that wait.
async fn load(app: &App) -> Option<(u64, u64)> {
    let text = app.engine.counters().await.ok()?;
    Some((sum(&text, "vllm:num_requests_running")?, sum(&text, "vllm:num_requests_waiting")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_order_is_a_verdict() {
        let (wait, urgent) = ([Sort::CanWait; COMPARED], [Sort::Urgent; COMPARED]);
        assert!(verdict(&[wait, urgent].concat()) == Priorities::Ignored);
        assert!(verdict(&[urgent, wait].concat()) == Priorities::Honoured);
        let mixed: Vec<Sort> =
            (0..2 * COMPARED).map(|at| if at % 2 == 0 { Sort::CanWait } else { Sort::Urgent }).collect();
        assert!(verdict(&mixed) == Priorities::Unknown);
        // Some failed: the order says nothing.
        assert!(verdict(&urgent) == Priorities::Unknown);
    }
}
