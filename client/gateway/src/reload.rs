//! Taking in another configuration while requests are served.
//!
//! A configuration is taken in whole or not at all. What cannot change without a restart is named in the
//! log and stays as it is.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::{
    config::{Config, Faults},
    server::TlsError,
    state::State,
};

/// Where configurations come from, and who else must know of them.
pub struct Reloads {
    incoming: mpsc::Receiver<Result<Config, Faults>>,
    set_filter: Box<dyn Fn(&str) + Send>,
}

impl Reloads {
    /// `set_filter` changes what is logged.
    pub fn new(
        incoming: mpsc::Receiver<Result<Config, Faults>>,
        set_filter: impl Fn(&str) + Send + 'static,
    ) -> Self {
        Reloads { incoming, set_filter: Box::new(set_filter) }
    }

    /// Takes in what comes, for as long as the gateway runs.
    pub(crate) async fn run(mut self, mut current: Config, state: Arc<State>) {
        while let Some(read) = self.incoming.recv().await {
            let [taken, refused] = &state.metrics.reloads;
            match self.take(read, &current, &state) {
                Ok(next) => {
                    current = next;
                    taken.inc();
                }
                Err(why) => {
                    tracing::error!(%why, "the configuration is not taken in: everything stays as it is");
                    refused.inc();
                }
            }
        }
        // Nobody reads the file any more; the gateway goes on as it is.
        std::future::pending().await
    }

    /// Takes one in; returns what is in force then.
    fn take(
        &self,
        read: Result<Config, Faults>,
        current: &Config,
        state: &State,
    ) -> Result<Config, NotTaken> {
        let mut next = read?;
        // What can fail comes first: after it nothing does.
        if next.expiry_margin().as_millis() > u128::from(state.expiry_margin_ms) {
            return Err(NotTaken::LongerAnswers);
        }
        let upstreams = state.upstreams.prepare(&next.upstreams).map_err(NotTaken::Authorities)?;
        if let (Some(tls), Some(files)) = (&state.tls, &next.operate.tls) {
            tls.reload(files)?;
        }
        let lasting = keep_lasting(&mut next, current);
        (self.set_filter)(&next.operate.log.filter);
        state.limits.set(next.limits.clone());
        state.metrics.know(&upstreams);
        state.upstreams.install(upstreams);
        state.upstreams.watch(&state.name);
        tracing::info!("the configuration is taken in");
        if !lasting.is_empty() {
            let names = lasting.join(", ");
            tracing::warn!(names, "these settings differ from those in force; they need a restart");
        }
        Ok(next)
    }
}

/// Why a configuration is not taken in.
#[derive(Debug, thiserror::Error)]
enum NotTaken {
    #[error(transparent)]
    Faults(#[from] Faults),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("a certificate of a `ca_file` cannot be used: {0}")]
    Authorities(std::io::Error),
    #[error(
        "the longest `answer_ms_max` and `client_stall_ms_max` together are more than when the gateway started, and \
         its reservations are made for that: restart it with this file, or make them shorter"
    )]
    LongerAnswers,
}

/// Puts back what needs a restart; names what differed.
fn keep_lasting(next: &mut Config, current: &Config) -> Vec<&'static str> {
    let mut named = Vec::new();
    let mut keep = |name, differs: bool| {
        if differs {
            named.push(name);
        }
    };
    keep("listen", next.listen != current.listen);
    keep("chain", next.chain != current.chain);
    keep("key_file", next.signer.public() != current.signer.public());
    keep("data_dir", next.data_dir != current.data_dir);
    keep("[reservations]", next.reservations != current.reservations);
    keep("[batch]", next.batch != current.batch);
    keep("[receipts]", next.receipts != current.receipts);
    keep("[jobs]", next.jobs != current.jobs);
    keep("[waste]", next.waste != current.waste);
    keep("json in [log]", next.operate.log.json != current.operate.log.json);
    keep("[otlp]", next.operate.otlp != current.operate.otlp);
    keep("[tls]", next.operate.tls.is_some() != current.operate.tls.is_some());
    keep("connections_max in [limits]", next.limits.connections_max != current.limits.connections_max);
    // A later reload is compared with what is in force, not with what was asked for.
    let asked = std::mem::replace(next, current.clone());
    next.limits = asked.limits;
    next.upstreams = asked.upstreams;
    next.limits.connections_max = current.limits.connections_max;
    next.operate.log.filter = asked.operate.log.filter;
    if next.operate.tls.is_some() && asked.operate.tls.is_some() {
        next.operate.tls = asked.operate.tls;
    }
    named
}
