//! Real inference engines, as other people wrote them, and random requests for them.

mod traffic;

use std::time::Duration;

use anyhow::{ensure, Context, Result};
use stipend_primitives::cost::Usage;

pub use traffic::{Mix, Told};

use crate::{
    process::{free_port, Process},
    python::Python,
    services::repository,
};

/// vLLM loads for half a minute on an idle machine with two cores.
const START_TIMEOUT: Duration = Duration::from_secs(300);

/// Which engine it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// llama.cpp's server with Gemma 3 270M.
    LlamaCpp,
    /// vLLM on the CPU with a tiny model of random weights.
    Vllm,
}

/// A running engine. Dropping it ends it.
pub struct RealEngine {
    /// Which one.
    pub kind: Kind,
    /// Address, without a path.
    pub url: String,
    /// What it calls its model.
    pub model: &'static str,
    _process: Process,
}

/// What an engine says that it has counted since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Tokens of prompts.
    pub prompt: u64,
    /// Tokens generated.
    pub generation: u64,
}

impl RealEngine {
    /// Starts an engine; `None`, said aloud, where it is not installed and cannot be.
    pub async fn start(kind: Kind) -> Result<Option<Self>> {
        Self::start_with(kind, &[]).await
    }

    /// Starts it with more arguments of its own.
    pub async fn start_with(kind: Kind, more: &[&str]) -> Result<Option<Self>> {
        let python = match kind {
            Kind::LlamaCpp => Python::llama()?,
            Kind::Vllm => Python::vllm(),
        };
        let Some(python) = python else { return Ok(None) };
        let target = repository().join("target");
        let (name, script, folder, model, mark) = match kind {
            Kind::LlamaCpp => ("llama", "llama_server.py", "python-llama/model.gguf", "gemma", "listening"),
            Kind::Vllm => {
                ("vllm", "vllm_server.py", "vllm-tiny-model", "tiny", "Application startup complete.")
            }
        };
        let port = free_port()?;
        let mut arguments = vec![
            repository().join("tests/python").join(script).display().to_string(),
            port.to_string(),
            target.join(folder).display().to_string(),
        ];
        if kind == Kind::Vllm {
            // So that cached tokens are told, and billed, as such.
            arguments.push("--enable-prompt-tokens-details".into());
        }
        arguments.extend(more.iter().map(|argument| argument.to_string()));
        let logs = target.join("test-real-engines");
        // vLLM's workers are processes of their own, and survive the one that started them.
        let mut process = Process::start_family(name, python.program(), arguments, &logs)?;
        process.wait_for(mark, START_TIMEOUT).await?;
        Ok(Some(RealEngine { kind, url: format!("http://127.0.0.1:{port}"), model, _process: process }))
    }

    /// Reads its counters.
    pub async fn counters(&self) -> Result<Counters> {
        let text = reqwest::get(format!("{}/metrics", self.url)).await?.text().await?;
        let (prompt, generation) = match self.kind {
            Kind::LlamaCpp => ("llamacpp:prompt_tokens_total", "llamacpp:tokens_predicted_total"),
            Kind::Vllm => ("vllm:prompt_tokens_total", "vllm:generation_tokens_total"),
        };
        Ok(Counters { prompt: counter(&text, prompt)?, generation: counter(&text, generation)? })
    }

    /// By how much the counter of prompt tokens rises for a request with this usage; see
    /// `docs/metering.md`.
    pub fn prompt_counted(&self, usage: &Usage, choices: u64) -> u64 {
        match self.kind {
            // What came from the cache is not counted, and there is one choice.
            Kind::LlamaCpp => usage.input.into(),
            // Every choice counts the whole prompt; the usage has it once.
            Kind::Vllm => (u64::from(usage.input) + u64::from(usage.cached_input)) * choices,
        }
    }
}

/// A counter without labels, or with one set of them.
pub fn counter(text: &str, name: &str) -> Result<u64> {
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with(name)).collect();
    ensure!(lines.len() == 1, "{name} stands {} times in:\n{text}", lines.len());
    let value = lines[0].split_whitespace().last().context("a line without a value")?;
    Ok(value.parse::<f64>()? as u64)
}
