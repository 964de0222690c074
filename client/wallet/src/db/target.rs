//! Many rows at a time.

use super::{Answer, Connection, Row, Value};

/// Keys in one question: few enough that one statement of this length stays prepared.
const KEYS: usize = 64;

/// A table as rows are written to it.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name.
    pub table: &'static str,
    /// The columns that are written.
    pub columns: &'static [&'static str],
    /// How many of them, from the first, name a row. A row that is there gets the other columns' new
    /// values. With 0 every row has to be new.
    pub keys: usize,
}

impl Target {
    /// The statement that writes what `source` gives: `VALUES …`, or a `SELECT`.
    pub(super) fn statement(&self, source: &str) -> String {
        let Target { table, columns, keys } = self;
        let mut sql = format!("INSERT INTO {table} ({}) {source}", columns.join(", "));
        if *keys > 0 {
            let (named, others) = columns.split_at(*keys);
            let set: Vec<String> =
                others.iter().map(|column| format!("{column} = excluded.{column}")).collect();
            sql.push_str(&format!(" ON CONFLICT ({}) DO UPDATE SET {}", named.join(", "), set.join(", ")));
        }
        sql
    }
}

/// Asks for the rows of many keys. `KEYS` in `sql` becomes their places, which follow those of `before`.
/// The rows come in no order.
pub fn query_many(
    connection: &mut dyn Connection,
    sql: &str,
    before: &[Value],
    keys: &[Value],
) -> Answer<Vec<Row>> {
    let places: Vec<String> = (1..=KEYS).map(|at| format!("?{}", before.len() + at)).collect();
    let sql = sql.replace("KEYS", &places.join(", "));
    let mut rows = Vec::new();
    for keys in keys.chunks(KEYS) {
        // Filled up with the last one, so that it is one statement for any number of keys.
        let last = keys.last().into_iter().cycle();
        let args: Vec<Value> = before.iter().chain(keys.iter().chain(last).take(KEYS)).cloned().collect();
        rows.extend(connection.query(&sql, &args)?);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_with_a_key_replace_and_rows_without_one_are_new() {
        let target = Target { table: "t", columns: &["a", "b", "c"], keys: 1 };
        assert_eq!(
            target.statement("VALUES (?1, ?2, ?3)"),
            "INSERT INTO t (a, b, c) VALUES (?1, ?2, ?3) ON CONFLICT (a) DO UPDATE SET b = excluded.b, c = excluded.c"
        );
        assert!(!Target { keys: 0, ..target }.statement("VALUES (?1)").contains("CONFLICT"));
    }
}
