//! The tables.
//!
//! Accounts and what they hold are numbered in the order in which the chain names them, so that building
//! the tables again gives the same numbers. Receipts are written once and never changed: their refunds and
//! energy follow from `items` and `refunds`.

use super::{Answer, Connection, DbError};

/// Layout of the tables; another one is built anew from the chain.
const VERSION: &str = "2";

/// The tables, and the columns that a dump is sorted by.
pub const TABLES: &[(&str, &str)] = &[
    ("meta", "name"),
    ("blocks", "height"),
    ("accounts", "id"),
    ("classes", "id"),
    ("prices", "book, model"),
    ("receipts", "gateway, seq"),
    ("items", "gateway, first_seq, provider"),
    ("refunds", "gateway, first_seq, provider, owner, class"),
    ("entitlements", "id"),
    ("events", "block, place"),
    ("wallets", "owner, class"),
    ("api_keys", "hash"),
    ("programs", "id"),
    ("program_sums", "program"),
    ("program_ends", "program, valid_until"),
    ("energy", "owner, class"),
    ("grids", "provider"),
    ("days", "day, wallet, class, model, provider"),
    ("back", "day, wallet, class"),
];

const SCHEMA: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE blocks (height BIGINT PRIMARY KEY, hash BYTES NOT NULL, moment BIGINT NOT NULL);
CREATE TABLE accounts (id BIGINT PRIMARY KEY, account BYTES NOT NULL UNIQUE);
CREATE TABLE classes (id BIGINT PRIMARY KEY, name TEXT NOT NULL, unattested TEXT NOT NULL);
CREATE TABLE prices (
    book BIGINT NOT NULL, model BIGINT NOT NULL, name TEXT NOT NULL, class BIGINT NOT NULL,
    premium BIGINT NOT NULL, c_input TEXT NOT NULL, c_cached TEXT NOT NULL, c_output TEXT NOT NULL,
    c_model TEXT NOT NULL, weight BIGINT NOT NULL, reference_input TEXT NOT NULL,
    reference_output TEXT NOT NULL, PRIMARY KEY (book, model));
CREATE TABLE receipts (
    gateway BIGINT NOT NULL, seq BIGINT NOT NULL, wallet BIGINT NOT NULL, provider BIGINT NOT NULL,
    book BIGINT NOT NULL, model BIGINT NOT NULL, class BIGINT NOT NULL, input BIGINT NOT NULL,
    cached BIGINT NOT NULL, output BIGINT NOT NULL, cost TEXT NOT NULL, fee BIGINT NOT NULL,
    uncollected TEXT NOT NULL, uncollected_fee TEXT NOT NULL, digest BYTES NOT NULL,
    block BIGINT NOT NULL, moment BIGINT NOT NULL, first_seq BIGINT NOT NULL,
    cost_before TEXT NOT NULL, PRIMARY KEY (gateway, seq));
CREATE INDEX receipts_of_wallet ON receipts (wallet, block, gateway, seq);
CREATE INDEX receipts_in_order ON receipts (block, gateway, seq);
CREATE TABLE items (
    gateway BIGINT NOT NULL, first_seq BIGINT NOT NULL, provider BIGINT NOT NULL, last_seq BIGINT NOT NULL,
    receipts BIGINT NOT NULL, cost TEXT NOT NULL, block BIGINT NOT NULL, settled BIGINT, verdict TEXT,
    refunded TEXT, time_ms TEXT, energy_mj TEXT, PRIMARY KEY (gateway, first_seq, provider));
CREATE INDEX items_by_settlement ON items (settled);
CREATE TABLE refunds (
    gateway BIGINT NOT NULL, first_seq BIGINT NOT NULL, provider BIGINT NOT NULL, owner BIGINT NOT NULL,
    class BIGINT NOT NULL, amount TEXT NOT NULL, given TEXT, block BIGINT NOT NULL,
    PRIMARY KEY (gateway, first_seq, provider, owner, class));
CREATE INDEX refunds_that_wait ON refunds (owner, class) WHERE given IS NULL;
CREATE INDEX refunds_in_order ON refunds (block, gateway, first_seq, provider, owner, class);
CREATE TABLE entitlements (
    id BIGINT PRIMARY KEY, owner BIGINT NOT NULL, class BIGINT NOT NULL, issuer BIGINT NOT NULL,
    program BIGINT NOT NULL, valid_from BIGINT NOT NULL, valid_until BIGINT, granted TEXT NOT NULL,
    available TEXT NOT NULL, reserved TEXT NOT NULL, spent TEXT NOT NULL, expired TEXT NOT NULL,
    revoked TEXT NOT NULL);
CREATE INDEX entitlements_of_owner ON entitlements (owner, id);
CREATE INDEX entitlements_of_program ON entitlements (program, id);
CREATE TABLE events (
    block BIGINT NOT NULL, place BIGINT NOT NULL, kind TEXT NOT NULL, owner BIGINT, entitlement BIGINT,
    program BIGINT, class BIGINT, actor BIGINT, amount TEXT, PRIMARY KEY (block, place));
CREATE INDEX events_of_owner ON events (owner, block, place);
CREATE INDEX events_of_program ON events (program, block, place);
CREATE TABLE wallets (
    owner BIGINT NOT NULL, class BIGINT NOT NULL, granted TEXT NOT NULL, available TEXT NOT NULL,
    reserved TEXT NOT NULL, spent TEXT NOT NULL, expired TEXT NOT NULL, revoked TEXT NOT NULL,
    expires_next BIGINT, frozen BIGINT NOT NULL, reservations TEXT NOT NULL, changes_at BIGINT,
    PRIMARY KEY (owner, class));
CREATE INDEX wallets_that_change ON wallets (changes_at);
CREATE TABLE api_keys (
    hash BYTES PRIMARY KEY, owner BIGINT NOT NULL, limits TEXT NOT NULL, registered BIGINT NOT NULL,
    revoked BIGINT);
CREATE INDEX api_keys_of_owner ON api_keys (owner);
CREATE TABLE programs (
    id BIGINT PRIMARY KEY, owner BIGINT NOT NULL, name TEXT NOT NULL, class BIGINT NOT NULL, parent BIGINT,
    budget TEXT NOT NULL, unminted TEXT NOT NULL, granted TEXT NOT NULL, delegated TEXT NOT NULL);
CREATE TABLE program_sums (
    program BIGINT PRIMARY KEY, grants BIGINT NOT NULL, owners BIGINT NOT NULL, granted TEXT NOT NULL,
    available TEXT NOT NULL, reserved TEXT NOT NULL, spent TEXT NOT NULL, expired TEXT NOT NULL,
    revoked TEXT NOT NULL, energy_mj TEXT NOT NULL);
CREATE TABLE program_ends (
    program BIGINT NOT NULL, valid_until BIGINT NOT NULL, grants BIGINT NOT NULL, unspent TEXT NOT NULL,
    PRIMARY KEY (program, valid_until));
CREATE TABLE energy (
    owner BIGINT NOT NULL, class BIGINT NOT NULL, energy_mj TEXT NOT NULL, PRIMARY KEY (owner, class));
CREATE TABLE grids (provider BIGINT PRIMARY KEY, mg_per_kwh BIGINT);
CREATE TABLE days (
    wallet BIGINT NOT NULL, day BIGINT NOT NULL, class BIGINT NOT NULL, model BIGINT NOT NULL,
    provider BIGINT NOT NULL, receipts BIGINT NOT NULL, input BIGINT NOT NULL, cached BIGINT NOT NULL,
    output BIGINT NOT NULL, cost TEXT NOT NULL, fee TEXT NOT NULL, measured BIGINT NOT NULL,
    energy_mj TEXT NOT NULL, PRIMARY KEY (wallet, day, class, model, provider));
CREATE TABLE back (
    wallet BIGINT NOT NULL, day BIGINT NOT NULL, class BIGINT NOT NULL, refunded TEXT NOT NULL,
    uncollected TEXT NOT NULL, PRIMARY KEY (wallet, day, class));
";

/// Makes the tables where there are none, for the chain of `genesis`, and the connection the only one that
/// writes. Tables of another chain or of another layout are an error.
pub fn prepare(connection: &mut dyn Connection, genesis: &str) -> Answer<()> {
    super::lead(connection)?;
    if !connection.has_tables()? {
        return super::transaction(connection, |connection| {
            connection.script(&SCHEMA.replace("BYTES", connection.bytes_type()))?;
            let insert = "INSERT INTO meta (name, value) VALUES (?1, ?2)";
            connection.execute(insert, &["version".into(), VERSION.into()])?;
            connection.execute(insert, &["genesis".into(), genesis.into()]).map(drop)
        });
    }
    let rows = connection.query("SELECT value FROM meta WHERE name = ?1", &["version".into()])?;
    let version = rows.first().map(|row| row.text(0)).transpose()?.unwrap_or_default();
    if version != VERSION {
        return Err(DbError::Foreign(format!("tables of layout {version:?}, not {VERSION:?}")));
    }
    let rows = connection.query("SELECT value FROM meta WHERE name = ?1", &["genesis".into()])?;
    let known = rows.first().map(|row| row.text(0)).transpose()?.unwrap_or_default();
    if known != genesis {
        return Err(DbError::Foreign(format!("the chain {known}, but the node is on {genesis}")));
    }
    Ok(())
}

/// Removes all tables, unless somebody else writes them.
pub fn clear(connection: &mut dyn Connection) -> Answer<()> {
    super::lead(connection)?;
    super::transaction(connection, |connection| {
        TABLES.iter().try_for_each(|(table, _)| connection.script(&format!("DROP TABLE IF EXISTS {table}")))
    })
}
