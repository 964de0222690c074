//! `stipend-engine-sim`: a stand-in inference engine that invents its words.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use clap::Parser;
use stipend_engine_sim::{serve, Engine, Options};

/// A stand-in inference engine: OpenAI's protocol as vLLM speaks it, real token counts, invented
/// words. For demos, tests and load; no model runs.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
    /// A model to claim to serve; can be given several times.
    #[arg(long = "model", required = true)]
    models: Vec<String>,
    /// Milliseconds until the first token.
    #[arg(long, default_value_t = 0)]
    first_token_ms: u64,
    /// Tokens per second and choice after the first; as fast as it can if not given.
    #[arg(long, value_parser = positive)]
    tokens_per_second: Option<f64>,
    /// Requests that generate at the same time; more wait.
    #[arg(long, default_value_t = 256)]
    running_max: usize,
    /// Who of those that wait goes first: `priority` (the lowest `priority`) or `fcfs` (the earliest; the field is ignored).
    #[arg(long, default_value = "priority", value_parser = ["priority", "fcfs"])]
    scheduling_policy: String,
    /// Tokens of prompt and answer together.
    #[arg(long, default_value_t = 131_072)]
    context_tokens_max: u64,
    /// Keep a prefix cache and report `cached_tokens`.
    #[arg(long)]
    prefix_cache: bool,
    /// Report `usage` with images.
    #[arg(long)]
    image_usage: bool,
}

fn positive(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "not a number".to_string())?;
    if rate.is_finite() && rate >= 0.001 {
        return Ok(rate);
    }
    Err("must be at least 0.001".into())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let engine = Engine::new(Options {
        models: arguments.models,
        first_token: Duration::from_millis(arguments.first_token_ms),
        tokens_per_second: arguments.tokens_per_second,
        running_max: arguments.running_max,
        by_priority: arguments.scheduling_policy == "priority",
        context_tokens_max: arguments.context_tokens_max,
        prefix_cache: arguments.prefix_cache,
        image_usage: arguments.image_usage,
    });
    let listener = tokio::net::TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    println!("listening on http://{}", listener.local_addr()?);
    serve(listener, engine, stop_signal()).await.context("the server failed")
}

/// Resolves when the process is asked to stop.
async fn stop_signal() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(error) => {
            tracing::warn!("SIGTERM ends the process at once: {error}");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
