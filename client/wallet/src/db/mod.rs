//! The database: SQLite in a file, behind one small interface.
//!
//! Statements keep to what PostgreSQL understands too, so that a second implementation of [`Connection`] is
//! all that another database takes. Amounts are decimal text, so that no figure is ever cut to 64 bits, and are added up
//! in Rust.

mod pool;
mod schema;
mod sqlite;
mod value;

use std::path::PathBuf;

pub use pool::Pool;
pub use schema::{clear, prepare, TABLES};
pub use value::{Row, Value};

/// Why the database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// SQLite refused.
    #[error("the SQLite database refused: {0}; look whether the file can be written and the disk has room")]
    Sqlite(#[from] rusqlite::Error),
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
}

/// One connection.
pub trait Connection: Send {
    /// Carries a statement out.
    fn execute(&mut self, sql: &str, args: &[Value]) -> Answer<u64>;

    /// Asks for rows.
    fn query(&mut self, sql: &str, args: &[Value]) -> Answer<Vec<Row>>;

    /// Carries out several statements without arguments.
    fn script(&mut self, sql: &str) -> Answer<()>;

    /// How this database calls a column of bytes.
    fn bytes_type(&self) -> &'static str;

    /// Begins a transaction that sees one state of the database until its end.
    fn begin(&mut self) -> Answer<()>;
}

impl Place {
    /// Opens a connection.
    pub fn open(&self) -> Answer<Box<dyn Connection>> {
        Ok(match self {
            Place::Sqlite(path) => Box::new(sqlite::Sqlite::open(path)?),
        })
    }
}

/// Runs `work` in a transaction: all of it, or nothing.
pub fn transaction<R, E: From<DbError>>(
    connection: &mut dyn Connection,
    work: impl FnOnce(&mut dyn Connection) -> Result<R, E>,
) -> Result<R, E> {
    connection.begin()?;
    match work(connection) {
        Ok(result) => {
            connection.script("COMMIT")?;
            Ok(result)
        }
        Err(error) => {
            // The first error says more than one of undoing would.
            let _ = connection.script("ROLLBACK");
            Err(error)
        }
    }
}
