//! Where outcomes go.

use std::future::Future;

use crate::outcome::{Outcome, Revert};

/// A ledger that outcomes are recorded in.
///
/// Both acts may be asked for again after a crash, so a ledger knows an outcome by its evidence: recording it
/// twice, or withdrawing it twice, changes nothing and is no error.
pub trait Ledger: Send + Sync {
    /// Records an outcome; returns when that can no longer be undone.
    fn record(&self, outcome: &Outcome) -> impl Future<Output = Result<(), LedgerError>> + Send;

    /// Takes an outcome back; returns when that can no longer be undone.
    fn withdraw(&self, revert: &Revert) -> impl Future<Output = Result<(), LedgerError>> + Send;
}

/// Why a ledger did not take something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// It will never take it.
    #[error("the ledger refused: {0}")]
    Refused(String),
    /// It cannot be asked at present, or whether it took it is not known. Asking again is right.
    #[error("the ledger cannot be reached: {0}; it is asked again")]
    Unavailable(String),
}
