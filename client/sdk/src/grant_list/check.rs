//! Checking rows against the chain before anything is sent.

use std::collections::{BTreeMap, HashMap};

use pallet_entitlements::SLICES_MAX;
use sp_core::crypto::Ss58Codec;
use stipend_primitives::{
    mint::Grant,
    view::{BasketRow, ClassAllowance, IssuerAllowance, Program},
    AccountId, BasketId, ClassId, Credits, Moment, ProgramId,
};

use crate::{amount::credits, moment};

use super::{
    fault::{Fault, Faults},
    rows::Row,
};

#[cfg(test)]
mod tests;

/// A basket: who mints it, and the program and the credits of each line.
type Basket = (AccountId, Vec<(ProgramId, Credits)>);

/// What the chain says that matters to grants.
#[derive(Clone, Debug)]
pub struct Ledger {
    issuer: AccountId,
    /// What the issuer may still mint; `None`: it is no issuer.
    allowance: Option<IssuerAllowance>,
    programs: HashMap<ProgramId, Program>,
    baskets: HashMap<BasketId, Basket>,
    held: Held,
}

/// Entitlements of an owner and class that still hold credits.
pub type Held = BTreeMap<(AccountId, ClassId), usize>;

impl Ledger {
    /// Of an issuer: what it may still mint, all programs and all baskets.
    pub fn new(
        issuer: AccountId,
        allowance: Option<IssuerAllowance>,
        programs: Vec<(ProgramId, Program)>,
        baskets: Vec<BasketRow>,
    ) -> Self {
        let basket = |(id, issuer, _, lines): BasketRow| {
            (id, (issuer, lines.into_iter().map(|(program, amount, _)| (program, amount)).collect()))
        };
        Ledger {
            issuer,
            allowance,
            programs: programs.into_iter().collect(),
            baskets: baskets.into_iter().map(basket).collect(),
            held: Held::new(),
        }
    }

    /// With what owners hold already.
    pub fn holding(self, held: Held) -> Self {
        Ledger { held, ..self }
    }

    /// The owners who are granted several entitlements: those whose wallets may become full.
    pub fn owners_of_several<'a>(&self, rows: impl IntoIterator<Item = &'a Row>) -> Vec<AccountId> {
        let mut counts: BTreeMap<&AccountId, usize> = BTreeMap::new();
        for row in rows {
            *counts.entry(&row.owner).or_default() += self.lines(&row.grant).len();
        }
        counts.into_iter().filter(|(_, count)| *count > 1).map(|(owner, _)| owner.clone()).collect()
    }

    /// The entitlements that a grant makes: the program and the credits of each.
    pub fn lines(&self, grant: &Grant) -> Vec<(ProgramId, Credits)> {
        match grant {
            Grant::One { program, amount, .. } => vec![(*program, *amount)],
            Grant::Basket { basket } => {
                self.baskets.get(basket).map(|(_, lines)| lines.clone()).unwrap_or_default()
            }
        }
    }

    /// Credits that a grant takes of the issuer's allowance, per class.
    fn classes(&self, grant: &Grant) -> BTreeMap<ClassId, Credits> {
        let mut totals = BTreeMap::new();
        for (program, amount) in self.lines(grant) {
            if let Some(program) = self.programs.get(&program) {
                let total: &mut Credits = totals.entry(program.class).or_default();
                *total = total.saturating_add(amount);
            }
        }
        totals
    }

    /// The name of a class; its number where no allowance names it.
    fn class_name(&self, class: ClassId) -> String {
        let classes = self.allowance.iter().flat_map(|allowance| &allowance.classes);
        let known = classes.into_iter().find(|row| row.class == class);
        known.map_or_else(|| format!("class {}", class.0), |row| text(&row.name))
    }

    /// Credits that rows take from each program.
    pub fn totals<'a>(&self, rows: impl IntoIterator<Item = &'a Row>) -> Vec<(ProgramId, Credits)> {
        let mut totals = BTreeMap::new();
        for (program, amount) in rows.into_iter().flat_map(|row| self.lines(&row.grant)) {
            let total: &mut Credits = totals.entry(program).or_default();
            *total = total.saturating_add(amount);
        }
        totals.into_iter().collect()
    }

    /// Whether the issuer owns the program or one above it.
    fn may_mint_from(&self, program: ProgramId) -> bool {
        let mut next = Some(program);
        // A program's parent is older than itself, so this ends.
        while let Some(program) = next.and_then(|id| self.programs.get(&id)) {
            if program.owner == self.issuer {
                return true;
            }
            next = program.parent;
        }
        false
    }

    /// Everything for which the chain would refuse these rows, as it is now.
    pub fn faults<'a>(&self, rows: impl IntoIterator<Item = &'a Row> + Clone, now: Moment) -> Vec<Fault> {
        [over(rows.clone(), now), against(rows, self)].concat()
    }

    /// What a program is, if there is one.
    pub fn program(&self, id: ProgramId) -> Option<&Program> {
        self.programs.get(&id)
    }

    /// What the issuer may still mint; `None`: it is no issuer.
    pub fn allowance(&self) -> Option<&IssuerAllowance> {
        self.allowance.as_ref()
    }

    fn fault_of(&self, program: ProgramId) -> Option<String> {
        if !self.programs.contains_key(&program) {
            return Some(format!("there is no program {program}; see `stipend programs list`"));
        }
        (!self.may_mint_from(program)).then(|| {
            format!(
                "the signing key owns neither program {program} nor one above it; sign with its owner's key"
            )
        })
    }
}

/// A name of the chain's: nothing in it may move a terminal's cursor.
fn text(name: &[u8]) -> String {
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
fn against<'a>(rows: impl IntoIterator<Item = &'a Row>, ledger: &Ledger) -> Vec<Fault> {
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
