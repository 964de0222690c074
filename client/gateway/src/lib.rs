//! An OpenAI-compatible gateway that turns every request into a receipt on a Stipend chain.
//!
//! The README explains what is promised and why it holds. In the code:
//!
//! | module | job |
//! |---|---|
//! | `config` | the configuration, checked as a whole before anything is bound |
//! | `server` | connections, routes, API keys |
//! | `admission`, `terms`, `bound`, `caps`, `wallet`, `prices` | may this request be served, what can it cost, hold that |
//! | `queue`, `upstream`, `client` | who is asked, and who waits for whom |
//! | `forward` | proving to a provider that a request is this gateway's |
//! | `exchange` | one request's way to an upstream and back, and the receipt at its end |
//! | `pipeline` | receipts become batches, batches are handed in, providers get their claims |
//! | `waste` | what looks like waste, and who is told |
//! | `jobs` | batch work: requests that wait in a Kubernetes cluster for their turn |
//! | `follow` | keys, prices and reservations as of finalised blocks |
//! | `kept` | which receipts can be looked up |
//! | `restore`, `start` | going on after a crash |
//! | `reload`, `live` | another configuration while requests are served |
//! | `telemetry` | the log, traces and metrics for a collector |
//! | `chain` | what all of this needs of a chain, as one small trait |

mod admission;
mod bound;
mod caps;
pub mod chain;
mod client;
mod clock;
pub mod config;
mod credits;
mod exchange;
mod follow;
mod forward;
mod jobs;
mod kept;
mod keys;
mod live;
mod metrics;
mod pipeline;
mod prices;
mod queue;
mod rate;
mod receipt;
mod reload;
mod restore;
mod server;
mod start;
mod state;
mod status;
pub mod telemetry;
mod terms;
mod upstream;
mod wallet;
mod wallets;
mod waste;

#[cfg(test)]
mod tests;

use std::{future::Future, net::SocketAddr, sync::Arc};

use tokio::{net::TcpListener, sync::watch};

pub use jobs::runner::{run as run_job, JobError};
pub use reload::Reloads;
pub use start::StartError;

use chain::Chain;
use config::Config;
use start::Engine;

/// Why a gateway ended.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It did not start.
    #[error("the gateway does not start: {0}")]
    Start(#[from] StartError),
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {error}; is something else running there?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's reason.
        error: std::io::Error,
    },
}

/// Runs a gateway on a chain until `stop` resolves and the requests in flight have ended. What comes from
/// `reloads` is taken in meanwhile, as far as it can be.
///
/// `ready` is called with the address once requests are served.
pub async fn run<C: Chain>(
    config: Config,
    chain: Arc<C>,
    reloads: Reloads,
    stop: impl Future<Output = ()> + Send,
    ready: impl FnOnce(SocketAddr) + Send,
) -> Result<(), RunError> {
    let address = config.listen;
    let listening = |error| RunError::Listen { address, error };
    let listener = TcpListener::bind(address).await.map_err(listening)?;
    let address = listener.local_addr().map_err(listening)?;
    let Engine { state, mut tasks } = start::start(&config, chain).await?;
    tasks.spawn(reloads.run(config, state.clone()));
    ready(address);
    let (stopping, stopped) = watch::channel(false);
    let server = tokio::spawn(server::serve(listener, state.clone(), stopped));
    tokio::select! {
        () = stop => {}
        ended = tasks.join_next() => {
            // None of them ever ends by itself, except after it halted the gateway. It goes on to answer,
            // so that those who watch it learn why it does not serve.
            let why = ended.and_then(Result::err).map_or("it stopped".to_owned(), |error| error.to_string());
            if state.status.halted().is_none() {
                state.status.halt(format!("a task behind the gateway is gone: {why}"));
            }
        }
    }
    stopping.send_replace(true);
    if let Err(error) = server.await {
        tracing::error!(%error, "the server did not end as it should");
    }
    if let Some(otlp) = &state.otlp {
        otlp.shutdown().await;
    }
    Ok(())
}
