//! The tables as text, in one order: two dumps of one chain at one height are the same bytes.

use std::io::Write;

use crate::db::{Connection, DbError, Value, TABLES};

/// Rows asked for at a time.
const ROWS: u32 = 5_000;

/// Why a dump is not whole.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The database refused.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The dump could not be written.
    #[error("the dump could not be written: {0}")]
    Io(#[from] std::io::Error),
}

/// Writes all tables: a line with the table's name, then a line of tab-separated values per row.
pub fn dump(connection: &mut dyn Connection, out: &mut dyn Write) -> Result<(), DumpError> {
    for (table, order) in TABLES {
        writeln!(out, "# {table}")?;
        let keys = order.split(", ").count();
        let places: Vec<String> = (1..=keys).map(|place| format!("?{place}")).collect();
        let select = format!("SELECT {order}, {table}.* FROM {table}");
        let first = format!("{select} ORDER BY {order} LIMIT {ROWS}");
        let next =
            format!("{select} WHERE ({order}) > ({}) ORDER BY {order} LIMIT {ROWS}", places.join(", "));
        let mut rows = connection.query(&first, &[])?;
        while let Some(last) = rows.last() {
            let last = last.0[..keys].to_vec();
            for row in &rows {
                let line: Vec<String> = row.0[keys..].iter().map(shown).collect();
                writeln!(out, "{}", line.join("\t"))?;
            }
            rows = connection.query(&next, &last)?;
        }
    }
    Ok(())
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.replace(['\t', '\n'], " "),
        Value::Bytes(bytes) => format!("0x{}", hex::encode(bytes)),
    }
}
