//! One block into the tables.

use std::collections::BTreeMap;

use stipend_primitives::{key::ApiKey, AccountId, ClassId, Credits};

use super::{
    accounts::Accounts, batches, days::Days, ledger, programs, programs::Programs, settlements, ProjectError,
};
use crate::{
    chain::{Act, Block, Note, State, Wanted},
    db::{Answer, Connection, Value},
};

/// What the parts of one block share.
pub(super) struct Work<'w> {
    pub(super) connection: &'w mut dyn Connection,
    pub(super) block: &'w Block,
    pub(super) state: &'w State,
    pub(super) accounts: Accounts,
    pub(super) days: Days,
    pub(super) programs: Programs,
    /// Micro-credits charged by price, per wallet and class.
    pub(super) charged: BTreeMap<(i64, ClassId), Credits>,
    pub(super) receipts: u64,
}

impl Work<'_> {
    pub(super) fn misfit(&self, what: impl Into<String>) -> ProjectError {
        ProjectError::Misfit(self.block.at.number, what.into())
    }

    pub(super) fn account(&mut self, account: &AccountId) -> Answer<i64> {
        self.accounts.number(self.connection, account)
    }

    /// The day of the block, counted from 1970.
    pub(super) fn day(&self) -> u64 {
        self.block.moment / 86_400_000
    }
}

/// What has to be known of the state after a block.
pub(super) fn wanted(connection: &mut dyn Connection, block: &Block) -> Result<Wanted, ProjectError> {
    let mut wanted = Wanted::default();
    if block.at.number == 0 {
        wanted.programs = true;
        wanted.classes = true;
    }
    for act in &block.acts {
        match act {
            Act::Batch { batch, .. } => {
                wanted.owners.extend(batch.wallets.iter().cloned());
                for line in &batch.lines {
                    let known = "SELECT 1 FROM prices WHERE book = ?1 LIMIT 1";
                    if connection.query(known, &[line.book.into()])?.is_empty() {
                        wanted.books.insert(line.book);
                    }
                }
            }
            Act::Refunds(_, refunds) => {
                wanted.owners.extend(refunds.iter().map(|refund| refund.owner.clone()))
            }
            Act::Paid(item) | Act::Settled { item, .. } => {
                wanted.owners.extend(settlements::waiting(connection, item)?);
            }
            Act::Touched(owner) => drop(wanted.owners.insert(owner.clone())),
            Act::Key(hash) => drop(wanted.keys.insert(*hash)),
            Act::Programs => wanted.programs = true,
            Act::Classes => wanted.classes = true,
            Act::Noted(_) | Act::KeyGone(_) | Act::Grid(..) => {}
        }
    }
    wanted.owners.extend(ledger::changing(connection, block.moment)?);
    Ok(wanted)
}

/// Writes a block; returns how many receipts it holds. Everything happens in the caller's transaction.
pub(super) fn apply(
    connection: &mut dyn Connection,
    block: &Block,
    state: &State,
) -> Result<u64, ProjectError> {
    let mut work = Work {
        connection,
        block,
        state,
        accounts: Accounts::default(),
        days: Days::default(),
        programs: Programs::default(),
        charged: BTreeMap::new(),
        receipts: 0,
    };
    let number = block.at.number;
    work.connection.execute(
        "INSERT INTO blocks (height, hash, moment) VALUES (?1, ?2, ?3)",
        &[number.into(), block.at.hash.as_bytes().into(), block.moment.into()],
    )?;
    let named = block.acts.iter().filter_map(|act| match act {
        Act::Batch { batch, .. } => Some(&batch.wallets[..]),
        _ => None,
    });
    let owners = state.wallets.iter().map(|(owner, ..)| owner);
    work.accounts.look_up(work.connection, owners.chain(named.flatten()))?;
    ledger::write_registries(&mut work)?;
    let (mut priced, mut uncollected) = (Vec::new(), 0);
    for act in &block.acts {
        match act {
            Act::Batch { batch, uncollected: missing } => {
                priced.push(batches::price(&mut work, batch)?);
                uncollected += *missing;
            }
            Act::Refunds(item, refunds) => settlements::note_refunds(&mut work, item, refunds)?,
            _ => {}
        }
    }
    let mut lost = ledger::write_wallets(&mut work, uncollected)?;
    batches::attribute(&mut priced, &mut lost);
    for batch in priced {
        batches::write(&mut work, batch)?;
    }
    for (place, act) in block.acts.iter().enumerate() {
        match act {
            Act::Settled { item, verdict, refunded, gpu } => {
                settlements::settle(&mut work, item, *verdict, *refunded, *gpu)?
            }
            Act::Noted(note) => write_note(&mut work, place, note)?,
            Act::KeyGone(hash) => {
                let gone = "UPDATE api_keys SET revoked = ?1 WHERE hash = ?2";
                work.connection.execute(gone, &[number.into(), hash.as_bytes().into()])?;
            }
            Act::Grid(provider, mg_per_kwh) => {
                let provider = work.account(provider)?;
                work.connection.execute(
                    "INSERT INTO grids (provider, mg_per_kwh) VALUES (?1, ?2)
                     ON CONFLICT (provider) DO UPDATE SET mg_per_kwh = excluded.mg_per_kwh",
                    &[provider.into(), (*mg_per_kwh).into()],
                )?;
            }
            Act::Batch { .. }
            | Act::Refunds(..)
            | Act::Paid(_)
            | Act::Touched(_)
            | Act::Key(_)
            | Act::Programs
            | Act::Classes => {}
        }
    }
    for (hash, key) in &state.keys {
        write_key(&mut work, hash.as_bytes(), key)?;
    }
    programs::write(&mut work)?;
    let days = std::mem::take(&mut work.days);
    days.write(work.connection)?;
    Ok(work.receipts)
}

fn write_note(work: &mut Work, place: usize, note: &Note) -> Result<(), ProjectError> {
    let owner = work.accounts.number_or_none(work.connection, &note.owner)?;
    let actor = work.accounts.number_or_none(work.connection, &note.actor)?;
    work.connection.execute(
        "INSERT INTO events (block, place, kind, owner, entitlement, program, class, actor, amount)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &[
            work.block.at.number.into(),
            (place as u64).into(),
            note.kind.into(),
            owner,
            note.entitlement.into(),
            note.program.into(),
            note.class.map(|class| class.0).into(),
            actor,
            note.amount.into(),
        ],
    )?;
    Ok(())
}

fn write_key(work: &mut Work, hash: &[u8], key: &ApiKey) -> Result<(), ProjectError> {
    let owner = work.account(&key.owner)?;
    // As JSON, so that a limit more is kept and shown without a change here.
    let limits = serde_json::to_string(&key.limits).map_err(|error| work.misfit(error.to_string()))?;
    work.connection.execute(
        "INSERT INTO api_keys (hash, owner, limits, registered, revoked) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (hash) DO UPDATE SET limits = excluded.limits",
        &[hash.into(), owner.into(), limits.into(), work.block.at.number.into(), Value::Null],
    )?;
    Ok(())
}
