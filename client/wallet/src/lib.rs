#![doc = include_str!("../README.md")]

pub mod access;
pub mod acts;
pub mod chain;
pub mod config;
pub mod db;
pub mod dump;
pub mod export;
pub mod http;
pub mod pages;
pub mod project;
pub mod read;
pub mod session;

use std::{future::Future, net::SocketAddr, sync::Arc};

use anyhow::Context;
use tokio::task::JoinSet;

use crate::{chain::Source, config::Config, http::App, project::Projector};

/// Follows the chain and answers requests until `stop`. `listening` learns the address.
pub async fn run<S: Source>(
    config: Config,
    source: Arc<S>,
    stop: impl Future<Output = ()> + Send + 'static,
    listening: impl FnOnce(SocketAddr),
) -> anyhow::Result<()> {
    let place = config.database.clone();
    let (opened, chain) = (place.clone(), source.clone());
    let projector = tokio::task::spawn_blocking(move || Projector::open(chain, opened)).await??;
    let listener = tokio::net::TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}; choose another `listen`", config.listen))?;
    let address = listener.local_addr()?;
    let origin = config.origin.clone().unwrap_or_else(|| format!("http://{address}"));
    let app = App::new(&config, origin, source, projector.progress());
    // Ends with this, however this ends: the next follower needs the tables to itself.
    let mut following = JoinSet::new();
    following.spawn(projector.run());
    listening(address);
    Ok(http::serve(app, listener, stop).await?)
}
