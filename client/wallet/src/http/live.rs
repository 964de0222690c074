//! Figures that update themselves: server-sent events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Path, State},
    response::sse::{Event, KeepAlive, Sse},
    Extension,
};
use futures::{Stream, StreamExt};

use super::{answer::Refusal, api::account, App, Viewer};
use crate::{chain::Source, pages::wallet};

/// How often a stream looks whether its session goes on.
const SESSION_CHECK: Duration = Duration::from_secs(15);

/// The table of balances, whenever it changes, as the page has it. Ends with the session.
pub(super) async fn wallet<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path(owner): Path<String>,
    Extension(viewer): Extension<Viewer>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let owner = account(&owner)?;
    let turn = app.streams.clone().try_acquire_owned().map_err(|_| Refusal::Busy)?;
    let changes = app.source.watch(owner).filter_map(|balance| async move { balance.ok() });
    let figures = changes.map(|balance| {
        // One line: an event's data ends at a line's end.
        let table = wallet::live(&balance).into_string().replace('\n', " ");
        Event::default().event("balance").data(table)
    });
    let ended = async move {
        let _turn = turn;
        let mut check = tokio::time::interval(SESSION_CHECK);
        loop {
            check.tick().await;
            if app.sessions.account(&viewer.token).is_none() {
                return;
            }
        }
    };
    let figures = figures.take_until(Box::pin(ended)).map(Ok);
    Ok(Sse::new(figures).keep_alive(KeepAlive::default()))
}
