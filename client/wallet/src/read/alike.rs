//! Grants that look like ones that were made before.

use serde::Serialize;
use stipend_primitives::{mint::Grant, AccountId, BlockNumber, Moment};
use stipend_sdk::grant_list::Row;

use crate::{
    db::{Answer, Connection},
    project::account_of,
};

/// How many rows of a list look like grants that were made before, and the first of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Alike {
    /// Rows.
    pub count: u64,
    /// The first one's line.
    pub line: u64,
    /// The block that made what it looks like.
    pub block: BlockNumber,
    /// That block's time (Unix time, ms).
    pub moment: Moment,
}

/// Rows that say what a grant after block `after` by this issuer already says: the owner, the program, the
/// amount, and the dates. A file that was mended after half of it was granted is cut into other chunks than
/// before, so it is told by its rows.
pub fn granted(
    connection: &mut dyn Connection,
    issuer: &AccountId,
    rows: &[Row],
    after: Option<BlockNumber>,
) -> Answer<Alike> {
    let mut alike = Alike::default();
    let Some(issuer) = account_of(connection, issuer)? else { return Ok(alike) };
    let after = after.map_or(-1, i64::from);
    for row in rows {
        let Grant::One { program, amount, valid_from, valid_until } = row.grant else { continue };
        let Some(owner) = account_of(connection, &row.owner)? else { continue };
        let found = connection.query(
            "SELECT blocks.height, blocks.moment FROM events
             JOIN blocks ON blocks.height = events.block
             JOIN entitlements ON entitlements.id = events.entitlement
             WHERE events.owner = ?1 AND events.kind = 'Minted' AND events.actor = ?2
                 AND events.program = ?3 AND events.amount = ?4 AND events.block > ?5
                 AND COALESCE(entitlements.valid_until, -1) = ?6
                 AND (CAST(?7 AS BIGINT) = -1 OR entitlements.valid_from = ?7)
             ORDER BY blocks.height DESC LIMIT 1",
            &[
                owner.into(),
                issuer.into(),
                program.into(),
                amount.into(),
                after.into(),
                valid_until.map_or(-1, moment).into(),
                valid_from.map_or(-1, moment).into(),
            ],
        )?;
        if let Some(block) = found.first() {
            if alike.count == 0 {
                alike = Alike { count: 0, line: row.line, block: block.small(0)?, moment: block.count(1)? };
            }
            alike.count += 1;
        }
    }
    Ok(alike)
}

fn moment(moment: Moment) -> i64 {
    i64::try_from(moment).unwrap_or(i64::MAX)
}
