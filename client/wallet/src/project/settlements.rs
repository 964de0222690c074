//! What was settled, what went back, and what energy it took.

use stipend_primitives::{
    attestation::GpuUse,
    energy::part_of,
    settlement::{Item, Refund, VerdictKind},
    AccountId, ClassId, Credits, ModelId,
};

use super::{accounts::account_of, apply::Work, batches, days::Key, ProjectError};
use crate::db::{Answer, Connection, Target, Value};

const REFUNDS: Target = Target {
    table: "refunds",
    columns: &["gateway", "first_seq", "provider", "owner", "class", "amount", "block"],
    // Each is listed once.
    keys: 0,
};

/// The wallets whose refunds of an item were listed and not paid yet.
pub(super) fn waiting(connection: &mut dyn Connection, item: &Item) -> Answer<Vec<AccountId>> {
    let (Some(gateway), Some(provider)) =
        (account_of(connection, &item.gateway)?, account_of(connection, &item.provider)?)
    else {
        return Ok(Vec::new());
    };
    let rows = connection.query(
        "SELECT DISTINCT accounts.account FROM refunds JOIN accounts ON accounts.id = refunds.owner
         WHERE gateway = ?1 AND first_seq = ?2 AND provider = ?3 AND given IS NULL",
        &[gateway.into(), item.first_seq.into(), provider.into()],
    )?;
    rows.iter().map(|row| row.account(0)).collect()
}

/// Notes what the quorum lists; what of it was given shows in the wallets.
pub(super) fn note_refunds(work: &mut Work, item: &Item, refunds: &[Refund]) -> Result<(), ProjectError> {
    let (gateway, provider) = (work.account(&item.gateway)?, work.account(&item.provider)?);
    let mut rows: Vec<Vec<Value>> = Vec::with_capacity(refunds.len());
    for refund in refunds {
        let owner = work.account(&refund.owner)?;
        rows.push(vec![
            gateway.into(),
            item.first_seq.into(),
            provider.into(),
            owner.into(),
            refund.class.0.into(),
            refund.amount.into(),
            work.block.at.number.into(),
        ]);
    }
    Ok(work.connection.put(&REFUNDS, &rows)?)
}

/// Micro-credits that are listed for a wallet in a class and not given yet.
pub(super) fn listed(work: &mut Work, owner: i64, class: ClassId) -> Result<Credits, ProjectError> {
    let rows = work.connection.query(
        "SELECT amount FROM refunds WHERE owner = ?1 AND class = ?2 AND given IS NULL",
        &[owner.into(), class.0.into()],
    )?;
    Ok(rows.iter().map(|row| row.credits(0)).sum::<Answer<Credits>>()?)
}

/// Notes that micro-credits went back to a wallet: to its refunds that wait, oldest first.
pub(super) fn give(
    work: &mut Work,
    owner: i64,
    class: ClassId,
    mut amount: Credits,
) -> Result<(), ProjectError> {
    let rows = work.connection.query(
        "SELECT gateway, first_seq, provider, amount FROM refunds
         WHERE owner = ?1 AND class = ?2 AND given IS NULL ORDER BY block, gateway, first_seq, provider",
        &[owner.into(), class.0.into()],
    )?;
    for row in rows {
        if amount == 0 {
            break;
        }
        let given = row.credits(3)?.min(amount);
        amount -= given;
        work.connection.execute(
            "UPDATE refunds SET given = ?1, block = ?2
             WHERE gateway = ?3 AND first_seq = ?4 AND provider = ?5 AND owner = ?6 AND class = ?7",
            &[
                given.into(),
                work.block.at.number.into(),
                row.int(0)?.into(),
                row.int(1)?.into(),
                row.int(2)?.into(),
                owner.into(),
                class.0.into(),
            ],
        )?;
    }
    match amount {
        0 => Ok(()),
        more => Err(work.misfit(format!("{more} micro-credits went back to a wallet that nobody listed"))),
    }
}

/// Writes a verdict, and shares out the energy.
pub(super) fn settle(
    work: &mut Work,
    item: &Item,
    verdict: VerdictKind,
    refunded: Credits,
    gpu: GpuUse,
) -> Result<(), ProjectError> {
    let (gateway, provider) = (work.account(&item.gateway)?, work.account(&item.provider)?);
    let place: [Value; 3] = [gateway.into(), item.first_seq.into(), provider.into()];
    let found = work.connection.query(
        "SELECT last_seq, cost FROM items WHERE gateway = ?1 AND first_seq = ?2 AND provider = ?3",
        &place,
    )?;
    let Some(row) = found.first() else {
        return Err(work.misfit(format!("the batch that begins with receipt {} is missing", item.first_seq)));
    };
    let (last_seq, cost) = (row.count(0)?, row.credits(1)?);
    let [g, f, p] = place;
    work.connection.execute(
        "UPDATE items SET settled = ?1, verdict = ?2, refunded = ?3, time_ms = ?4, energy_mj = ?5
         WHERE gateway = ?6 AND first_seq = ?7 AND provider = ?8",
        &[
            work.block.at.number.into(),
            verdict_name(verdict).into(),
            refunded.into(),
            gpu.time_ms.map(u128::from).into(),
            gpu.energy_mj.map(u128::from).into(),
            g.clone(),
            f.clone(),
            p.clone(),
        ],
    )?;
    // What was listed and not given by now never will be.
    work.connection.execute(
        "UPDATE refunds SET given = '0'
         WHERE gateway = ?1 AND first_seq = ?2 AND provider = ?3 AND given IS NULL",
        &[g, f, p],
    )?;
    let Some(energy_mj) = gpu.energy_mj else { return Ok(()) };
    for row in batches::of_item(work, gateway, (item.first_seq, last_seq), provider)? {
        let key = Key {
            wallet: row.int(0)?,
            day: row.count(1)? / 86_400_000,
            class: class(row.small(2)?),
            model: ModelId(row.small(3)? as u16),
            provider,
        };
        work.days.add_energy(key, part_of(energy_mj, row.credits(5)?, row.credits(4)?, cost));
    }
    Ok(())
}

fn class(number: u32) -> ClassId {
    // It was written from sixteen bits.
    ClassId(number as u16)
}

/// A verdict as the API spells it.
pub(super) fn verdict_name(verdict: VerdictKind) -> &'static str {
    match verdict {
        VerdictKind::Match => "match",
        VerdictKind::Adjust => "adjust",
        VerdictKind::Unattested => "unattested",
    }
}
