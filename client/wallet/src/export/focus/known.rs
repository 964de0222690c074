//! What many receipts have in common, asked of the tables once.

use std::collections::HashMap;

use stipend_primitives::{cost::PriceEntry, AccountId, BookVersion, ClassId, ModelId, Moment};

use crate::{
    db::{Answer, Connection, DbError},
    read::prices,
};

/// Wallets whose entitlements are remembered at a time.
const WALLETS_MAX: usize = 10_000;

/// Prices and entitlements that were asked for before. An export is as of one block: they do not change meanwhile.
#[derive(Default)]
pub(super) struct Known {
    prices: HashMap<(BookVersion, ModelId), PriceEntry>,
    grants: HashMap<(AccountId, ClassId), Vec<(i64, Moment)>>,
}

impl Known {
    /// A model's entry of a price book.
    pub(super) fn price(
        &mut self,
        connection: &mut dyn Connection,
        book: BookVersion,
        model: ModelId,
    ) -> Answer<PriceEntry> {
        if let Some(entry) = self.prices.get(&(book, model)) {
            return Ok(entry.clone());
        }
        let entry = prices::entry(connection, book, model)?
            .ok_or_else(|| DbError::Foreign(format!("no price of model {}", model.0)))?;
        self.prices.insert((book, model), entry.clone());
        Ok(entry)
    }

    /// The wallet's entitlements in a class at a moment. The chain charges the one that expires first, and does
    /// not say which that was: where there is one, it was that.
    pub(super) fn entitlements(
        &mut self,
        connection: &mut dyn Connection,
        wallet: &AccountId,
        class: ClassId,
        moment: Moment,
    ) -> Answer<String> {
        let key = (wallet.clone(), class);
        if !self.grants.contains_key(&key) {
            if self.grants.len() >= WALLETS_MAX {
                self.grants.clear();
            }
            self.grants.insert(key.clone(), grants(connection, wallet, class)?);
        }
        let grants = self.grants.get(&key).into_iter().flatten();
        let ids = grants.filter(|(_, valid_from)| *valid_from <= moment).map(|(id, _)| id.to_string());
        Ok(ids.collect::<Vec<_>>().join(";"))
    }
}

fn grants(connection: &mut dyn Connection, wallet: &AccountId, class: ClassId) -> Answer<Vec<(i64, Moment)>> {
    let rows = connection.query(
        "SELECT e.id, e.valid_from FROM entitlements e JOIN accounts a ON a.id = e.owner
         WHERE a.account = ?1 AND e.class = ?2 ORDER BY e.id",
        &[wallet.into(), class.0.into()],
    )?;
    rows.iter().map(|row| Ok((row.int(0)?, row.count(1)?))).collect()
}
