//! Questions to the tables, and the answers' shapes. Amounts are micro-credits: decimal strings in JSON.

pub mod alike;
pub mod days;
pub mod grants;
pub mod people;
pub mod prices;
pub mod programs;
pub mod receipts;
pub mod single;
pub mod wallets;

use std::collections::BTreeMap;

use serde::Serialize;
use stipend_primitives::{AccountId, BlockNumber, ClassId, ModelId, Moment};

use crate::db::{Answer, Connection, Row};

pub(crate) use wallets::amounts as amounts_of;

/// The block that everything in an answer is as of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AsOf {
    /// Height of the newest block in the tables.
    pub block: BlockNumber,
    /// Its time (Unix time, ms).
    pub moment: Moment,
}

/// The newest block in the tables.
pub fn as_of(connection: &mut dyn Connection) -> Answer<AsOf> {
    let rows = connection.query("SELECT height, moment FROM blocks ORDER BY height DESC LIMIT 1", &[])?;
    match rows.first() {
        Some(row) => Ok(AsOf { block: row.small(0)?, moment: row.count(1)? }),
        None => Ok(AsOf::default()),
    }
}

/// Names of classes and models.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// By class.
    pub classes: BTreeMap<ClassId, String>,
    /// By model. A number never changes its name.
    pub models: BTreeMap<ModelId, String>,
}

impl Names {
    /// Reads them.
    pub fn read(connection: &mut dyn Connection) -> Answer<Self> {
        let classes = connection.query("SELECT id, name FROM classes", &[])?;
        let models = connection.query("SELECT DISTINCT model, name FROM prices", &[])?;
        let named = |row: &Row| Ok((prices::number_16(row, 0)?, row.text(1)?));
        Ok(Names {
            classes: classes
                .iter()
                .map(named)
                .map(|row| row.map(|(id, name)| (ClassId(id), name)))
                .collect::<Answer<_>>()?,
            models: models
                .iter()
                .map(named)
                .map(|row| row.map(|(id, name)| (ModelId(id), name)))
                .collect::<Answer<_>>()?,
        })
    }

    /// A class's name.
    pub fn class(&self, class: ClassId) -> String {
        self.classes.get(&class).cloned().unwrap_or_else(|| format!("class {}", class.0))
    }

    /// A model's name.
    pub fn model(&self, model: ModelId) -> String {
        self.models.get(&model).cloned().unwrap_or_else(|| format!("model {}", model.0))
    }
}

pub(crate) fn class(row: &Row, column: usize) -> Answer<ClassId> {
    prices::number_16(row, column).map(ClassId)
}

pub(crate) fn model(row: &Row, column: usize) -> Answer<ModelId> {
    prices::number_16(row, column).map(ModelId)
}

/// What each provider's grid emits, in milligrams of CO2 equivalent for a kilowatt-hour, where known.
pub fn grids(connection: &mut dyn Connection) -> Answer<BTreeMap<AccountId, u32>> {
    let rows = connection.query(
        "SELECT accounts.account, grids.mg_per_kwh FROM grids JOIN accounts ON accounts.id = grids.provider
         WHERE grids.mg_per_kwh IS NOT NULL",
        &[],
    )?;
    rows.iter().map(|row| Ok((row.account(0)?, row.small(1)?))).collect()
}
