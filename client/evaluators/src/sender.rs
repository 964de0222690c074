//! Sends what is in the journal to the ledger, one after the other.

use std::{
    fs::{File, TryLockError},
    path::Path,
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;

use crate::{
    ledger::{Ledger, LedgerError},
    store::{Act, Answer, Entry, Store},
};

/// Keeps a second sender away from a journal. Two would do no harm on the ledger but to each other's order.
pub struct Turn {
    _lock: File,
}

impl Turn {
    /// Takes the turn; `None` if another program has it.
    pub fn take(folder: &Path) -> std::io::Result<Option<Self>> {
        let lock = File::create(folder.join("sender.lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Turn { _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

/// How one step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is nothing to send.
    Idle,
    /// The ledger has taken an entry.
    Taken,
    /// The ledger refused an entry for good.
    Refused(String),
    /// The ledger cannot be asked; the entry stays.
    Unavailable(String),
}

/// Sends the next entry.
pub async fn step<L: Ledger>(store: &Arc<Mutex<Store>>, ledger: &L) -> Answer<Step> {
    let Some(Entry { number, act }) = blocking(store, Store::next_entry).await? else {
        return Ok(Step::Idle);
    };
    let told = match &act {
        Act::Record(outcome) => ledger.record(outcome).await,
        Act::Withdraw(revert) => ledger.withdraw(revert).await,
    };
    match told {
        Ok(()) => {
            blocking(store, move |store| store.taken(number)).await?;
            Ok(Step::Taken)
        }
        Err(LedgerError::Refused(why)) => {
            let noted = why.clone();
            blocking(store, move |store| store.refused(number, &noted)).await?;
            Ok(Step::Refused(why))
        }
        Err(LedgerError::Unavailable(why)) => Ok(Step::Unavailable(why)),
    }
}

/// Sends for ever; waits where there is nothing to send, or nobody who takes it.
pub async fn run<L: Ledger>(store: Arc<Mutex<Store>>, ledger: L, retry: Duration, told: impl Fn(&Step)) {
    loop {
        let step = step(&store, &ledger).await;
        match &step {
            Ok(step) => {
                match step {
                    Step::Refused(why) => tracing::error!(why, "the ledger refused an outcome for good"),
                    Step::Unavailable(why) => tracing::warn!(why, "the ledger cannot be asked; trying again"),
                    Step::Idle | Step::Taken => {}
                }
                told(step);
            }
            Err(error) => tracing::error!(%error, "the journal cannot be used"),
        }
        match step {
            Ok(Step::Taken | Step::Refused(_)) => {}
            Ok(Step::Idle) => tokio::time::sleep(retry.min(Duration::from_secs(1))).await,
            Ok(Step::Unavailable(_)) | Err(_) => tokio::time::sleep(retry).await,
        }
    }
}

/// Runs something on the journal where it may wait for the disk.
pub async fn blocking<T: Send + 'static>(
    store: &Arc<Mutex<Store>>,
    act: impl FnOnce(&mut Store) -> Answer<T> + Send + 'static,
) -> Answer<T> {
    let store = store.clone();
    let done = tokio::task::spawn_blocking(move || act(&mut store.lock())).await;
    // A panic in there has rolled its transaction back.
    done.unwrap_or_else(|panic| Err(std::io::Error::other(panic).into()))
}
