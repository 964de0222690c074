//! The service: one router from one list of routes, each behind the guard of its subject.

mod acts;
mod answer;
mod api;
mod exports;
mod files;
mod frame;
mod guard;
mod health;
mod lists;
mod live;
mod pages;
mod people;
mod routes;
mod sign_in;

use std::{sync::Arc, time::Duration};

use axum::{middleware, Router};
use parking_lot::Mutex;
use stipend_primitives::{AccountId, Role};
use tokio::sync::Semaphore;

use crate::{
    acts::Followed,
    chain::Source,
    config::Config,
    db::Pool,
    project::{now_ms, Progress},
    session::Sessions,
};

pub use guard::Viewer;
pub use routes::{routes, Route};

/// How long an account's roles are believed.
const ROLES_MS: u64 = 2_000;

/// How long a page waits for the chain.
const CHAIN_WAIT: Duration = Duration::from_secs(3);

/// What all requests share.
pub struct App<S> {
    pub(crate) source: Arc<S>,
    pub(crate) pool: Pool,
    pub(crate) progress: Progress,
    pub(crate) sessions: Sessions,
    pub(crate) followed: Followed,
    pub(crate) origin: String,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) behind_max: u64,
    pub(crate) requests: health::Requests,
    roles: Mutex<std::collections::HashMap<AccountId, (Vec<Role>, u64)>>,
}

impl<S: Source> App<S> {
    /// The service over a source and its tables; `origin` is what browsers see.
    pub fn new(config: &Config, origin: String, source: Arc<S>, progress: Progress) -> Arc<Self> {
        Arc::new(App {
            source,
            pool: Pool::new(config.database.clone(), config.readers_max),
            progress,
            sessions: Sessions::new(config.session),
            followed: Followed::default(),
            origin,
            streams: Arc::new(Semaphore::new(config.streams_max)),
            behind_max: config.behind_max,
            requests: health::Requests::default(),
            roles: Mutex::default(),
        })
    }

    /// Whether cookies go over encrypted connections only.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// An account's roles, by a finalised block of the last seconds.
    pub(crate) async fn roles(&self, who: &AccountId) -> Result<Vec<Role>, answer::Refusal> {
        if let Some((roles, asked)) = self.roles.lock().get(who) {
            if now_ms().saturating_sub(*asked) < ROLES_MS {
                return Ok(roles.clone());
            }
        }
        let asked = tokio::time::timeout(CHAIN_WAIT, self.source.roles(who.clone())).await;
        let roles = asked.map_err(|_| answer::Refusal::NoChain)?.map_err(|_| answer::Refusal::NoChain)?;
        let mut known = self.roles.lock();
        // Bounded by who signs in; forgotten when there are too many.
        if known.len() > 10_000 {
            known.clear();
        }
        known.insert(who.clone(), (roles.clone(), now_ms()));
        Ok(roles)
    }
}

/// The router.
pub fn router<S: Source>(app: Arc<App<S>>) -> Router {
    let mut router = Router::new();
    for Route { path, subject, handler, .. } in routes::<S>() {
        let guarded = handler.layer(middleware::from_fn_with_state((app.clone(), subject), guard::guard));
        router = router.route(path, guarded);
    }
    router
        .fallback(answer::not_found)
        .layer(middleware::from_fn_with_state(app.clone(), guard::headers))
        .with_state(app)
}

/// Answers requests until `stop`.
pub async fn serve<S: Source>(
    app: Arc<App<S>>,
    listener: tokio::net::TcpListener,
    stop: impl std::future::Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(app)).with_graceful_shutdown(stop).await
}
