//! SQLite in a file of its own.

use std::path::Path;

use rusqlite::{
    params_from_iter,
    types::{ToSqlOutput, ValueRef},
    ToSql,
};

use super::{Answer, Connection, DbError, Row, Value};

/// Statements kept prepared: more than this crate has.
const STATEMENTS: usize = 128;

pub(super) struct Sqlite(rusqlite::Connection);

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
        Ok(Sqlite(connection))
    }
}

impl Connection for Sqlite {
    fn execute(&mut self, sql: &str, args: &[Value]) -> Answer<u64> {
        let mut statement = self.0.prepare_cached(sql)?;
        Ok(statement.execute(params_from_iter(args))? as u64)
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Answer<Vec<Row>> {
        let mut statement = self.0.prepare_cached(sql)?;
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
        Ok(self.0.execute_batch(sql)?)
    }

    fn bytes_type(&self) -> &'static str {
        "BLOB"
    }

    fn begin(&mut self) -> Answer<()> {
        self.script("BEGIN")
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
