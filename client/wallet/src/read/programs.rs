//! Budgets, their use, and the energy that it took.

use std::collections::BTreeMap;

use serde::Serialize;
use stipend_primitives::{
    view::{decimal, Amounts},
    AccountId, ClassId, Credits, Moment, ProgramId,
};

use super::{grants, wallets::amounts, Names};
use crate::db::{Answer, Connection, Row};

/// Grants that end within this time count as expiring: 30 days.
pub const SOON_MS: u64 = 30 * 86_400_000;

/// A budget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Program {
    /// Its number.
    pub id: ProgramId,
    /// Its name.
    pub name: String,
    /// Who may mint from it.
    pub owner: AccountId,
    /// The class of all that is minted from it.
    pub class: ClassId,
    /// The class's name.
    pub class_name: String,
    /// The budget that it was made from.
    pub parent: Option<i64>,
    /// Micro-credits in all.
    #[serde(with = "decimal")]
    pub budget: Credits,
    /// Not minted yet.
    #[serde(with = "decimal")]
    pub unminted: Credits,
    /// Minted, less what came back.
    #[serde(with = "decimal")]
    pub granted: Credits,
    /// Handed to budgets below.
    #[serde(with = "decimal")]
    pub delegated: Credits,
}

/// All budgets.
pub fn list(connection: &mut dyn Connection) -> Answer<Vec<Program>> {
    let names = Names::read(connection)?;
    let rows = connection.query(
        "SELECT p.id, p.name, a.account, p.class, p.parent, p.budget, p.unminted, p.granted, p.delegated
         FROM programs p JOIN accounts a ON a.id = p.owner ORDER BY p.id",
        &[],
    )?;
    let program = |row: &Row| {
        let class = super::class(row, 3)?;
        Ok(Program {
            id: row.small(0)?,
            name: row.text(1)?,
            owner: row.account(2)?,
            class,
            class_name: names.class(class),
            parent: row.int_or_none(4)?,
            budget: row.credits(5)?,
            unminted: row.credits(6)?,
            granted: row.credits(7)?,
            delegated: row.credits(8)?,
        })
    };
    rows.iter().map(program).collect()
}

/// What became of the grants of a budget.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Use {
    /// Grants.
    pub grants: u64,
    /// Owners of grants.
    pub owners: u64,
    /// Where their credits are.
    pub amounts: Amounts,
    /// Grants that end within 30 days and have something left.
    pub expiring: u64,
    /// What is left in them.
    #[serde(with = "decimal")]
    pub expiring_amount: Credits,
    /// Millijoules of what the grants paid for: each wallet's energy in the class, shared out by what its
    /// grants paid.
    #[serde(with = "decimal")]
    pub energy_mj: u128,
}

/// A grant as far as sums go.
struct Part {
    owner: i64,
    amounts: Amounts,
    valid_until: Option<Moment>,
}

/// The use of one budget at a moment.
pub fn used(connection: &mut dyn Connection, program: &Program, now: Moment) -> Answer<Use> {
    let rows = connection.query(
        "SELECT owner, granted, available, reserved, spent, expired, revoked, valid_until FROM entitlements
         WHERE program = ?1 ORDER BY id",
        &[program.id.into()],
    )?;
    let part = |row: &Row| {
        let valid_until = row.int_or_none(7)?.and_then(|moment| Moment::try_from(moment).ok());
        Ok(Part { owner: row.int(0)?, amounts: amounts(row, 1)?, valid_until })
    };
    let parts: Vec<Part> = rows.iter().map(part).collect::<Answer<_>>()?;
    let mut used = Use {
        grants: parts.len() as u64,
        amounts: grants::total(parts.iter().map(|part| &part.amounts)),
        ..Use::default()
    };
    let mut spent: BTreeMap<i64, Credits> = BTreeMap::new();
    for part in &parts {
        *spent.entry(part.owner).or_default() += part.amounts.spent;
        let left = part.amounts.available + part.amounts.reserved;
        let ends_soon =
            part.valid_until.is_some_and(|until| until > now && until <= now.saturating_add(SOON_MS));
        if ends_soon && left > 0 {
            used.expiring += 1;
            used.expiring_amount += left;
        }
    }
    used.owners = spent.len() as u64;
    for (owner, here) in spent.into_iter().filter(|(_, here)| *here > 0) {
        used.energy_mj += energy(connection, owner, program, here)?;
    }
    Ok(used)
}

/// The part of a wallet's energy in a class that the grants of one budget paid for. The parts of all
/// budgets add up to the whole.
fn energy(connection: &mut dyn Connection, owner: i64, program: &Program, here: Credits) -> Answer<u128> {
    let rows = connection.query(
        "SELECT energy_mj FROM days WHERE wallet = ?1 AND class = ?2",
        &[owner.into(), program.class.0.into()],
    )?;
    let energy = rows.iter().map(|row| row.credits(0)).sum::<Answer<u128>>()?;
    if energy == 0 {
        return Ok(0);
    }
    let rows = connection.query(
        "SELECT program, spent FROM entitlements WHERE owner = ?1 AND class = ?2",
        &[owner.into(), program.class.0.into()],
    )?;
    let (mut before, mut all) = (0, 0);
    for row in &rows {
        let spent = row.credits(1)?;
        all += spent;
        if row.int(0)? < i64::from(program.id) {
            before += spent;
        }
    }
    let whole = u64::try_from(energy).unwrap_or(u64::MAX);
    Ok(stipend_primitives::energy::part_of(whole, before, here, all).into())
}
