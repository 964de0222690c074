//! Jobs of an earlier run.

use std::{io, path::Path, sync::Arc};

use stipend_primitives::evidence::EvidencePolicy;

use super::{
    cluster::Cluster,
    record::{Record, Stage},
    store::Store,
    table::Table,
    Job, Jobs,
};
use crate::{
    admission::Admitted, caps::Amounts, clock::now_ms, config::JobsConfig, credits::micro, prices::Quote,
    state::State, terms::Terms,
};

impl Jobs {
    /// Reads what an earlier run left; [`Jobs::restore`] takes it in.
    pub(crate) fn open(config: &JobsConfig, data_dir: &Path) -> io::Result<(Self, Vec<Record>)> {
        let store = Store::open(data_dir.join("jobs"))?;
        let records = store.load()?;
        let cluster = Arc::new(Cluster::new(config)?);
        Ok((Jobs { config: config.clone(), cluster, store, table: Table::default() }, records))
    }

    /// Holds again what was held. Ahead of everything that could hold or let go of the same credits.
    pub(crate) fn restore(&self, state: &State, mut records: Vec<Record>) {
        records.sort_by_key(Record::ended_at_ms);
        for record in records {
            let ended_at_ms = record.ended_at_ms();
            let admitted = ended_at_ms.is_none().then(|| admitted(state, &record));
            let kept_bytes = record.kept_bytes();
            // Whether the cluster has it, the first look says.
            let job = Arc::new(Job::new(record, admitted, true));
            self.table.restore(&job);
            if let Some(at_ms) = ended_at_ms {
                self.table.is_over(&job, kept_bytes, at_ms);
            }
        }
    }

    /// Holds jobs of an earlier run against their keys' caps, once the keys are known.
    pub(crate) fn restore_caps(&self, state: &State) {
        for job in self.table.pending() {
            let Ok(mut inner) = job.inner.try_lock() else { continue };
            let inner = &mut *inner;
            let (Some(admitted), Some(key)) = (&mut inner.admitted, state.keys.get(&inner.record.key)) else {
                continue;
            };
            // A receipt in the log was counted when it was read.
            let is_charged = match &inner.record.stage {
                Stage::Answered(answer) => state.kept.find(&answer.digest).is_some(),
                _ => false,
            };
            if !is_charged && !key.caps.is_none() {
                let most = Amounts {
                    credits: inner.record.held,
                    tokens: inner.record.bound.tokens(inner.record.max_tokens),
                };
                admitted.caps =
                    Some(key.used.hold_again(&key.caps, inner.record.entry.model, most, now_ms()));
            }
        }
    }
}

/// The request as it was admitted, with its credits held again.
fn admitted(state: &State, record: &Record) -> Admitted {
    let account = state.wallets.get_or_new(&record.owner).account_or_new(record.entry.class);
    Admitted {
        quote: Quote { book: record.book, entry: record.entry.clone() },
        // Where nobody serves the model any more, whoever begins is told so.
        servers: state.upstreams.of(&record.model).unwrap_or_default(),
        // Asked anew when it begins.
        evidence: EvidencePolicy::default(),
        bound: record.bound,
        max_tokens: record.max_tokens,
        terms: Terms::default(),
        key: record.key,
        base: account.hold_again(micro(record.held)),
        fee: None,
        caps: None,
    }
}
