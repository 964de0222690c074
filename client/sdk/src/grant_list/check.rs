//! Checking rows against the chain before anything is sent.

use std::collections::BTreeMap;

use pallet_entitlements::SLICES_MAX;
use sp_core::crypto::Ss58Codec;
use stipend_primitives::{
    mint::Grant,
    view::{ClassAllowance, IssuerAllowance},
    AccountId, ClassId, Credits, Moment,
};

use crate::{amount::credits, moment};

use super::{
    fault::{Fault, Faults},
    ledger::Ledger,
    rows::Row,
};

#[cfg(test)]
mod tests;

/// A name of the chain's: nothing in it may move a terminal's cursor.
pub(super) fn text(name: &[u8]) -> String {
    let letters = String::from_utf8_lossy(name);
    letters.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

/// The rows whose time is over before they are granted.
pub fn over<'a>(rows: impl IntoIterator<Item = &'a Row>, now: Moment) -> Vec<Fault> {
    let mut faults = Faults::default();
    for row in rows {
        if matches!(row.grant, Grant::One { valid_until: Some(end), .. } if end <= now) {
            faults.add(
                row.line,
                "valid_until",
                "it would be expired already: its end is in the past; let it begin or end later".into(),
            );
        }
    }
    faults.into_vec()
}

/// Everything for which the chain would refuse these rows as it is now.
pub(super) fn against<'a>(rows: impl IntoIterator<Item = &'a Row>, ledger: &Ledger) -> Vec<Fault> {
    let rows: Vec<&Row> = rows.into_iter().collect();
    let mut faults = Faults::default();
    if rows.is_empty() {
        return faults.into_vec();
    }
    if ledger.allowance.is_none() {
        faults.add_whole("the signing key is not an issuer; the council grants the role with `stipend roles grant issuer ADDRESS`");
    }
    for row in &rows {
        if let Grant::Basket { basket } = &row.grant {
            match ledger.baskets.get(basket) {
                None => {
                    faults.add(row.line, "basket", format!("there is no basket {basket}; see `stipend baskets list`"));
                }
                Some((issuer, _)) if *issuer != ledger.issuer => faults.add(
                    row.line,
                    "basket",
                    format!(
                        "basket {basket} is minted only by {}, who set it; set one of your own with `stipend baskets set`",
                        issuer.to_ss58check()
                    ),
                ),
                Some(_) => {}
            }
        }
        for (program, _) in ledger.lines(&row.grant) {
            if let Some(reason) = ledger.fault_of(program) {
                faults.add(row.line, column(&row.grant, "program"), reason);
            }
        }
    }
    if let Some(allowance) = &ledger.allowance {
        large(&rows, ledger, allowance, &mut faults);
        beyond(&rows, ledger, allowance, &mut faults);
    }
    room(&rows, ledger, &mut faults);
    for (program, total) in ledger.totals(rows) {
        match ledger.programs.get(&program) {
            Some(budget) if budget.unminted < total => faults.add_whole(format!(
                "program {program} has {} credits left, the rows take {}; raise the budget or grant less",
                credits(budget.unminted),
                credits(total)
            )),
            _ => {}
        }
    }
    faults.into_vec()
}

/// The column that a fault of a grant stands in: a basket has one alone.
fn column(grant: &Grant, of_one: &'static str) -> &'static str {
    match grant {
        Grant::One { .. } => of_one,
        Grant::Basket { .. } => "basket",
    }
}

/// Names the rows that one issuer cannot grant alone.
fn large(rows: &[&Row], ledger: &Ledger, allowance: &IssuerAllowance, faults: &mut Faults) {
    for row in rows {
        let amounts = ledger.lines(&row.grant).into_iter().map(|(_, amount)| amount);
        let total = amounts.fold(0, Credits::saturating_add);
        if total > allowance.large_mint {
            let message = format!(
                "more than {} credits in one grant take two issuers; grant these apart with --detached, and have another issuer run `stipend mint cosign` on what that prints",
                credits(allowance.large_mint)
            );
            faults.add(row.line, column(&row.grant, "amount"), message);
        }
    }
}

/// Names the rows that do not fit into what the issuer may still mint, when those before them that fit
/// are granted.
fn beyond(rows: &[&Row], ledger: &Ledger, allowance: &IssuerAllowance, faults: &mut Faults) {
    let limits: BTreeMap<ClassId, &ClassAllowance> =
        allowance.classes.iter().map(|row| (row.class, row)).collect();
    let mut left: BTreeMap<ClassId, Credits> = limits.iter().map(|(class, row)| (*class, row.left)).collect();
    for row in rows {
        let asked = ledger.classes(&row.grant);
        let lacking = asked.iter().find(|(class, amount)| left.get(class).is_some_and(|left| left < amount));
        match lacking {
            Some((class, _)) => {
                let Some(limit) = limits.get(class) else { continue };
                let message = format!(
                    "does not fit into what the signing key may still mint: {} credits of {} until {}; keep such rows for the next period, or ask the council for `stipend mint set-allowance`",
                    credits(limit.left),
                    text(&limit.name),
                    moment::written(allowance.period_ends_at)
                );
                faults.add(row.line, column(&row.grant, "amount"), message);
            }
            None => {
                for (class, amount) in asked {
                    if let Some(left) = left.get_mut(&class) {
                        *left -= amount;
                    }
                }
            }
        }
    }
}

/// Names the rows that make an owner hold more entitlements of a class than a wallet has room for.
fn room(rows: &[&Row], ledger: &Ledger, faults: &mut Faults) {
    let mut added: BTreeMap<(&AccountId, ClassId), Vec<u64>> = BTreeMap::new();
    for row in rows {
        for (program, _) in ledger.lines(&row.grant) {
            if let Some(program) = ledger.programs.get(&program) {
                added.entry((&row.owner, program.class)).or_default().push(row.line);
            }
        }
    }
    for ((owner, class), lines) in added {
        let held = ledger.held.get(&(owner.clone(), class)).copied().unwrap_or_default();
        if held + lines.len() > SLICES_MAX as usize {
            let message = format!(
                "{} holds {held} entitlements with credits left and would get {} more of {}; a wallet has room for {SLICES_MAX} of a class: grant fewer and larger parts, or the rest later",
                owner.to_ss58check(),
                lines.len(),
                ledger.class_name(class),
            );
            for line in lines {
                faults.add(line, "owner", message.clone());
            }
        }
    }
}
