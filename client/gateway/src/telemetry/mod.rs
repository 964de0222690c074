//! What operators see of the gateway: its log, and what a collector is sent.
//!
//! | module | job |
//! |---|---|
//! | `redact` | no secret gets into the log |
//! | `otlp`, `collector` | exporters, and their way to a collector |
//! | `span`, `outbox` | one span per request, a bounded number of them waiting |
//! | `figures` | histograms |
//! | `names` | what conventions call all of it |
//! | `losses` | what did not get there |

mod collector;
mod figures;
mod losses;
mod names;
mod otlp;
mod outbox;
mod redact;
mod span;

use std::io::IsTerminal;

use tracing_subscriber::{
    fmt::writer::BoxMakeWriter, layer::SubscriberExt, reload, util::SubscriberInitExt, EnvFilter, Layer,
    Registry,
};

use crate::config::Operate;
pub(crate) use figures::Figures;
pub(crate) use otlp::Otlp;
use redact::Redacted;
pub(crate) use span::{RequestSpan, RequestSpans, TRACEPARENT};

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
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(writer)
            // Colours are for people: a file or a journal would keep them as rubbish in every line.
            .with_ansi(std::io::stderr().is_terminal());
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
