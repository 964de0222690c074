//! Connections for those who read.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{transaction, Connection, DbError, Place};

/// A few connections, taken in turns. Each question sees one state of the database: that of one block.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

struct Inner {
    place: Place,
    idle: Mutex<Vec<Box<dyn Connection>>>,
    turns: Semaphore,
}

impl Pool {
    /// A pool of at most `connections`, opened when they are needed.
    pub fn new(place: Place, connections: usize) -> Self {
        Pool(Arc::new(Inner { place, idle: Mutex::default(), turns: Semaphore::new(connections) }))
    }

    /// Runs `work` in a transaction on a thread that may block.
    pub async fn read<R, E>(
        &self,
        work: impl FnOnce(&mut dyn Connection) -> Result<R, E> + Send + 'static,
    ) -> Result<R, E>
    where
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let pool = self.0.clone();
        let gone = || DbError::Foreign("no answer: the thread that asked ended".into());
        let _turn = self.0.turns.acquire().await.map_err(|_| gone())?;
        let task = tokio::task::spawn_blocking(move || {
            let idle = pool.idle.lock().pop();
            let mut connection = match idle {
                Some(connection) => connection,
                None => pool.place.open()?,
            };
            let result = transaction(&mut *connection, work);
            // A connection that failed may be broken: it is not used again.
            if result.is_ok() {
                pool.idle.lock().push(connection);
            }
            result
        });
        task.await.map_err(|_| gone())?
    }
}
