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
use crate::{
    db::{query_many, Answer, Connection, Row, Target, Value},
    read::prices::number_16,
};

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
    let owners: Vec<i64> =
        state.wallets.iter().map(|(owner, ..)| work.account(owner)).collect::<Answer<_>>()?;
    work.programs.look_up(work.connection, &owners)?;
    let known = known(work.connection, &owners)?;
    let (mut lost, mut rows, mut changed) = (BTreeMap::new(), Vec::new(), Vec::new());
    for (owner, (_, balances, entitlements)) in owners.into_iter().zip(&state.wallets) {
        for balance in balances {
            let row = known.get(&(owner, balance.class));
            let before = row.map_or(Ok(0), |row| row.credits(SPENT))?;
            let missing = compare(work, owner, balance, before, uncollected > 0)?;
            if missing > 0 {
                lost.insert((owner, balance.class), missing);
            }
            let new = balance_row(work, owner, balance)?;
            if row.is_none_or(|row| row.0 != new) {
                rows.push(new);
            }
        }
        for item in entitlements.iter().filter(|item| work.programs.is_news(owner, item)) {
            let issuer = work.accounts.number(work.connection, &item.issuer)?;
            changed.push(entitlement_row(owner, issuer, item));
        }
    }
    work.connection.put(&WALLETS, &rows)?;
    work.connection.put(&ENTITLEMENTS, &changed)?;
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

/// Wallets as they were before the block.
fn known(connection: &mut dyn Connection, owners: &[i64]) -> Answer<BTreeMap<(i64, ClassId), Row>> {
    let owners: Vec<Value> = owners.iter().map(|owner| (*owner).into()).collect();
    let sql = format!("SELECT {} FROM wallets WHERE owner IN (KEYS)", WALLETS.columns.join(", "));
    let rows = query_many(connection, &sql, &[], &owners)?;
    rows.into_iter().map(|row| Ok(((row.int(0)?, ClassId(number_16(&row, 1)?)), row))).collect()
}

/// Holds a balance against what was charged: notes what went back, and returns what nobody covered.
fn compare(
    work: &mut Work,
    owner: i64,
    balance: &ClassBalance,
    before: Credits,
    may_lack: bool,
) -> Result<Credits, ProjectError> {
    let class = balance.class;
    let charged = work.charged.remove(&(owner, class)).unwrap_or_default();
    let back = (before + charged).checked_sub(balance.amounts.spent).ok_or_else(|| {
        work.misfit(format!("a wallet spent more in class {} than its receipts cost", class.0))
    })?;
    if back == 0 {
        return Ok(0);
    }
    let given = if may_lack { settlements::listed(work, owner, class)?.min(back) } else { back };
    settlements::give(work, owner, class, given)?;
    work.days.add_back((owner, work.day(), class), given, back - given);
    Ok(back - given)
}

const WALLETS: Target = Target {
    table: "wallets",
    columns: &[
        "owner",
        "class",
        "granted",
        "available",
        "reserved",
        "spent",
        "expired",
        "revoked",
        "expires_next",
        "frozen",
        "reservations",
        "changes_at",
    ],
    keys: 2,
};

/// The place of `spent` among these columns.
const SPENT: usize = 5;

fn balance_row(work: &Work, owner: i64, balance: &ClassBalance) -> Result<Vec<Value>, ProjectError> {
    let ends = balance.reservations.iter().map(|reservation| reservation.expires_at);
    let changes_at: Option<Moment> = ends.chain(balance.expires_next).min();
    let reservations =
        serde_json::to_string(&balance.reservations).map_err(|error| work.misfit(error.to_string()))?;
    let mut row: Vec<Value> = vec![owner.into(), balance.class.0.into()];
    row.extend(amounts(&balance.amounts));
    row.extend([balance.expires_next.into(), balance.frozen.into(), reservations.into(), changes_at.into()]);
    Ok(row)
}

pub(super) fn amounts(amounts: &Amounts) -> [Value; 6] {
    [
        amounts.granted.into(),
        amounts.available.into(),
        amounts.reserved.into(),
        amounts.spent.into(),
        amounts.expired.into(),
        amounts.revoked.into(),
    ]
}

const ENTITLEMENTS: Target = Target {
    table: "entitlements",
    columns: &[
        "id",
        "owner",
        "class",
        "issuer",
        "program",
        "valid_from",
        "valid_until",
        "granted",
        "available",
        "reserved",
        "spent",
        "expired",
        "revoked",
    ],
    keys: 1,
};

fn entitlement_row(owner: i64, issuer: i64, item: &EntitlementView) -> Vec<Value> {
    let mut row: Vec<Value> = vec![
        item.id.into(),
        owner.into(),
        item.class.0.into(),
        issuer.into(),
        item.program.into(),
        item.valid_from.into(),
        item.valid_until.into(),
    ];
    row.extend(amounts(&item.amounts));
    row
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

/// A name as text. PostgreSQL's text has no zero byte, and a chain's name may.
fn text(name: &Name) -> String {
    String::from_utf8_lossy(name).replace('\0', "\u{FFFD}")
}
