//! The database: SQLite in a file, or PostgreSQL, behind one small interface.
//!
//! Statements keep to what both understand. Amounts are decimal text, so that no figure is ever cut to 64 bits, and are
//! added up in Rust.

mod pool;
mod postgres;
mod schema;
mod server;
mod sqlite;
mod target;
mod value;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

pub use pool::Pool;
pub use schema::{clear, prepare, TABLES};
pub use server::Server;
pub use target::{query_many, Target};
pub use value::{Row, Value};

/// How long a follower waits for the one before it to be gone: a server may take a moment to notice a kill.
const TAKEN_WAIT: Duration = Duration::from_secs(5);

/// Pause between two looks whether it is gone.
const TAKEN_PAUSE: Duration = Duration::from_millis(50);

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// SQLite refused.
    #[error("the SQLite database refused: {0}; look whether the file can be written and the disk has room")]
    Sqlite(#[from] rusqlite::Error),
    /// The file that keeps two followers apart cannot be opened.
    #[error("{path} cannot be opened: {error}; this program must be able to write beside its database")]
    Lock {
        /// The file.
        path: PathBuf,
        /// Why not.
        error: std::io::Error,
    },
    /// PostgreSQL refused, or cannot be reached. The server's own words.
    #[error("PostgreSQL: {0}; look whether the server of `database` runs and lets this program in")]
    Postgres(String),
    /// There is no encrypted connection to PostgreSQL.
    #[error("no encrypted connection to PostgreSQL: {0}")]
    Tls(String),
    /// Another follower writes.
    #[error(
        "another `stipend-wallet` writes to this database: end that one first, or give this one a database of its own"
    )]
    Taken,
    /// The database holds something else than was written.
    #[error("the database holds {0}, which this program did not write; make it anew with `stipend-wallet rebuild`")]
    Foreign(String),
}

/// Result of a question to the database.
pub type Answer<T> = Result<T, DbError>;

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file of SQLite's.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server.
    Postgres(Server),
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Questions only.
    Read,
    /// Changes too.
    Write,
}

/// One connection. It blocks: asynchronous code uses it on threads that may, and may drop it anywhere.
pub trait Connection: Send {
    /// Carries a statement out.
    fn execute(&mut self, sql: &str, args: &[Value]) -> Answer<u64>;

    /// Asks for rows.
    fn query(&mut self, sql: &str, args: &[Value]) -> Answer<Vec<Row>>;

    /// Carries out several statements without arguments.
    fn script(&mut self, sql: &str) -> Answer<()>;

    /// Writes rows, each with a value for every column of `target`.
    fn put(&mut self, target: &Target, rows: &[Vec<Value>]) -> Answer<()>;

    /// How this database calls a column of bytes.
    fn bytes_type(&self) -> &'static str;

    /// Whether there are tables.
    fn has_tables(&mut self) -> Answer<bool>;

    /// Begins a transaction that sees one state of the database until its end.
    fn begin(&mut self, purpose: Purpose) -> Answer<()>;

    /// Claims to be the only one that writes, until the connection ends; `false` if another is. Claiming
    /// again changes nothing.
    fn try_lead(&mut self) -> Answer<bool>;
}

impl Place {
    /// Opens a connection.
    pub fn open(&self) -> Answer<Box<dyn Connection>> {
        Ok(match self {
            Place::Sqlite(path) => Box::new(sqlite::Sqlite::open(path)?),
            Place::Postgres(server) => Box::new(postgres::Postgres::open(server)?),
        })
    }
}

/// Makes a connection the only one that writes, or says that another is.
pub fn lead(connection: &mut dyn Connection) -> Answer<()> {
    let began = Instant::now();
    while !connection.try_lead()? {
        if began.elapsed() > TAKEN_WAIT {
            return Err(DbError::Taken);
        }
        std::thread::sleep(TAKEN_PAUSE);
    }
    Ok(())
}

/// Runs `work` in a transaction: all of it, or nothing.
pub fn transaction<R, E: From<DbError>>(
    connection: &mut dyn Connection,
    work: impl FnOnce(&mut dyn Connection) -> Result<R, E>,
) -> Result<R, E> {
    connection.begin(Purpose::Write)?;
    let result = work(connection);
    finish(connection, result).0
}

/// Runs questions in a transaction: they see one state of the database.
pub fn snapshot<R, E: From<DbError>>(
    connection: &mut dyn Connection,
    work: impl FnOnce(&mut dyn Connection) -> Result<R, E>,
) -> Result<R, E> {
    connection.begin(Purpose::Read)?;
    let result = work(connection);
    finish(connection, result).0
}

/// Ends a transaction, and says whether the connection is good for another one.
fn finish<R, E: From<DbError>>(
    connection: &mut dyn Connection,
    result: Result<R, E>,
) -> (Result<R, E>, bool) {
    match result {
        Ok(result) => match connection.script("COMMIT") {
            Ok(()) => (Ok(result), true),
            Err(error) => (Err(error.into()), false),
        },
        Err(error) => {
            // The first error says more than one of undoing would.
            let undone = connection.script("ROLLBACK").is_ok();
            (Err(error), undone)
        }
    }
}
