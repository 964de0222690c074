//! What the ledger is to be told, in order.
//!
//! An entry is marked before it is sent for the first time. One that was never marked was surely not sent, so a
//! revert takes it out instead of adding another; one that was marked is sent again after a crash, and the ledger knows
//! it by its evidence.

use rusqlite::{params, Connection, OptionalExtension};

use super::{awards::outcome, Answer, Store};
use crate::outcome::{Evidence, Outcome, Revert};

/// What the ledger is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Record an outcome.
    Record(Outcome),
    /// Take one back.
    Withdraw(Revert),
}

/// An entry that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number: entries are sent in this order.
    pub number: i64,
    /// What it says.
    pub act: Act,
}

/// How many there are of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Entries that the ledger has not taken yet.
    pub waiting: u64,
    /// Entries that it refused.
    pub refused: u64,
    /// Outcomes that stand.
    pub standing: u64,
    /// Outcomes that were taken back.
    pub withdrawn: u64,
    /// Merges that are held.
    pub held: u64,
    /// Receipts that were handed in.
    pub receipts: u64,
}

impl Store {
    /// The next entry to send, marked as sent.
    pub fn next_entry(&mut self) -> Answer<Option<Entry>> {
        self.transaction(|connection, _| {
            let found = connection
                .query_row(
                    "SELECT number, act, evidence FROM outbox WHERE state IN ('waiting', 'sent')
                     ORDER BY number LIMIT 1",
                    [],
                    |row| Ok((row.get(0)?, row.get::<_, String>(1)?, Evidence(row.get(2)?))),
                )
                .optional()?;
            let Some((number, act, evidence)) = found else { return Ok(None) };
            set(connection, number, "sent", None)?;
            let outcome = outcome(connection, evidence)?;
            let act = match act.as_str() {
                "record" => Act::Record(outcome),
                _ => Act::Withdraw(Revert { kind: outcome.kind, evidence }),
            };
            Ok(Some(Entry { number, act }))
        })
    }

    /// The ledger has taken an entry.
    pub fn taken(&mut self, number: i64) -> Answer<()> {
        self.transaction(|connection, _| set(connection, number, "taken", None))
    }

    /// The ledger will never take an entry.
    pub fn refused(&mut self, number: i64, why: &str) -> Answer<()> {
        self.transaction(|connection, _| set(connection, number, "refused", Some(why)))
    }

    /// Has the ledger told again what it refused, for when the reason is gone; answers how much that is.
    pub fn retry(&mut self) -> Answer<usize> {
        self.transaction(|connection, _| {
            Ok(connection.execute("UPDATE outbox SET state = 'waiting' WHERE state = 'refused'", [])?)
        })
    }

    /// How many there are of what.
    pub fn figures(&self) -> Answer<Figures> {
        let count = |sql: &str| -> Answer<u64> {
            let count: i64 = self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
            Ok(count as u64)
        };
        Ok(Figures {
            waiting: count("SELECT count(*) FROM outbox WHERE state IN ('waiting', 'sent')")?,
            refused: count("SELECT count(*) FROM outbox WHERE state = 'refused'")?,
            standing: count("SELECT count(*) FROM outcomes WHERE withdrawn IS NULL")?,
            withdrawn: count("SELECT count(*) FROM outcomes WHERE withdrawn IS NOT NULL")?,
            held: count("SELECT count(*) FROM merges WHERE state = 'held'")?,
            receipts: count("SELECT count(*) FROM receipts")?,
        })
    }

    /// Takes back what something earned. Whether there was anything to take back is answered.
    pub fn withdraw(&mut self, subject: &str, why: &str) -> Answer<bool> {
        self.transaction(|connection, _| withdraw(connection, subject, why))
    }
}

fn set(connection: &Connection, number: i64, state: &str, why: Option<&str>) -> Answer<()> {
    connection
        .execute("UPDATE outbox SET state = ?2, why = ?3 WHERE number = ?1", params![number, state, why])?;
    Ok(())
}

/// Adds an entry at the end.
pub(super) fn push(connection: &Connection, act: &str, evidence: &Evidence) -> Answer<()> {
    let insert = "INSERT INTO outbox (act, evidence, state) VALUES (?1, ?2, 'waiting')";
    connection.execute(insert, params![act, evidence.0])?;
    Ok(())
}

/// Takes back within a transaction.
pub(super) fn withdraw(connection: &Connection, subject: &str, why: &str) -> Answer<bool> {
    let sql = "SELECT evidence FROM outcomes WHERE subject = ?1 AND withdrawn IS NULL ORDER BY evidence";
    let standing: Vec<[u8; 32]> =
        connection.prepare_cached(sql)?.query_map([subject], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for evidence in &standing {
        connection
            .execute("UPDATE outcomes SET withdrawn = ?2 WHERE evidence = ?1", params![evidence, why])?;
        let unsent = "UPDATE outbox SET state = 'cancelled', why = ?2
                      WHERE act = 'record' AND evidence = ?1 AND state IN ('waiting', 'refused')";
        if connection.execute(unsent, params![evidence, why])? == 0 {
            push(connection, "withdraw", &Evidence(*evidence))?;
        }
    }
    Ok(!standing.is_empty())
}
