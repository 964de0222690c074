//! Accounts by number: eight bytes in a row instead of thirty-two.

use std::collections::{BTreeSet, HashMap};

use stipend_primitives::AccountId;

use crate::db::{query_many, Answer, Connection, Value};

/// The number of everybody together, in tables that keep sums.
pub(crate) const EVERYBODY: i64 = 0;

/// Looks numbers up and gives new accounts the next one.
#[derive(Default)]
pub(super) struct Accounts(HashMap<AccountId, i64>);

impl Accounts {
    /// Looks many up at once, so that asking for each of them later is no question to the database.
    pub(super) fn look_up<'a>(
        &mut self,
        connection: &mut dyn Connection,
        accounts: impl Iterator<Item = &'a AccountId>,
    ) -> Answer<()> {
        let unknown: BTreeSet<&AccountId> =
            accounts.filter(|account| !self.0.contains_key(*account)).collect();
        let unknown: Vec<Value> = unknown.into_iter().map(Value::from).collect();
        let sql = "SELECT account, id FROM accounts WHERE account IN (KEYS)";
        for row in query_many(connection, sql, &[], &unknown)? {
            self.0.insert(row.account(0)?, row.int(1)?);
        }
        Ok(())
    }

    pub(super) fn number(&mut self, connection: &mut dyn Connection, account: &AccountId) -> Answer<i64> {
        if let Some(number) = self.0.get(account) {
            return Ok(*number);
        }
        let number = match account_of(connection, account)? {
            Some(number) => number,
            None => {
                let rows = connection.query("SELECT COALESCE(MAX(id), 0) + 1 FROM accounts", &[])?;
                let number = rows.first().map(|row| row.int(0)).transpose()?.unwrap_or(1);
                connection.execute(
                    "INSERT INTO accounts (id, account) VALUES (?1, ?2)",
                    &[number.into(), account.into()],
                )?;
                number
            }
        };
        self.0.insert(account.clone(), number);
        Ok(number)
    }

    pub(super) fn number_or_none(
        &mut self,
        connection: &mut dyn Connection,
        account: &Option<AccountId>,
    ) -> Answer<Value> {
        Ok(match account {
            Some(account) => self.number(connection, account)?.into(),
            None => Value::Null,
        })
    }
}

/// An account's number, if the chain ever named it.
pub fn account_of(connection: &mut dyn Connection, account: &AccountId) -> Answer<Option<i64>> {
    let rows = connection.query("SELECT id FROM accounts WHERE account = ?1", &[account.into()])?;
    rows.first().map(|row| row.int(0)).transpose()
}
