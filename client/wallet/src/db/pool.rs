//! Connections for those who read.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::{finish, Answer, Connection, DbError, Place, Purpose};

/// A few connections, taken in turns. Each question sees one state of the database: that of one block.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

struct Inner {
    place: Place,
    idle: Mutex<Vec<Box<dyn Connection>>>,
    turns: Semaphore,
}

impl Inner {
    /// A connection in a transaction for questions.
    fn begun(&self) -> Answer<Box<dyn Connection>> {
        loop {
            let idle = self.idle.lock().pop();
            let Some(mut connection) = idle else { break };
            // One that lost its server while it was idle was asked nothing yet: another one is as good.
            if connection.begin(Purpose::Read).is_ok() {
                return Ok(connection);
            }
        }
        let mut connection = self.place.open()?;
        connection.begin(Purpose::Read)?;
        Ok(connection)
    }
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
            let mut connection = pool.begun()?;
            let result = work(&mut *connection);
            let (result, is_whole) = finish(&mut *connection, result);
            // One that may be broken is not used again.
            if is_whole {
                pool.idle.lock().push(connection);
            }
            result
        });
        task.await.map_err(|_| gone())?
    }
}
