//! Wallets and API keys.

use serde::Serialize;
use serde_json::Value as Json;
use stipend_primitives::{
    view::{Amounts, ReservationView},
    AccountId, BlockNumber, ClassId, Moment,
};

use super::Names;
use crate::{
    db::{Answer, Connection, DbError, Row},
    project::account_of,
};

/// A wallet in one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// The class.
    pub class: ClassId,
    /// The class's name.
    pub name: String,
    /// Where the credits are.
    pub amounts: Amounts,
    /// What gateways have set aside.
    pub reservations: Vec<ReservationView>,
    /// First moment at which some of what is available expires.
    pub expires_next: Option<Moment>,
    /// Whether nothing new can be reserved.
    pub frozen: bool,
}

/// Amounts from six columns that begin with `granted`.
pub(crate) fn amounts(row: &Row, first: usize) -> Answer<Amounts> {
    Ok(Amounts {
        granted: row.credits(first)?,
        available: row.credits(first + 1)?,
        reserved: row.credits(first + 2)?,
        spent: row.credits(first + 3)?,
        expired: row.credits(first + 4)?,
        revoked: row.credits(first + 5)?,
    })
}

fn unreadable(error: serde_json::Error) -> DbError {
    DbError::Foreign(format!("JSON that cannot be read: {error}"))
}

/// A wallet by class, as of the newest block in the tables.
pub fn balances(connection: &mut dyn Connection, owner: &AccountId) -> Answer<Vec<Balance>> {
    let Some(owner) = account_of(connection, owner)? else { return Ok(Vec::new()) };
    let names = Names::read(connection)?;
    let rows = connection.query(
        "SELECT class, granted, available, reserved, spent, expired, revoked, expires_next, frozen,
         reservations FROM wallets WHERE owner = ?1 ORDER BY class",
        &[owner.into()],
    )?;
    let balance = |row: &Row| {
        let class = super::class(row, 0)?;
        Ok(Balance {
            class,
            name: names.class(class),
            amounts: amounts(row, 1)?,
            expires_next: row.int_or_none(7)?.and_then(|moment| Moment::try_from(moment).ok()),
            frozen: row.flag(8)?,
            reservations: serde_json::from_str(&row.text(9)?).map_err(unreadable)?,
        })
    };
    rows.iter().map(balance).collect()
}

/// An API key, as far as the chain knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Key {
    /// Hash of its text, in hex.
    pub hash: String,
    /// What its owner allows, as the chain spells it.
    pub limits: Json,
    /// Block in which it was registered.
    pub registered: BlockNumber,
    /// Block in which it was revoked.
    pub revoked: Option<BlockNumber>,
}

/// The keys of a wallet, newest first.
pub fn keys(connection: &mut dyn Connection, owner: &AccountId) -> Answer<Vec<Key>> {
    let Some(owner) = account_of(connection, owner)? else { return Ok(Vec::new()) };
    let rows = connection.query(
        "SELECT hash, limits, registered, revoked FROM api_keys WHERE owner = ?1
         ORDER BY registered DESC, hash",
        &[owner.into()],
    )?;
    let key = |row: &Row| {
        Ok(Key {
            hash: format!("0x{}", hex::encode(row.bytes(0)?)),
            limits: serde_json::from_str(&row.text(1)?).map_err(unreadable)?,
            registered: row.small(2)?,
            revoked: row.int_or_none(3)?.and_then(|block| BlockNumber::try_from(block).ok()),
        })
    };
    rows.iter().map(key).collect()
}

/// A wallet in a list of all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Its number in the tables: what the next page begins after.
    pub number: i64,
    /// Whose.
    pub owner: AccountId,
    /// By class.
    pub classes: Vec<(ClassId, Amounts)>,
}

/// Wallets in the order in which the chain first named them, after number `after`.
pub fn list(connection: &mut dyn Connection, after: i64, limit: u32) -> Answer<Vec<Listed>> {
    let owners = connection.query(
        "SELECT w.owner, a.account
         FROM (SELECT DISTINCT owner FROM wallets WHERE owner > ?1 ORDER BY owner LIMIT ?2) w
         JOIN accounts a ON a.id = w.owner ORDER BY w.owner",
        &[after.into(), limit.into()],
    )?;
    let Some(last) = owners.last() else { return Ok(Vec::new()) };
    let mut listed: Vec<Listed> = Vec::with_capacity(owners.len());
    for row in &owners {
        listed.push(Listed { number: row.int(0)?, owner: row.account(1)?, classes: Vec::new() });
    }
    // All wallets up to the last one are those: the list has no gaps.
    let rows = connection.query(
        "SELECT owner, class, granted, available, reserved, spent, expired, revoked FROM wallets
         WHERE owner > ?1 AND owner <= ?2 ORDER BY owner, class",
        &[after.into(), last.int(0)?.into()],
    )?;
    let mut wallets = listed.iter_mut().peekable();
    for row in &rows {
        let owner = row.int(0)?;
        while wallets.next_if(|wallet| wallet.number < owner).is_some() {}
        if let Some(wallet) = wallets.peek_mut().filter(|wallet| wallet.number == owner) {
            wallet.classes.push((super::class(row, 1)?, amounts(row, 2)?));
        }
    }
    Ok(listed)
}
