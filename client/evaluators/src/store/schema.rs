//! The tables.

use rusqlite::{Connection, OptionalExtension};
use sp_core::H256;

use super::{Answer, StoreError};

/// Layout of the tables.
const VERSION: &str = "1";

const SCHEMA: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE deliveries (
    forge TEXT NOT NULL, delivery TEXT NOT NULL, body BLOB NOT NULL, moment INTEGER NOT NULL,
    PRIMARY KEY (forge, delivery), UNIQUE (forge, body));
CREATE TABLE receipts (
    id BLOB PRIMARY KEY, wallet BLOB NOT NULL, gateway BLOB NOT NULL, sequence INTEGER NOT NULL,
    model TEXT NOT NULL, class INTEGER NOT NULL, cost TEXT NOT NULL, document BLOB NOT NULL);
CREATE TABLE commits (
    repository TEXT NOT NULL, hash TEXT NOT NULL, head TEXT NOT NULL, place INTEGER NOT NULL,
    receipts TEXT NOT NULL, malformed INTEGER NOT NULL, PRIMARY KEY (repository, hash));
CREATE INDEX commits_of_push ON commits (repository, head, place);
CREATE TABLE merges (
    subject TEXT PRIMARY KEY, repository TEXT NOT NULL, number INTEGER NOT NULL, title TEXT NOT NULL,
    hash TEXT NOT NULL, receipts TEXT NOT NULL, malformed INTEGER NOT NULL, purpose TEXT,
    moment INTEGER NOT NULL, state TEXT NOT NULL, UNIQUE (repository, number));
CREATE INDEX merges_by_hash ON merges (repository, hash);
CREATE INDEX merges_that_wait ON merges (state, moment);
CREATE TABLE reverts (
    repository TEXT NOT NULL, target TEXT NOT NULL, source TEXT NOT NULL,
    PRIMARY KEY (repository, target, source));
CREATE INDEX reverts_by_source ON reverts (repository, source);
CREATE TABLE experiments (name TEXT PRIMARY KEY, declaration TEXT NOT NULL, moment INTEGER NOT NULL);
CREATE TABLE subjects (
    subject TEXT PRIMARY KEY, moment INTEGER NOT NULL, why TEXT, report BLOB NOT NULL);
CREATE TABLE outcomes (
    evidence BLOB PRIMARY KEY, subject TEXT NOT NULL REFERENCES subjects (subject), kind TEXT NOT NULL,
    wallet BLOB NOT NULL, weight INTEGER NOT NULL, purpose TEXT, receipts TEXT NOT NULL, withdrawn TEXT);
CREATE INDEX outcomes_of_subject ON outcomes (subject);
CREATE TABLE claims (
    kind TEXT NOT NULL, receipt BLOB NOT NULL, evidence BLOB NOT NULL, PRIMARY KEY (kind, receipt));
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, act TEXT NOT NULL,
    evidence BLOB NOT NULL REFERENCES outcomes (evidence), state TEXT NOT NULL, why TEXT,
    UNIQUE (act, evidence));
CREATE INDEX outbox_by_state ON outbox (state, number);
";

/// Makes the tables where there are none; refuses those of another chain or layout.
pub(super) fn prepare(connection: &Connection, genesis: H256) -> Answer<()> {
    let genesis = format!("{genesis:?}");
    let is_there: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'meta')",
        [],
        |row| row.get(0),
    )?;
    if !is_there {
        connection.execute_batch(SCHEMA)?;
        let insert = "INSERT INTO meta (name, value) VALUES (?1, ?2)";
        connection.execute(insert, ["version", VERSION])?;
        connection.execute(insert, ["genesis", &genesis])?;
        return Ok(());
    }
    let value = |name: &str| -> Answer<String> {
        let found = connection
            .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0))
            .optional()?;
        Ok(found.unwrap_or_default())
    };
    let version = value("version")?;
    if version != VERSION {
        return Err(StoreError::Foreign(format!("layout `{version}`, not `{VERSION}`")));
    }
    let known = value("genesis")?;
    if known != genesis {
        return Err(StoreError::Foreign(format!("the chain {known}, not {genesis}")));
    }
    Ok(())
}
