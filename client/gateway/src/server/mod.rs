//! Connections and routes.
//!
//! | module | job |
//! |---|---|
//! | `connection`, `strict`, `stall`, `tls` | one connection: what may arrive on it, and how long it may take |
//! | `routes` | every path with who may call it |
//! | `authenticate` | whose key a request carries |
//! | `request_id`, `span` | the name under which caller and log speak of a request, and what is traced of it |
//! | `jobs`, `runners` | batch work, for its callers and for its runners |
//! | `waste` | findings of waste, and appeals |
//! | `health` | what the gateway says of itself |
//! | `answer` | bodies and headers of answers |

pub(crate) mod answer;
mod authenticate;
mod completions;
mod connection;
mod health;
mod jobs;
mod models;
mod quote;
mod receipts;
mod request_id;
pub(crate) mod routes;
mod runners;
pub(crate) mod span;
mod stall;
mod strict;
mod tls;
mod wallet;
mod waste;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::{watch, OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};

use crate::state::State;

pub(crate) use completions::digest as new_digest;
pub(crate) use runners::{X_PROVIDER, X_REQUEST, X_STATUS};
pub(crate) use tls::{Tls, TlsError};

/// Pause after the system could give no connection: it is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` is true, then lets requests in flight come to their end.
pub(crate) async fn serve(listener: TcpListener, state: Arc<State>, mut stop: watch::Receiver<bool>) {
    // Not changed by a reload: the semaphore is as large as it was made.
    let connections_max = state.limits.connections_max;
    let places = Arc::new(Semaphore::new(connections_max));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = stopped(&mut stop) => break,
        };
        match accepted {
            Ok((stream, place)) => {
                let (state, stop) = (state.clone(), stop.clone());
                tokio::spawn(async move {
                    connection::serve(stream, state, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    state.status.drain();
    let all = u32::try_from(connections_max).unwrap_or(u32::MAX);
    if timeout(state.limits.drain_max, places.acquire_many(all)).await.is_err() {
        tracing::warn!("some requests did not end in time; what they use meanwhile is not charged");
    }
    // Exchanges outlive their connections.
    let began = std::time::Instant::now();
    while state.in_flight() > 0 && began.elapsed() < state.limits.drain_max {
        sleep(ACCEPT_PAUSE).await;
    }
}

/// Resolves when the order to stop has come, or whoever gives it is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, _): (TcpStream, SocketAddr) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, place))
}
