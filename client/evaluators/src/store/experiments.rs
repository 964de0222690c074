//! Experiments as they were declared.

use rusqlite::{params, OptionalExtension};
use stipend_primitives::Moment;

use super::{Answer, Store, StoreError};
use crate::experiment::Declaration;

impl Store {
    /// Keeps a declaration for good; answers the one that counts: the first under this name.
    pub fn declare(&mut self, name: &str, declaration: &Declaration, now: Moment) -> Answer<Declaration> {
        let text = serde_json::to_string(declaration).expect("names and numbers have a JSON form; qed");
        self.transaction(|connection, _| {
            let insert = "INSERT OR IGNORE INTO experiments VALUES (?1, ?2, ?3)";
            connection.execute(insert, params![name, text, now as i64])?;
            Ok(())
        })?;
        Ok(self.declared(name)?.map_or_else(|| declaration.clone(), |(first, _)| first))
    }

    /// A declaration, and when it was made.
    pub fn declared(&self, name: &str) -> Answer<Option<(Declaration, Moment)>> {
        let found = self
            .connection
            .query_row("SELECT declaration, moment FROM experiments WHERE name = ?1", [name], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
            })
            .optional()?;
        let Some((text, moment)) = found else { return Ok(None) };
        let declaration = serde_json::from_str(&text)
            .map_err(|error| StoreError::Damaged(format!("a declaration ({error})")))?;
        Ok(Some((declaration, moment as Moment)))
    }
}
