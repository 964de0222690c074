//! How the engine behaves.

use std::time::Duration;

/// Behaviour of a simulated engine.
#[derive(Clone, Debug)]
pub struct Options {
    /// Names of the models it claims to serve.
    pub models: Vec<String>,
    /// Time until the first token of a request that does not wait.
    pub first_token: Duration,
    /// Tokens per second and choice after the first; `None` for as fast as it can.
    pub tokens_per_second: Option<f64>,
    /// Requests that generate at the same time; more wait.
    pub running_max: usize,
    /// Whether of those that wait the lowest `priority` goes first; otherwise the field is ignored.
    pub by_priority: bool,
    /// Tokens of prompt and answer together.
    pub context_tokens_max: u64,
    /// Whether to keep a prefix cache and report `cached_tokens`.
    pub prefix_cache: bool,
    /// Whether answers with images report `usage`.
    pub image_usage: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            models: Vec::new(),
            first_token: Duration::ZERO,
            tokens_per_second: None,
            running_max: 256,
            by_priority: true,
            context_tokens_max: 131_072,
            prefix_cache: false,
            image_usage: false,
        }
    }
}
