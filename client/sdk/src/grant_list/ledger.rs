//! What the chain says that matters to grants.

use std::collections::{BTreeMap, HashMap};

use stipend_primitives::{
    mint::Grant,
    view::{BasketRow, IssuerAllowance, Program},
    AccountId, BasketId, ClassId, Credits, Moment, ProgramId,
};

use super::{
    check::{against, over, text},
    fault::Fault,
    rows::Row,
};

/// A basket: who mints it, and the program and the credits of each line.
type Basket = (AccountId, Vec<(ProgramId, Credits)>);

/// What the chain says that matters to grants.
#[derive(Clone, Debug)]
pub struct Ledger {
    pub(super) issuer: AccountId,
    /// What the issuer may still mint; `None`: it is no issuer.
    pub(super) allowance: Option<IssuerAllowance>,
    pub(super) programs: HashMap<ProgramId, Program>,
    pub(super) baskets: HashMap<BasketId, Basket>,
    pub(super) held: Held,
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
    pub(super) fn classes(&self, grant: &Grant) -> BTreeMap<ClassId, Credits> {
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
    pub(super) fn class_name(&self, class: ClassId) -> String {
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

    pub(super) fn fault_of(&self, program: ProgramId) -> Option<String> {
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
