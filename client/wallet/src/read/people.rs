//! What people were granted out of some budgets and how much of it they used; what ends soon.

use std::collections::BTreeMap;

use serde::Serialize;
use stipend_primitives::{
    view::{decimal, Amounts},
    AccountId, ClassId, Credits, EntitlementId, Moment, ProgramId,
};

use super::{grants::total, programs::Program, wallets::amounts};
use crate::db::{Answer, Connection, Row};

/// A list of numbers for SQL. They come from the tables.
fn numbers(programs: &[Program]) -> String {
    let numbers: Vec<String> = programs.iter().map(|program| program.id.to_string()).collect();
    numbers.join(", ")
}

/// A grant that ends soon with something left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Expiring {
    /// Its number.
    pub id: EntitlementId,
    /// Whose.
    pub owner: AccountId,
    /// The budget that it came from.
    pub program: ProgramId,
    /// First moment at which it is expired (Unix time, ms).
    pub valid_until: Moment,
    /// Micro-credits left: available or reserved.
    #[serde(with = "decimal")]
    pub left: Credits,
}

/// The grants out of these budgets that end after `now` and by `until` with something left, soonest first.
pub fn expiring(
    connection: &mut dyn Connection,
    programs: &[Program],
    (now, until): (Moment, Moment),
) -> Answer<Vec<Expiring>> {
    if programs.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT e.id, a.account, e.program, e.valid_until, e.available, e.reserved FROM entitlements e
         JOIN accounts a ON a.id = e.owner
         WHERE e.program IN ({}) AND e.valid_until > ?1 AND e.valid_until <= ?2
             AND (e.available <> '0' OR e.reserved <> '0')
         ORDER BY e.valid_until, e.id",
        numbers(programs)
    );
    let expiring = |row: &Row| {
        Ok(Expiring {
            id: row.count(0)?,
            owner: row.account(1)?,
            program: row.small(2)?,
            valid_until: row.count(3)?,
            left: row.credits(4)?.saturating_add(row.credits(5)?),
        })
    };
    connection.query(&sql, &[now.into(), until.into()])?.iter().map(expiring).collect()
}

/// What a person was granted of a class, out of some budgets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Person {
    /// Who.
    pub account: AccountId,
    /// Of what.
    pub class: ClassId,
    /// Where the credits are.
    pub amounts: Amounts,
    /// The person's number in the tables: what the next page begins after.
    pub number: i64,
}

/// Up to `limit` people who were granted something out of these budgets, with numbers above `after`.
pub fn people(
    connection: &mut dyn Connection,
    programs: &[Program],
    after: i64,
    limit: u32,
) -> Answer<Vec<Person>> {
    if programs.is_empty() {
        return Ok(Vec::new());
    }
    let list = numbers(programs);
    let owners = connection.query(
        &format!(
            "SELECT DISTINCT owner FROM entitlements WHERE program IN ({list}) AND owner > ?1
             ORDER BY owner LIMIT ?2"
        ),
        &[after.into(), limit.into()],
    )?;
    let Some(last) = owners.last().map(|row| row.int(0)).transpose()? else { return Ok(Vec::new()) };
    let rows = connection.query(
        &format!(
            "SELECT e.owner, a.account, e.class, e.granted, e.available, e.reserved, e.spent, e.expired,
             e.revoked FROM entitlements e JOIN accounts a ON a.id = e.owner
             WHERE e.program IN ({list}) AND e.owner > ?1 AND e.owner <= ?2"
        ),
        &[after.into(), last.into()],
    )?;
    let mut sums: BTreeMap<(i64, ClassId), Person> = BTreeMap::new();
    for row in &rows {
        let (number, class, more) = (row.int(0)?, super::class(row, 2)?, amounts(row, 3)?);
        let account = row.account(1)?;
        let sum = sums.entry((number, class)).or_insert_with(|| Person {
            account,
            class,
            amounts: Amounts::default(),
            number,
        });
        sum.amounts = total([sum.amounts, more].iter());
    }
    Ok(sums.into_values().collect())
}

/// What became of the grants of a budget, by itself and with all budgets below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Utilisation {
    /// The budget.
    pub program: Program,
    /// How many budgets it lies below, of those that are shown.
    pub depth: usize,
    /// Grants of its own.
    pub own: Amounts,
    /// Grants of its own and of all below.
    pub all: Amounts,
}

/// The use of budgets, each followed by those that were made from it.
pub fn utilisation(connection: &mut dyn Connection, programs: Vec<Program>) -> Answer<Vec<Utilisation>> {
    let mut own: BTreeMap<ProgramId, Amounts> = BTreeMap::new();
    if !programs.is_empty() {
        let sql = format!(
            "SELECT program, granted, available, reserved, spent, expired, revoked FROM program_sums
             WHERE program IN ({})",
            numbers(&programs)
        );
        for row in &connection.query(&sql, &[])? {
            own.insert(row.small(0)?, amounts(row, 1)?);
        }
    }
    Ok(tree(programs, &own))
}

/// Budgets as a tree, written from above to below.
fn tree(programs: Vec<Program>, own: &BTreeMap<ProgramId, Amounts>) -> Vec<Utilisation> {
    let of = |id: ProgramId| own.get(&id).copied().unwrap_or_default();
    let parent = |program: &Program| program.parent.and_then(|id| ProgramId::try_from(id).ok());
    let mut all: BTreeMap<ProgramId, Amounts> =
        programs.iter().map(|program| (program.id, of(program.id))).collect();
    // A budget has a higher number than the one that it was made from: from below to above, each sum is whole
    // before it is handed up.
    for program in programs.iter().rev() {
        let below = all.get(&program.id).copied().unwrap_or_default();
        if let Some(above) = parent(program).and_then(|id| all.get_mut(&id)) {
            *above = total([*above, below].iter());
        }
    }
    let mut rows: Vec<Utilisation> = Vec::with_capacity(programs.len());
    for program in programs {
        let above = parent(&program).and_then(|id| rows.iter().position(|row| row.program.id == id));
        let depth = above.map_or(0, |at| rows[at].depth + 1);
        // After all that lies below its parent so far.
        let at = above.map_or(rows.len(), |above| {
            let below = rows[above + 1..].iter().take_while(|row| row.depth >= depth).count();
            above + 1 + below
        });
        let (own, all) = (of(program.id), all.get(&program.id).copied().unwrap_or_default());
        rows.insert(at, Utilisation { program, depth, own, all });
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(id: ProgramId, parent: Option<i64>) -> Program {
        Program {
            id,
            name: format!("p{id}"),
            owner: AccountId::new([1; 32]),
            class: ClassId::INNOVATION,
            class_name: "Innovation".into(),
            parent,
            budget: 100,
            unminted: 0,
            granted: 0,
            delegated: 0,
        }
    }

    #[test]
    fn a_budget_counts_what_lies_below_it_and_is_followed_by_it() {
        let programs = vec![
            program(0, None),
            program(1, None),
            program(2, Some(0)),
            program(3, Some(2)),
            program(4, Some(0)),
            program(5, Some(9)),
        ];
        let own = (0..6).map(|id| (id, Amounts { granted: 1, ..Amounts::default() })).collect();
        let rows = tree(programs, &own);
        let shape: Vec<_> = rows.iter().map(|row| (row.program.id, row.depth, row.all.granted)).collect();
        assert_eq!(shape, [(0, 0, 4), (2, 1, 2), (3, 2, 1), (4, 1, 1), (1, 0, 1), (5, 0, 1)]);
        assert!(rows.iter().all(|row| row.own.granted == 1));
    }
}
