//! Sums per day.

use std::collections::BTreeMap;

use serde::Serialize;
use stipend_primitives::{
    energy::emitted_mg,
    view::{decimal, decimal_option},
    AccountId, ClassId, Credits, ModelId,
};

use super::Names;
use crate::{
    db::{Answer, Connection, Row},
    project::account_of,
};

/// What a wallet, or everybody, used on a day of a model at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Used {
    /// Days since 1970.
    pub day: u64,
    /// The class that paid.
    pub class: ClassId,
    /// The class's name.
    pub class_name: String,
    /// The model.
    pub model: ModelId,
    /// The model's name.
    pub model_name: String,
    /// Who served.
    pub provider: AccountId,
    /// Receipts.
    pub receipts: u64,
    /// Computed prompt tokens.
    pub input: u64,
    /// Cached prompt tokens.
    pub cached: u64,
    /// Generated tokens.
    pub output: u64,
    /// Base costs.
    #[serde(with = "decimal")]
    pub cost: Credits,
    /// Priority fees.
    #[serde(with = "decimal")]
    pub fee: Credits,
    /// Receipts whose energy was measured.
    pub measured: u64,
    /// Their millijoules.
    #[serde(with = "decimal")]
    pub energy_mj: u128,
}

/// Whose sums.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// One wallet's.
    Wallet(&'a AccountId),
    /// Everybody's together.
    Everybody,
}

impl Whose<'_> {
    pub(crate) fn number(self, connection: &mut dyn Connection) -> Answer<Option<i64>> {
        match self {
            Whose::Wallet(owner) => account_of(connection, owner),
            Whose::Everybody => Ok(Some(crate::project::EVERYBODY)),
        }
    }
}

/// What was used from a day on, oldest first.
pub fn used(connection: &mut dyn Connection, whose: Whose, from_day: u64) -> Answer<Vec<Used>> {
    let Some(number) = whose.number(connection)? else { return Ok(Vec::new()) };
    let names = Names::read(connection)?;
    let rows = connection.query(
        "SELECT day, class, model, accounts.account, receipts, input, cached, output, cost, fee, measured,
         energy_mj FROM days JOIN accounts ON accounts.id = days.provider
         WHERE wallet = ?1 AND day >= ?2 ORDER BY day, class, model, provider",
        &[number.into(), from_day.into()],
    )?;
    let used = |row: &Row| {
        let (class, model) = (super::class(row, 1)?, super::model(row, 2)?);
        Ok(Used {
            day: row.count(0)?,
            class,
            class_name: names.class(class),
            model,
            model_name: names.model(model),
            provider: row.account(3)?,
            receipts: row.count(4)?,
            input: row.count(5)?,
            cached: row.count(6)?,
            output: row.count(7)?,
            cost: row.credits(8)?,
            fee: row.credits(9)?,
            measured: row.count(10)?,
            energy_mj: row.credits(11)?,
        })
    };
    rows.iter().map(used).collect()
}

/// What came back on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Back {
    /// Days since 1970.
    pub day: u64,
    /// In which class.
    pub class: ClassId,
    /// Refunded by settlements.
    #[serde(with = "decimal")]
    pub refunded: Credits,
    /// Charged, and covered by nobody.
    #[serde(with = "decimal")]
    pub uncollected: Credits,
}

/// What came back from a day on, oldest first.
pub fn back(connection: &mut dyn Connection, whose: Whose, from_day: u64) -> Answer<Vec<Back>> {
    let Some(number) = whose.number(connection)? else { return Ok(Vec::new()) };
    let rows = connection.query(
        "SELECT day, class, refunded, uncollected FROM back WHERE wallet = ?1 AND day >= ?2
         ORDER BY day, class",
        &[number.into(), from_day.into()],
    )?;
    let back = |row: &Row| {
        Ok(Back {
            day: row.count(0)?,
            class: super::class(row, 1)?,
            refunded: row.credits(2)?,
            uncollected: row.credits(3)?,
        })
    };
    rows.iter().map(back).collect()
}

/// Energy with a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Energy {
    /// Who served.
    pub provider: AccountId,
    /// Receipts.
    pub receipts: u64,
    /// Receipts whose energy was measured.
    pub measured: u64,
    /// Their millijoules.
    #[serde(with = "decimal")]
    pub energy_mj: u128,
    /// Milligrams of CO2 equivalent, by what the grid emits now; nothing if nobody said.
    #[serde(with = "decimal_option")]
    pub emitted_mg: Option<u128>,
}

/// Energy by provider, of what was used.
pub fn energy(connection: &mut dyn Connection, used: &[Used]) -> Answer<Vec<Energy>> {
    let grids = super::grids(connection)?;
    let mut sums: BTreeMap<AccountId, (u64, u64, u128)> = BTreeMap::new();
    for row in used {
        let sum = sums.entry(row.provider.clone()).or_default();
        *sum = (sum.0 + row.receipts, sum.1 + row.measured, sum.2 + row.energy_mj);
    }
    let row = |(provider, (receipts, measured, energy_mj))| {
        let emitted_mg = grids.get(&provider).map(|grid| emitted_mg(energy_mj, *grid));
        Energy { provider, receipts, measured, energy_mj, emitted_mg }
    };
    Ok(sums.into_iter().map(row).collect())
}
