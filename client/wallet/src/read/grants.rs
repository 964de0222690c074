//! Entitlements and what happened to them.

use serde::Serialize;
use stipend_primitives::{
    view::{decimal_option, Amounts, EntitlementView},
    AccountId, BlockNumber, ClassId, Credits, EntitlementId, Moment, ProgramId,
};

use super::wallets::amounts;
use crate::{
    db::{Answer, Connection, Row},
    project::account_of,
};

const SELECT: &str = "
SELECT e.id, o.account, e.class, i.account, e.program, e.valid_from, e.valid_until, e.granted, e.available,
    e.reserved, e.spent, e.expired, e.revoked
FROM entitlements e JOIN accounts o ON o.id = e.owner JOIN accounts i ON i.id = e.issuer ";

fn entitlement(row: &Row) -> Answer<EntitlementView> {
    Ok(EntitlementView {
        id: row.count(0)?,
        owner: row.account(1)?,
        class: super::class(row, 2)?,
        issuer: row.account(3)?,
        program: row.small(4)?,
        valid_from: row.count(5)?,
        valid_until: row.int_or_none(6)?.and_then(|moment| Moment::try_from(moment).ok()),
        amounts: amounts(row, 7)?,
    })
}

/// All entitlements of an owner.
pub fn of_owner(connection: &mut dyn Connection, owner: &AccountId) -> Answer<Vec<EntitlementView>> {
    let Some(owner) = account_of(connection, owner)? else { return Ok(Vec::new()) };
    let sql = format!("{SELECT} WHERE e.owner = ?1 ORDER BY e.id");
    connection.query(&sql, &[owner.into()])?.iter().map(entitlement).collect()
}

/// Up to `limit` entitlements from a budget with numbers above `after`.
pub fn of_program(
    connection: &mut dyn Connection,
    program: ProgramId,
    after: i64,
    limit: u32,
) -> Answer<Vec<EntitlementView>> {
    let sql = format!("{SELECT} WHERE e.program = ?1 AND e.id > ?2 ORDER BY e.id LIMIT ?3");
    connection.query(&sql, &[program.into(), after.into(), limit.into()])?.iter().map(entitlement).collect()
}

/// An event of entitlements and budgets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// The block that it happened in.
    pub block: BlockNumber,
    /// That block's time (Unix time, ms).
    pub moment: Moment,
    /// The event's name on the chain.
    pub kind: String,
    /// Which entitlement.
    pub entitlement: Option<EntitlementId>,
    /// Which class.
    pub class: Option<ClassId>,
    /// Micro-credits.
    #[serde(with = "decimal_option")]
    pub amount: Option<Credits>,
}

/// The newest events of an owner.
pub fn events_of_owner(connection: &mut dyn Connection, owner: &AccountId, limit: u32) -> Answer<Vec<Event>> {
    let Some(owner) = account_of(connection, owner)? else { return Ok(Vec::new()) };
    events(connection, "owner", owner, limit)
}

/// The newest events of a budget.
pub fn events_of_program(
    connection: &mut dyn Connection,
    program: ProgramId,
    limit: u32,
) -> Answer<Vec<Event>> {
    events(connection, "program", program.into(), limit)
}

fn events(
    connection: &mut dyn Connection,
    column: &'static str,
    value: i64,
    limit: u32,
) -> Answer<Vec<Event>> {
    let sql = format!(
        "SELECT block, moment, kind, entitlement, class, amount FROM events
         JOIN blocks ON blocks.height = events.block WHERE {column} = ?1
         ORDER BY block DESC, place DESC LIMIT ?2"
    );
    let event = |row: &Row| {
        Ok(Event {
            block: row.small(0)?,
            moment: row.count(1)?,
            kind: row.text(2)?,
            entitlement: row.int_or_none(3)?.and_then(|id| EntitlementId::try_from(id).ok()),
            class: row.int_or_none(4)?.and_then(|id| u16::try_from(id).ok()).map(ClassId),
            amount: row.credits_or_none(5)?,
        })
    };
    connection.query(&sql, &[value.into(), limit.into()])?.iter().map(event).collect()
}

/// Sum of amounts.
pub fn total<'a>(amounts: impl Iterator<Item = &'a Amounts>) -> Amounts {
    amounts.fold(Amounts::default(), |sum, one| Amounts {
        granted: sum.granted + one.granted,
        available: sum.available + one.available,
        reserved: sum.reserved + one.reserved,
        spent: sum.spent + one.spent,
        expired: sum.expired + one.expired,
        revoked: sum.revoked + one.revoked,
    })
}
