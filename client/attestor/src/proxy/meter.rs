//! Making durable what a request used.

use std::sync::{atomic::Ordering, Arc};

use stipend_openai::Counts;
use stipend_primitives::{cost::Usage, ModelId};

use crate::{config::ModelConfig, store::Ticket, App};

/// Meters one request. Dropped unused, it meters nothing and lets the request's digest go.
pub(super) struct Meter {
    app: Arc<App>,
    ticket: Ticket,
    model: ModelId,
    model_name: String,
    /// How often the engine counts the prompt: once per choice.
    choices: u64,
}

impl Meter {
    pub(super) fn new(app: Arc<App>, ticket: Ticket, model: &ModelConfig, choices: u64) -> Self {
        Meter { app, ticket, model: model.id, model_name: model.name.clone(), choices }
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
        self.app.store.meter(self.ticket, self.model, Usage::default()).await
    }

    /// Makes a usage durable.
    pub(super) async fn record_usage(self, usage: Usage) -> Result<(), stipend_receipt_log::Error> {
        let usage = self.misreported(usage);
        self.app.store.meter(self.ticket, self.model, usage).await?;
        self.app.metrics.requests.with_label_values(&["metered"]).inc();
        self.app.metrics.metered(&self.model_name, &usage, self.choices);
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
