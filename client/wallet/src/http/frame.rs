//! The shape of every page: who asks, one state of the tables, what is rendered of it.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts, response::Response};
use maud::Markup;

use super::{answer::Refusal, App, Viewer};
use crate::{
    chain::Source,
    db::Connection,
    pages,
    read::{as_of, AsOf},
};

/// A page, or why there is none.
pub(super) type Page = Result<Response, Refusal>;

/// What every page begins with: the service, and who asks.
pub(super) struct Frame<S> {
    pub(super) app: Arc<App<S>>,
    viewer: Viewer,
}

impl<S: Source> FromRequestParts<Arc<App<S>>> for Frame<S> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App<S>>) -> Result<Self, Refusal> {
        // The guard, which every route has, puts it there.
        let viewer = parts.extensions.get::<Viewer>().cloned().ok_or(Refusal::NotSignedIn)?;
        Ok(Frame { app: app.clone(), viewer })
    }
}

impl<S: Source> Frame<S> {
    /// Reads and renders, all as of one block.
    pub(super) async fn page(
        self,
        render: impl FnOnce(&mut dyn Connection, &Viewer, AsOf) -> Result<Markup, Refusal> + Send + 'static,
    ) -> Page {
        let Frame { app, viewer } = self;
        app.pool
            .read(move |connection| {
                let at = as_of(connection)?;
                Ok(pages::html(render(connection, &viewer, at)?))
            })
            .await
    }
}
