//! A stand-in inference engine: it speaks OpenAI's protocols and Anthropic's messages as vLLM does, counts tokens with a real
//! byte-pair encoding, and invents its words.
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use stipend_engine_sim::{serve, Engine, Options};
//!
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
//! let engine = Engine::new(Options { models: vec!["tiny".into()], ..Options::default() });
//! serve(listener, engine, std::future::pending()).await
//! # }
//! ```

mod engine;
mod generation;
mod http;
mod images;
mod metrics;
mod options;
mod prefix;
mod queue;
mod stream;
mod tokens;
mod tools;
mod typed;
mod wire;

pub use engine::Engine;
pub use http::router;
pub use metrics::Totals;
pub use options::Options;
pub use tokens::tokens_count;

use std::future::Future;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;

/// Says in every answer what the words are worth.
pub const FINGERPRINT: &str = "stipend-engine-sim: invented words, real token counts";

/// Serves until `shutdown` resolves.
pub async fn serve(
    listener: TcpListener,
    engine: Engine,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // A token must not wait for the next one's bytes. Without the option it is only slower.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router(engine)).with_graceful_shutdown(shutdown).await
}
