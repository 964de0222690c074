//! Budgets, their use, and the energy that it took.

use serde::Serialize;
use stipend_primitives::{
    view::{decimal, Amounts},
    AccountId, ClassId, Credits, Moment, ProgramId,
};

use super::{wallets::amounts, Names};
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

/// The use of one budget at a moment.
pub fn used(connection: &mut dyn Connection, program: &Program, now: Moment) -> Answer<Use> {
    let rows = connection.query(
        "SELECT grants, owners, granted, available, reserved, spent, expired, revoked, energy_mj
         FROM program_sums WHERE program = ?1",
        &[program.id.into()],
    )?;
    let Some(row) = rows.first() else { return Ok(Use::default()) };
    let mut used = Use {
        grants: row.count(0)?,
        owners: row.count(1)?,
        amounts: amounts(row, 2)?,
        energy_mj: row.credits(8)?,
        ..Use::default()
    };
    let soon = connection.query(
        "SELECT grants, unspent FROM program_ends
         WHERE program = ?1 AND valid_until > ?2 AND valid_until <= ?3",
        &[program.id.into(), now.into(), now.saturating_add(SOON_MS).into()],
    )?;
    for row in &soon {
        used.expiring += row.count(0)?;
        used.expiring_amount += row.credits(1)?;
    }
    Ok(used)
}
