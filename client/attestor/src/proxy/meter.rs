//! Making durable what a request used.

use std::sync::{atomic::Ordering, Arc};

use stipend_openai::{Counts, RequestView};
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
    flight: Flight,
}

impl Meter {
    pub(super) fn new(app: Arc<App>, ticket: Ticket, model: &ModelConfig, view: &RequestView) -> Self {
        let prompts = view.prompts_count();
        let choices = view.generations_count() / prompts;
        let flight = app.gpu.begin();
        Meter { app, ticket, model: model.id, model_name: model.name.clone(), choices, prompts, flight }
    }

    /// Makes the counts durable. `None`, or counts that cannot be, are metered as nothing: a
    /// provider is paid for what is counted, never for what is guessed.
    pub(super) async fn record(self, counts: Option<Counts>) -> Result<(), stipend_receipt_log::Error> {
        let outcome = match counts.map(|counts| counts.usage()) {
            Some(Ok(usage)) => return self.record_usage(usage).await,
            Some(Err(error)) => error.to_string(),
            None => "the engine gave no usage".to_string(),
        };
        tracing::warn!(model = self.model_name, outcome, "a stream is metered as nothing");
        self.app.metrics.requests.with_label_values(&["unmetered"]).inc();
        self.store(Usage::default()).await
    }

    /// Makes a usage durable.
    pub(super) async fn record_usage(self, usage: Usage) -> Result<(), stipend_receipt_log::Error> {
        let usage = self.misreported(usage);
        let (app, name, choices, prompts) =
            (self.app.clone(), self.model_name.clone(), self.choices, self.prompts);
        self.store(usage).await?;
        app.metrics.requests.with_label_values(&["metered"]).inc();
        app.metrics.metered(app.engine.kind(), &name, &usage, choices, prompts);
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
