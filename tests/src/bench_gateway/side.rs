//! One side of the comparison.

use std::time::{Duration, Instant};

use anyhow::{anyhow, Result};
use stipend_http_load::target::Target;

use super::report::{BEFORE, DIRECT, OURS};
use crate::{
    process::Process,
    process_usage::{self, Usage},
};

/// How long a side may take until it answers: some load half of PyPI.
const READY_TIMEOUT: Duration = Duration::from_secs(90);

/// How long one answer may take meanwhile.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(15);

/// Lines of its log that are shown of a side that failed.
const LOG_LINES: usize = 8;

/// Where OpenAI's chat completions are.
pub(super) const CHAT: &str = "/v1/chat/completions";

/// What runs and is measured.
pub(super) struct Side {
    pub name: &'static str,
    /// What it does with a request.
    pub does: &'static str,
    pub target: Target,
    /// `None`: the stand-in upstream itself.
    pub process: Option<Process>,
}

impl Side {
    /// What it uses of the machine; nothing where it is the upstream.
    pub fn usage(&self) -> Usage {
        self.process.as_ref().map(|process| process_usage::of_tree(process.id())).unwrap_or_default()
    }

    /// Whether nothing can be compared without it.
    pub fn is_ours(&self) -> bool {
        matches!(self.name, OURS | BEFORE | DIRECT)
    }

    /// Waits until it passes the upstream's answers on, whole and streamed; says with the end of its log why it does
    /// not.
    pub async fn ready(&mut self) -> Result<()> {
        let started = Instant::now();
        loop {
            let trouble = match tokio::time::timeout(ANSWER_TIMEOUT, self.target.check()).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error,
                Err(_) => anyhow!("it did not answer within {} s", ANSWER_TIMEOUT.as_secs()),
            };
            let has_ended = self.process.as_mut().is_some_and(|process| !process.is_running());
            if has_ended || started.elapsed() > READY_TIMEOUT {
                let what = if has_ended { "it ended" } else { "it never answered as the upstream does" };
                return Err(anyhow!("{what}: {trouble:#}{}", self.log_end()));
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    fn log_end(&self) -> String {
        let Some(process) = &self.process else { return String::new() };
        let text = std::fs::read_to_string(process.log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let end = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n    ");
        format!("\n  {} ends with\n    {end}", process.log().display())
    }
}
