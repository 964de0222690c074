//! PostgreSQL.

use std::{collections::HashMap, error::Error};

use bytes::BytesMut;
use postgres::{
    types::{to_sql_checked, FromSql, IsNull, ToSql, Type},
    Client, Statement,
};

use super::{Answer, Connection, DbError, Purpose, Row, Server, Target, Value};

/// Statements kept prepared: more than this crate has. Beyond that they are prepared anew.
const STATEMENTS: usize = 512;

/// Names the right to write among the advisory locks of a database: `stipend-` in ASCII.
const LEADER: i64 = i64::from_be_bytes(*b"stipend-");

/// Rows written by one statement.
const ROWS: usize = 5_000;

pub(super) struct Postgres {
    /// `None` only while it is dropped.
    client: Option<Client>,
    statements: HashMap<String, Statement>,
}

impl Postgres {
    pub(super) fn open(server: &Server) -> Answer<Self> {
        let mut client = server.connect()?;
        // A block that the disk lost after a power cut is read from the chain again, so waiting for the disk
        // at each would buy nothing.
        client.batch_execute("SET synchronous_commit = off").map_err(refused)?;
        Ok(Postgres { client: Some(client), statements: HashMap::new() })
    }

    fn client(&mut self) -> Answer<&mut Client> {
        self.client.as_mut().ok_or_else(|| DbError::Postgres("the connection is closed".into()))
    }

    /// The statement of `sql`, prepared once.
    fn statement(&mut self, sql: &str) -> Answer<Statement> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let translated = translate(sql);
        self.prepare(sql.to_owned(), &translated)
    }

    fn prepare(&mut self, name: String, sql: &str) -> Answer<Statement> {
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        let statement = self.client()?.prepare(sql).map_err(refused)?;
        self.statements.insert(name, statement.clone());
        Ok(statement)
    }

    /// The statement that writes arrays, one per column, into a table.
    fn writer(&mut self, target: &Target) -> Answer<Statement> {
        let name = target.statement("");
        if let Some(statement) = self.statements.get(&name) {
            return Ok(statement.clone());
        }
        // The table itself knows its columns' types.
        let shape = format!("SELECT {} FROM {} LIMIT 0", target.columns.join(", "), target.table);
        let shape = self.client()?.prepare(&shape).map_err(refused)?;
        let types = shape.columns().iter().map(|column| column.type_().name().to_owned());
        let arrays: Vec<String> = types.zip(1..).map(|(name, place)| format!("${place}::{name}[]")).collect();
        let sql = target.statement(&format!("SELECT * FROM UNNEST({})", arrays.join(", ")));
        self.prepare(name, &sql)
    }
}

impl Drop for Postgres {
    /// Saying goodbye waits for the server, and a thread that drives asynchronous code may not wait.
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        if tokio::runtime::Handle::try_current().is_err() {
            return drop(client);
        }
        if let Err(error) = std::thread::Builder::new().spawn(move || drop(client)) {
            tracing::warn!(%error, "no thread to close a connection on");
        }
    }
}

impl Connection for Postgres {
    fn execute(&mut self, sql: &str, args: &[Value]) -> Answer<u64> {
        let statement = self.statement(sql)?;
        self.client()?.execute(&statement, &places(args)).map_err(refused)
    }

    fn query(&mut self, sql: &str, args: &[Value]) -> Answer<Vec<Row>> {
        let statement = self.statement(sql)?;
        let rows = self.client()?.query(&statement, &places(args)).map_err(refused)?;
        let row = |row: &postgres::Row| {
            let values = (0..row.len()).map(|column| row.try_get(column).map_err(refused));
            Ok(Row(values.collect::<Answer<_>>()?))
        };
        rows.iter().map(row).collect()
    }

    fn script(&mut self, sql: &str) -> Answer<()> {
        self.client()?.batch_execute(sql).map_err(refused)
    }

    fn put(&mut self, target: &Target, rows: &[Vec<Value>]) -> Answer<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let statement = self.writer(target)?;
        for rows in rows.chunks(ROWS) {
            let columns: Vec<Vec<&Value>> = (0..target.columns.len())
                .map(|column| rows.iter().map(|row| &row[column]).collect())
                .collect();
            let args: Vec<&(dyn ToSql + Sync)> = columns.iter().map(|column| column as _).collect();
            self.client()?.execute(&statement, &args).map_err(refused)?;
        }
        Ok(())
    }

    fn bytes_type(&self) -> &'static str {
        "BYTEA"
    }

    fn has_tables(&mut self) -> Answer<bool> {
        let sql = "SELECT 1::bigint FROM pg_catalog.pg_class WHERE oid = to_regclass('meta')";
        Ok(!self.query(sql, &[])?.is_empty())
    }

    fn begin(&mut self, purpose: Purpose) -> Answer<()> {
        let access = match purpose {
            Purpose::Read => "READ ONLY",
            Purpose::Write => "READ WRITE",
        };
        self.script(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ {access}"))
    }

    fn try_lead(&mut self) -> Answer<bool> {
        // A session that holds the lock gets it again, and holds it until it ends.
        let sql = "SELECT CASE WHEN pg_try_advisory_lock($1) THEN 1::bigint ELSE 0::bigint END";
        self.query(sql, &[LEADER.into()])?.first().map_or(Ok(false), |row| row.flag(0))
    }
}

fn places(args: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    args.iter().map(|value| value as _).collect()
}

/// `?1` as `$1`. No statement of this crate has a question mark that is none of these.
fn translate(sql: &str) -> String {
    sql.replace('?', "$")
}

/// An error with all that it says; there is no argument of a statement in it.
pub(super) fn refused(error: postgres::Error) -> DbError {
    let mut text = match error.as_db_error() {
        Some(said) => said.message().to_owned(),
        None => error.to_string(),
    };
    let mut cause = error.as_db_error().is_none().then(|| error.source()).flatten();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    DbError::Postgres(text)
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self, kind) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Int(number), &Type::INT8) => number.to_sql(kind, out),
            (Value::Int(number), &Type::INT4) => i32::try_from(*number)?.to_sql(kind, out),
            (Value::Text(text), &Type::TEXT) => text.to_sql(kind, out),
            (Value::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(kind, out),
            _ => Err(format!("a value of another kind where {kind} belongs").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'v> FromSql<'v> for Value {
    fn from_sql(kind: &Type, raw: &'v [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(match *kind {
            Type::INT8 => Value::Int(i64::from_sql(kind, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(kind, raw)?.into()),
            Type::BYTEA => Value::Bytes(raw.to_vec()),
            _ => Value::Text(String::from_sql(kind, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Value::Null)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::INT8 | Type::INT4 | Type::BYTEA | Type::TEXT | Type::VARCHAR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_called_as_postgresql_calls_them() {
        assert_eq!(translate("a = ?1 AND b IN (?2, ?10)"), "a = $1 AND b IN ($2, $10)");
    }
}
