//! SQLite in a file of its own.

use std::{
    fs::{File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use rusqlite::{
    params_from_iter,
    types::{ToSqlOutput, ValueRef},
    ToSql,
};

use super::{Answer, Connection, DbError, Purpose, Row, Target, Value};

/// Statements kept prepared: more than this crate has.
const STATEMENTS: usize = 128;

pub(super) struct Sqlite {
    connection: rusqlite::Connection,
    path: PathBuf,
    /// The lock of the one that writes, while this is it. The system lets go of it when the process ends.
    leader: Option<File>,
}

impl Sqlite {
    pub(super) fn open(path: &Path) -> Answer<Self> {
        let connection = rusqlite::Connection::open(path)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        // Readers and the one writer do not wait for each other. A block that the disk lost after a power
        // cut is read from the chain again, so a sync per block would buy nothing.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;
             PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY;",
        )?;
        Ok(Sqlite { connection, path: path.to_owned(), leader: None })
    }
}

impl Connection for Sqlite {
    fn execute(&mut self, sql: &str, args: &[Value]) -> Answer<u64> {
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.execute(params_from_iter(args))? as u64)
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Answer<Vec<Row>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut found = statement.query(params_from_iter(args))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let values = (0..columns).map(|column| value(row.get_ref(column)?)).collect::<Answer<_>>()?;
            rows.push(Row(values));
        }
        Ok(rows)
    }

    fn script(&mut self, sql: &str) -> Answer<()> {
        Ok(self.connection.execute_batch(sql)?)
    }

    fn put(&mut self, target: &Target, rows: &[Vec<Value>]) -> Answer<()> {
        let places: Vec<String> = (1..=target.columns.len()).map(|place| format!("?{place}")).collect();
        let sql = target.statement(&format!("VALUES ({})", places.join(", ")));
        let mut statement = self.connection.prepare_cached(&sql)?;
        for row in rows {
            statement.execute(params_from_iter(row))?;
        }
        Ok(())
    }

    fn bytes_type(&self) -> &'static str {
        "BLOB"
    }

    fn has_tables(&mut self) -> Answer<bool> {
        Ok(!self.query("SELECT 1 FROM sqlite_master WHERE name = 'meta'", &[])?.is_empty())
    }

    fn begin(&mut self, purpose: Purpose) -> Answer<()> {
        self.script(match purpose {
            Purpose::Read => "BEGIN",
            Purpose::Write => "BEGIN IMMEDIATE",
        })
    }

    fn try_lead(&mut self) -> Answer<bool> {
        if self.leader.is_some() {
            return Ok(true);
        }
        // SQLite would let two followers write in turns, each surprised by the other's blocks.
        let mut path = self.path.clone().into_os_string();
        path.push("-lock");
        let path = PathBuf::from(path);
        let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let cannot = |error| DbError::Lock { path: path.clone(), error };
        let file = opened.map_err(cannot)?;
        match file.try_lock() {
            Ok(()) => self.leader = Some(file),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(cannot(error)),
        }
        Ok(true)
    }
}

fn value(found: ValueRef) -> Answer<Value> {
    Ok(match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
        ValueRef::Real(number) => return Err(DbError::Foreign(format!("the fraction {number}"))),
    })
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Int(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
