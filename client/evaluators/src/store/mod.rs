//! The journal: what came in, what was judged, and what the ledger is still to be told. SQLite, one file.
//!
//! What a webhook changes is written in one transaction, on the disk before it is acknowledged. Everything is
//! named by what it is and not by when it came (a merge by repository and number, an outcome by the hash of its report),
//! so whatever is done again after a crash changes nothing.

mod awards;
mod experiments;
mod merges;
mod outbox;
mod receipts;
mod reverts;
mod schema;
#[cfg(test)]
mod tests;

use std::{io, path::Path, time::Duration};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use sp_core::H256;

pub use awards::{Award, Awarded};
pub use merges::{Delivery, Judged, Taken};
pub use outbox::{Act, Entry, Figures};
pub use receipts::HandedIn;

use crate::report::Reports;

/// How long one program waits for another that writes.
const BUSY_MAX: Duration = Duration::from_secs(30);

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed.
    #[error("the journal cannot be used: {0}")]
    Sql(#[from] rusqlite::Error),
    /// A report could not be written, or the folder not be made.
    #[error("a report cannot be kept: {0}")]
    Report(#[from] io::Error),
    /// The journal is another one's.
    #[error("the journal in this folder is of {0}; use another `data_dir`")]
    Foreign(String),
    /// Something in the journal is not what this program writes.
    #[error("the journal holds {0}, which this program did not write; put its backup back")]
    Damaged(String),
}

/// What most functions here answer.
pub type Answer<T> = Result<T, StoreError>;

/// An open journal.
pub struct Store {
    connection: Connection,
    reports: Reports,
}

impl Store {
    /// Opens the journal of a folder for the chain of `genesis`, making both if they are not there.
    pub fn open(folder: &Path, genesis: H256) -> Answer<Self> {
        std::fs::create_dir_all(folder)?;
        let reports = Reports::open(folder.join("reports"))?;
        let connection = Connection::open(folder.join("journal.db"))?;
        connection.busy_timeout(BUSY_MAX)?;
        // Nothing in here can be had again, so every commit is on the disk.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
        )?;
        let mut store = Store { connection, reports };
        store.transaction(|transaction, _| schema::prepare(transaction, genesis))?;
        Ok(store)
    }

    /// The folder of reports.
    pub fn reports(&self) -> &Reports {
        &self.reports
    }

    fn transaction<T>(&mut self, act: impl FnOnce(&Transaction, &Reports) -> Answer<T>) -> Answer<T> {
        // Writing from the start: one that begins with reading could meet another's write halfway.
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = act(&transaction, &self.reports)?;
        transaction.commit()?;
        Ok(done)
    }
}
