//! Exports, streamed: memory holds a few thousand rows of one, however long it is.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, State},
    response::Response,
};
use bytes::Bytes;
use stipend_primitives::AccountId;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{
    answer::{download, Refusal},
    api::account,
    App,
};
use crate::{
    chain::Source,
    export::{self, Export, ExportError},
};

/// Chunks that wait for a slow reader.
const CHUNKS: usize = 4;

pub(super) async fn of_wallet<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path((owner, file)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let owner = account(&owner)?;
    stream(app, Some(owner), &file)
}

pub(super) async fn of_everybody<S: Source>(
    State(app): State<Arc<App<S>>>,
    Path(file): Path<String>,
) -> Result<Response, Refusal> {
    stream(app, None, &file)
}

fn stream<S: Source>(app: Arc<App<S>>, owner: Option<AccountId>, file: &str) -> Result<Response, Refusal> {
    let export = Export::named(file).ok_or(Refusal::NotFound)?;
    let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(CHUNKS);
    let origin = app.origin.clone();
    tokio::spawn(async move {
        let failed = sender.clone();
        let written = app.pool.read(move |connection| {
            export::write(connection, export, owner.as_ref(), &origin, &mut |chunk| {
                // Whoever went away wants no more.
                sender.blocking_send(Ok(chunk.into())).map_err(|_| ExportError::Gone)
            })
        });
        match written.await {
            Ok(()) | Err(ExportError::Gone) => {}
            Err(error) => {
                tracing::error!(%error, "an export ended early");
                // A broken connection, so that nobody takes half of it for all.
                let _ = failed.send(Err(std::io::Error::other("the export could not be finished"))).await;
            }
        }
    });
    Ok(download(export.media_type(), export.file_name(), Body::from_stream(ReceiverStream::new(receiver))))
}
