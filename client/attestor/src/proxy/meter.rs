//! Making durable what a request used.

use std::sync::{atomic::Ordering, Arc};

use stipend_openai::{Endpoint, RequestView, UsageError};
use stipend_primitives::{cost::Usage, ModelId};

use crate::{config::ModelConfig, gpu::Flight, store::Ticket, App};

/// Meters one request. Dropped unused, it meters nothing and lets the request's digest go.
pub(super) struct Meter {
    app: Arc<App>,
    ticket: Ticket,
    model: ModelId,
    model_name: String,
    /// Choices asked for per prompt, and prompts.
    choices: u64,
    prompts: u64,
    /// Whether the engine's counters rise by what its answers say. Images are in none of them.
    is_counted: bool,
    flight: Flight,
}

impl Meter {
    pub(super) fn new(app: Arc<App>, ticket: Ticket, model: &ModelConfig, view: &RequestView) -> Self {
        let prompts = view.prompts_count();
        let choices = (view.generations_count() / prompts).max(1);
        let flight = app.gpu.begin();
        let is_counted = view.endpoint != Endpoint::Images;
        let (model, model_name) = (model.id, model.name.clone());
        Meter { app, ticket, model, model_name, choices, prompts, is_counted, flight }
    }

    /// Makes durable what a stream used. What cannot be metered is metered as nothing: a provider is paid
    /// for what is counted, never for what is guessed.
    pub(super) async fn record(
        self,
        usage: Result<Usage, UsageError>,
    ) -> Result<(), stipend_receipt_log::Error> {
        let error = match usage {
            Ok(usage) => return self.record_usage(usage).await,
            Err(error) => error,
        };
        tracing::warn!(model = self.model_name, %error, "a stream is metered as nothing");
        self.app.metrics.requests.with_label_values(&["unmetered"]).inc();
        self.store(Usage::default()).await
    }

    /// Makes a usage durable.
    pub(super) async fn record_usage(self, usage: Usage) -> Result<(), stipend_receipt_log::Error> {
        let usage = self.misreported(usage);
        let (app, name) = (self.app.clone(), self.model_name.clone());
        let (choices, prompts, is_counted) = (self.choices, self.prompts, self.is_counted);
        self.store(usage).await?;
        app.metrics.requests.with_label_values(&["metered"]).inc();
        app.metrics.metered(&name, &usage);
        if is_counted {
            app.metrics.counted(app.engine.kind(), &usage, choices, prompts);
        }
        Ok(())
    }

    async fn store(self, usage: Usage) -> Result<(), stipend_receipt_log::Error> {
        let (book, digest) = (self.ticket.book.clone(), self.ticket.digest);
        self.app.store.meter(self.ticket, self.model, usage).await?;
        // Before the gateway gets the answer's end: what it claims has ended.
        self.flight.end(book, digest);
        Ok(())
    }

    /// Understates the usage of the first requests if the attestor was told to: tests see by it that
    /// the chain notices.
    fn misreported(&self, usage: Usage) -> Usage {
        let left =
            self.app.misreport.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_err() {
            return usage;
        }
        tracing::warn!("MISREPORTING: a request's usage is halved, as --misreport-for-testing demands");
        Usage { input: usage.input / 2, cached_input: usage.cached_input / 2, output: usage.output / 2 }
    }
}
