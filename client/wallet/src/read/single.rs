//! Single things by their numbers, and what an issuer granted when.

use sp_core::H256;
use stipend_primitives::{view::EntitlementView, AccountId, BlockNumber, EntitlementId, KeyHash, Moment};

use super::grants;
use crate::{
    chain::BlockRef,
    db::{Answer, Connection},
    project::account_of,
};

/// One entitlement.
pub fn entitlement(connection: &mut dyn Connection, id: EntitlementId) -> Answer<Option<EntitlementView>> {
    let rows = connection.query(
        "SELECT accounts.account FROM entitlements JOIN accounts ON accounts.id = entitlements.owner
         WHERE entitlements.id = ?1",
        &[id.into()],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    let held = grants::of_owner(connection, &row.account(0)?)?;
    Ok(held.into_iter().find(|grant| grant.id == id))
}

/// Whose a key is that is not revoked.
pub fn key_owner(connection: &mut dyn Connection, hash: KeyHash) -> Answer<Option<AccountId>> {
    let rows = connection.query(
        "SELECT accounts.account FROM api_keys JOIN accounts ON accounts.id = api_keys.owner
         WHERE api_keys.hash = ?1 AND api_keys.revoked IS NULL",
        &[hash.as_bytes().into()],
    )?;
    rows.first().map(|row| row.account(0)).transpose()
}

/// A block with its time (Unix time, ms).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated {
    /// The block.
    pub at: BlockRef,
    /// Its time.
    pub moment: Moment,
}

/// The blocks after `after` in which an issuer granted something to both of two owners, newest first: where
/// a chunk that begins and ends with them can be.
pub fn granted_to_both(
    connection: &mut dyn Connection,
    issuer: &AccountId,
    (first, last): (&AccountId, &AccountId),
    after: Option<BlockNumber>,
) -> Answer<Vec<Dated>> {
    let mut numbers = Vec::with_capacity(3);
    for account in [issuer, first, last] {
        match account_of(connection, account)? {
            Some(number) => numbers.push(number.into()),
            None => return Ok(Vec::new()),
        }
    }
    numbers.push(after.map_or(-1, i64::from).into());
    let rows = connection.query(
        "SELECT DISTINCT blocks.height, blocks.hash, blocks.moment FROM events one
         JOIN events other ON other.block = one.block AND other.kind = 'Minted'
             AND other.actor = ?1 AND other.owner = ?3
         JOIN blocks ON blocks.height = one.block
         WHERE one.kind = 'Minted' AND one.actor = ?1 AND one.owner = ?2 AND one.block > ?4
         ORDER BY blocks.height DESC",
        &numbers,
    )?;
    rows.iter()
        .map(|row| {
            let at = BlockRef { number: row.small(0)?, hash: H256(row.hash(1)?) };
            Ok(Dated { at, moment: row.count(2)? })
        })
        .collect()
}
