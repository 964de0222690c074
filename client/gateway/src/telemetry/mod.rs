//! What operators see of the gateway: its log.

mod redact;

use tracing_subscriber::{
    fmt::writer::BoxMakeWriter, layer::SubscriberExt, reload, util::SubscriberInitExt, EnvFilter, Layer,
    Registry,
};

use crate::config::Operate;
use redact::Redacted;

/// What is logged; it can be changed.
pub struct LogFilter {
    handle: reload::Handle<EnvFilter, Registry>,
    is_fixed: bool,
}

impl LogFilter {
    /// Starts logging to standard error. `RUST_LOG` goes before the configuration's filter.
    pub fn start(operate: &Operate) -> Self {
        let from_environment = EnvFilter::try_from_default_env().ok();
        let is_fixed = from_environment.is_some();
        let filter = from_environment.unwrap_or_else(|| EnvFilter::new(&operate.log.filter));
        let (filter, handle) = reload::Layer::new(filter);
        let writer = BoxMakeWriter::new(|| Redacted::new(std::io::stderr()));
        let lines = tracing_subscriber::fmt::layer().with_writer(writer);
        let lines = match operate.log.json {
            true => lines.json().flatten_event(true).boxed(),
            false => lines.boxed(),
        };
        tracing_subscriber::registry().with(lines.with_filter(filter)).init();
        LogFilter { handle, is_fixed }
    }

    /// Logs by another filter from now on, unless `RUST_LOG` is set.
    pub fn set(&self, filter: &str) {
        if self.is_fixed {
            return;
        }
        if let Err(error) = self.handle.reload(EnvFilter::new(filter)) {
            tracing::error!(%error, "the log's filter stays as it is");
        }
    }
}
