//! Wallets, entitlements, budgets and classes: written as the chain's state has them after the block.
//!
//! Only wallets that something happened to are asked for, and those that time changes: what expires, and
//! reservations that end.

use std::collections::BTreeMap;

use stipend_primitives::{
    settlement::UnattestedPolicy,
    view::{Amounts, ClassBalance, EntitlementView},
    AccountId, ClassId, Credits, Moment, Name,
};

use super::{apply::Work, settlements, ProjectError};
use crate::db::{Answer, Connection, Value};

/// The wallets that time has changed by `moment`.
pub(super) fn changing(connection: &mut dyn Connection, moment: Moment) -> Answer<Vec<AccountId>> {
    let rows = connection.query(
        "SELECT DISTINCT accounts.account FROM wallets JOIN accounts ON accounts.id = wallets.owner
         WHERE changes_at <= ?1",
        &[moment.into()],
    )?;
    rows.iter().map(|row| row.account(0)).collect()
}

/// Writes the wallets. Returns what of this block's charges nobody covered, per wallet and class, where
/// its batches say that `uncollected` micro-credits were not.
pub(super) fn write_wallets(
    work: &mut Work,
    uncollected: Credits,
) -> Result<BTreeMap<(i64, ClassId), Credits>, ProjectError> {
    let state = work.state;
    let mut lost = BTreeMap::new();
    for (owner, balances, entitlements) in &state.wallets {
        let owner = work.account(owner)?;
        for balance in balances {
            let missing = write_balance(work, owner, balance, uncollected > 0)?;
            if missing > 0 {
                lost.insert((owner, balance.class), missing);
            }
        }
        for entitlement in entitlements {
            write_entitlement(work, owner, entitlement)?;
        }
    }
    // What nobody covered because the wallet is not there at all.
    for ((owner, class), charged) in std::mem::take(&mut work.charged) {
        if uncollected == 0 {
            return Err(
                work.misfit(format!("a wallet was charged in class {} that it does not have", class.0))
            );
        }
        work.days.add_back((owner, work.day(), class), 0, charged);
        lost.insert((owner, class), charged);
    }
    Ok(lost)
}

/// Writes one balance, notes what went back to it, and returns what nobody covered.
fn write_balance(
    work: &mut Work,
    owner: i64,
    balance: &ClassBalance,
    may_lack: bool,
) -> Result<Credits, ProjectError> {
    let class = balance.class;
    let known = work.connection.query(
        "SELECT spent FROM wallets WHERE owner = ?1 AND class = ?2",
        &[owner.into(), class.0.into()],
    )?;
    let before = known.first().map_or(Ok(0), |row| row.credits(0))?;
    let charged = work.charged.remove(&(owner, class)).unwrap_or_default();
    let back = (before + charged).checked_sub(balance.amounts.spent).ok_or_else(|| {
        work.misfit(format!("a wallet spent more in class {} than its receipts cost", class.0))
    })?;
    let mut missing = 0;
    if back > 0 {
        let given = if may_lack { settlements::listed(work, owner, class)?.min(back) } else { back };
        settlements::give(work, owner, class, given)?;
        missing = back - given;
        work.days.add_back((owner, work.day(), class), given, missing);
    }
    let ends = balance.reservations.iter().map(|reservation| reservation.expires_at);
    let changes_at: Option<Moment> = ends.chain(balance.expires_next).min();
    let reservations =
        serde_json::to_string(&balance.reservations).map_err(|error| work.misfit(error.to_string()))?;
    let mut args: Vec<Value> = vec![owner.into(), class.0.into()];
    args.extend(amounts(&balance.amounts));
    args.extend([balance.expires_next.into(), balance.frozen.into(), reservations.into(), changes_at.into()]);
    work.connection.execute(
        "INSERT INTO wallets (owner, class, granted, available, reserved, spent, expired, revoked,
         expires_next, frozen, reservations, changes_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
         ON CONFLICT (owner, class) DO UPDATE SET granted = excluded.granted,
         available = excluded.available, reserved = excluded.reserved, spent = excluded.spent,
         expired = excluded.expired, revoked = excluded.revoked, expires_next = excluded.expires_next,
         frozen = excluded.frozen, reservations = excluded.reservations, changes_at = excluded.changes_at",
        &args,
    )?;
    Ok(missing)
}

fn amounts(amounts: &Amounts) -> [Value; 6] {
    [
        amounts.granted.into(),
        amounts.available.into(),
        amounts.reserved.into(),
        amounts.spent.into(),
        amounts.expired.into(),
        amounts.revoked.into(),
    ]
}

fn write_entitlement(work: &mut Work, owner: i64, item: &EntitlementView) -> Result<(), ProjectError> {
    let issuer = work.account(&item.issuer)?;
    let mut args: Vec<Value> = vec![
        item.id.into(),
        owner.into(),
        item.class.0.into(),
        issuer.into(),
        item.program.into(),
        item.valid_from.into(),
        item.valid_until.into(),
    ];
    args.extend(amounts(&item.amounts));
    work.connection.execute(
        "INSERT INTO entitlements (id, owner, class, issuer, program, valid_from, valid_until, granted,
         available, reserved, spent, expired, revoked)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (id) DO UPDATE SET granted = excluded.granted, available = excluded.available,
         reserved = excluded.reserved, spent = excluded.spent, expired = excluded.expired,
         revoked = excluded.revoked, valid_until = excluded.valid_until",
        &args,
    )?;
    Ok(())
}

/// Writes classes, budgets and price books.
pub(super) fn write_registries(work: &mut Work) -> Result<(), ProjectError> {
    let state = work.state;
    for (id, class) in &state.classes {
        let unattested = match class.unattested {
            UnattestedPolicy::Refund => "refund",
            UnattestedPolicy::Accept => "accept",
        };
        work.connection.execute(
            "INSERT INTO classes (id, name, unattested) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, unattested = excluded.unattested",
            &[id.0.into(), text(&class.name).into(), unattested.into()],
        )?;
    }
    for (id, program) in &state.programs {
        let owner = work.account(&program.owner)?;
        work.connection.execute(
            "INSERT INTO programs (id, owner, name, class, parent, budget, unminted, granted, delegated)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, name = excluded.name,
             budget = excluded.budget, unminted = excluded.unminted, granted = excluded.granted,
             delegated = excluded.delegated",
            &[
                (*id).into(),
                owner.into(),
                text(&program.name).into(),
                program.class.0.into(),
                program.parent.into(),
                program.budget.into(),
                program.unminted.into(),
                program.granted.into(),
                program.delegated.into(),
            ],
        )?;
    }
    for book in &state.books {
        for entry in &book.entries {
            work.connection.execute(
                "INSERT INTO prices (book, model, name, class, premium, c_input, c_cached, c_output, c_model,
                 weight, reference_input, reference_output)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                &[
                    book.version.into(),
                    entry.model.0.into(),
                    text(&entry.name).into(),
                    entry.class.0.into(),
                    entry.premium.into(),
                    Credits::from(entry.c_input).into(),
                    Credits::from(entry.c_cached).into(),
                    Credits::from(entry.c_output).into(),
                    Credits::from(entry.c_model).into(),
                    entry.weight.into(),
                    Credits::from(entry.reference_input).into(),
                    Credits::from(entry.reference_output).into(),
                ],
            )?;
        }
    }
    Ok(())
}

fn text(name: &Name) -> String {
    String::from_utf8_lossy(name).into_owned()
}
