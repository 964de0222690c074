//! Whether the engine heeds `priority`.
//!
//! vLLM takes the field under either scheduling policy and heeds it under one, and no counter of it says which. It says so
//! at `/server_info`, which it has in development mode only. Where it does not, the attestor can try it: see
//! [`super::trial`]. Otherwise it is not known, and nobody should pay for a place that may not exist.

use std::{
    sync::{
        atomic::{AtomicU8, Ordering},
        Arc,
    },
    time::Duration,
};

use bytes::Bytes;
use http::Method;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{trial, Engine, EngineKind, SCRAPE_BYTES_MAX, SCRAPE_MAX};
use crate::{outbound::AskError, App};

/// Pause before the engine is asked again: it may have been started with another policy.
const AGAIN: Duration = Duration::from_secs(60);

/// Pause before an engine that is not known yet, or is busy, is looked at again.
const SOON: Duration = Duration::from_secs(2);

/// How often an engine is tried that gave no clear answer.
const TRIALS_MAX: u32 = 3;

/// What is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Priorities {
    /// Not found out.
    Unknown,
    /// The field is taken and not heeded.
    Ignored,
    /// A lower value goes first.
    Honoured,
}

/// What is known, and when it must be found out anew.
#[derive(Default)]
pub(crate) struct Schedule(AtomicU8);

impl Schedule {
    pub(crate) fn get(&self) -> Priorities {
        match self.0.load(Ordering::Relaxed) {
            known if known == Priorities::Honoured as u8 => Priorities::Honoured,
            known if known == Priorities::Ignored as u8 => Priorities::Ignored,
            _ => Priorities::Unknown,
        }
    }

    /// The engine was restarted.
    pub(super) fn forget(&self) {
        self.0.store(Priorities::Unknown as u8, Ordering::Relaxed);
    }

    fn set(&self, priorities: Priorities) {
        if self.0.swap(priorities as u8, Ordering::Relaxed) != priorities as u8 {
            tracing::info!(?priorities, "how the engine schedules was found out");
        }
    }
}

/// Finds out, and looks again now and then.
pub(crate) async fn run(app: Arc<App>) {
    let mut trials = 0;
    loop {
        let said = match app.engine.kind() {
            EngineKind::Vllm | EngineKind::Triton => says(&app.engine).await,
            // Their routers know no such field.
            EngineKind::Tgi | EngineKind::LlamaCpp => Ok(Some(Priorities::Ignored)),
            EngineKind::OpenAi => Ok(None),
        };
        let pause = match said {
            Ok(Some(priorities)) => {
                app.engine.schedule.set(priorities);
                AGAIN
            }
            Ok(None) if may_try(&app, trials) => match trial::run(&app).await {
                Ok(priorities) => {
                    trials = if priorities == Priorities::Unknown { trials + 1 } else { 0 };
                    app.engine.schedule.set(priorities);
                    SOON
                }
                Err(trial::NotNow) => SOON,
            },
            Ok(None) => SOON,
            Err(_) => SOON,
        };
        tokio::time::sleep(pause).await;
    }
}

fn may_try(app: &App, trials: u32) -> bool {
    let is_open = app.engine.schedule.get() == Priorities::Unknown;
    app.try_priorities && is_open && trials < TRIALS_MAX && app.engine.kind() == EngineKind::Vllm
}

/// What the engine says of its policy; `None` where it has no such page.
async fn says(engine: &Engine) -> Result<Option<Priorities>, AskError> {
    let request = engine.request(Method::GET, "/server_info?config_format=json", Bytes::new());
    let text = match engine.outbound.fetch(request, SCRAPE_BYTES_MAX, Instant::now() + SCRAPE_MAX).await {
        Ok(text) => text,
        Err(AskError::Status(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(policy(&text))
}

/// The policy in vLLM's `/server_info`.
fn policy(text: &[u8]) -> Option<Priorities> {
    #[derive(Deserialize)]
    struct Info {
        vllm_config: Config,
    }
    #[derive(Deserialize)]
    struct Config {
        scheduler_config: Scheduler,
    }
    #[derive(Deserialize)]
    struct Scheduler {
        policy: String,
    }
    let info: Info = serde_json::from_slice(text).ok()?;
    match info.vllm_config.scheduler_config.policy.as_str() {
        "priority" => Some(Priorities::Honoured),
        "fcfs" => Some(Priorities::Ignored),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_read_and_nothing_is_guessed() {
        let info = |policy: &str| {
            format!(
                r#"{{"vllm_config":{{"scheduler_config":{{"policy":"{policy}","a":1}},"b":2}},"system_env":{{}}}}"#
            )
        };
        assert_eq!(policy(info("priority").as_bytes()), Some(Priorities::Honoured));
        assert_eq!(policy(info("fcfs").as_bytes()), Some(Priorities::Ignored));
        assert_eq!(policy(info("another").as_bytes()), None);
        // As text, where the form is not known.
        assert_eq!(policy(br#"{"vllm_config":"policy='priority'"}"#), None);
        assert_eq!(policy(b"not found"), None);
    }
}
