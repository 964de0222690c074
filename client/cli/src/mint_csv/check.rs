//! Checking rows against the chain before anything is sent.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use stipend_sdk::primitives::{
    mint::Grant,
    view::{BasketRow, ClassAllowance, IssuerAllowance, Program},
    AccountId, BasketId, ClassId, Credits, ProgramId,
};

use crate::{amount::credits, parse, time};

use super::rows::Row;

/// Something wrong with the file: on some of its lines, or as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    lines: Vec<u64>,
    message: String,
}

impl Fault {
    pub(super) fn at(line: u64, message: impl Into<String>) -> Self {
        Fault { lines: vec![line], message: message.into() }
    }

    pub(super) fn whole(message: impl Into<String>) -> Self {
        Fault { lines: Vec::new(), message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lines.as_slice() {
            [] => {}
            [line] => write!(formatter, "line {line}: ")?,
            lines => write!(formatter, "lines {}: ", ranges(lines))?,
        }
        formatter.write_str(&self.message)
    }
}

/// Writes sorted numbers with those that follow each other as one range.
fn ranges(lines: &[u64]) -> String {
    let consecutive = |one: &u64, next: &u64| one + 1 == *next;
    let texts = lines.chunk_by(consecutive).map(|run| match run {
        [first, .., last] => format!("{first} to {last}"),
        single => single.iter().map(u64::to_string).collect(),
    });
    texts.collect::<Vec<_>>().join(", ")
}

/// Collects the lines that have the same thing wrong with them.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, line: u64, message: String) {
        match self.0.iter_mut().find(|fault| !fault.lines.is_empty() && fault.message == message) {
            Some(fault) if fault.lines.last() == Some(&line) => {}
            Some(fault) => fault.lines.push(line),
            None => self.0.push(Fault::at(line, message)),
        }
    }
}

/// A basket: who mints it, and the program and the credits of each line.
type Basket = (AccountId, Vec<(ProgramId, Credits)>);

/// What the chain says that matters to grants.
pub(super) struct Ledger {
    issuer: AccountId,
    /// What the issuer may still mint; `None`: it is no issuer.
    allowance: Option<IssuerAllowance>,
    programs: HashMap<ProgramId, Program>,
    baskets: HashMap<BasketId, Basket>,
}

impl Ledger {
    pub(super) fn new(
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
        }
    }

    /// The entitlements that a grant makes: the program and the credits of each.
    pub(super) fn lines(&self, grant: &Grant) -> Vec<(ProgramId, Credits)> {
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

    /// Credits that rows take from each program.
    pub(super) fn totals<'a>(&self, rows: impl IntoIterator<Item = &'a Row>) -> Vec<(ProgramId, Credits)> {
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

/// Everything for which the chain would refuse these rows as it is now.
pub(super) fn against<'a>(rows: impl IntoIterator<Item = &'a Row>, ledger: &Ledger) -> Vec<Fault> {
    let rows: Vec<&Row> = rows.into_iter().collect();
    let mut faults = Faults::default();
    if rows.is_empty() {
        return faults.0;
    }
    if ledger.allowance.is_none() {
        faults.0.push(Fault::whole("the signing key is not an issuer; the council grants the role with `stipend roles grant issuer ADDRESS`"));
    }
    for row in &rows {
        if let Grant::Basket { basket } = &row.grant {
            match ledger.baskets.get(basket) {
                None => {
                    faults.add(row.line, format!("there is no basket {basket}; see `stipend baskets list`"));
                }
                Some((issuer, _)) if *issuer != ledger.issuer => faults.add(
                    row.line,
                    format!(
                        "basket {basket} is minted only by {}, who set it; set one of your own with `stipend baskets set`",
                        parse::address(issuer)
                    ),
                ),
                Some(_) => {}
            }
        }
        for (program, _) in ledger.lines(&row.grant) {
            if let Some(reason) = ledger.fault_of(program) {
                faults.add(row.line, reason);
            }
        }
    }
    if let Some(allowance) = &ledger.allowance {
        large(&rows, ledger, allowance, &mut faults);
        beyond(&rows, ledger, allowance, &mut faults);
    }
    for (program, total) in ledger.totals(rows) {
        match ledger.programs.get(&program) {
            Some(budget) if budget.unminted < total => faults.0.push(Fault::whole(format!(
                "program {program} has {} credits left, the rows take {}; raise the budget or grant less",
                credits(budget.unminted),
                credits(total)
            ))),
            _ => {}
        }
    }
    faults.0
}

/// Names the rows that one issuer cannot grant alone.
fn large(rows: &[&Row], ledger: &Ledger, allowance: &IssuerAllowance, faults: &mut Faults) {
    for row in rows {
        let amounts = ledger.lines(&row.grant).into_iter().map(|(_, amount)| amount);
        let total = amounts.fold(0, Credits::saturating_add);
        if total > allowance.large_mint {
            let message = format!(
                "more than {} credits in one grant take two issuers; put such rows into a file of their own, sign it with `stipend mint csv FILE --detached`, and have another issuer run `stipend mint cosign` on what that prints",
                credits(allowance.large_mint)
            );
            faults.add(row.line, message);
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
                    parse::text(&limit.name),
                    time::moment(allowance.period_ends_at)
                );
                faults.add(row.line, message);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn program(owner: &str, parent: Option<ProgramId>, unminted: Credits) -> Program {
        Program {
            owner: parse::account(owner).unwrap(),
            name: parse::name("p").unwrap(),
            class: ClassId::INNOVATION,
            parent,
            budget: unminted,
            unminted,
            granted: 0,
            delegated: 0,
        }
    }

    fn allowance(left: Credits) -> IssuerAllowance {
        let row = ClassAllowance {
            class: ClassId::INNOVATION,
            name: parse::name("Innovation").unwrap(),
            allowance: 1_000,
            minted: 1_000 - left,
            left,
        };
        IssuerAllowance { period_ends_at: 86_400_000, large_mint: 100, classes: vec![row] }
    }

    fn ledger(allowance: Option<IssuerAllowance>) -> Ledger {
        let [alice, bob] = ["//Alice", "//Bob"].map(|name| parse::account(name).unwrap());
        Ledger::new(
            alice.clone(),
            allowance,
            vec![
                (0, program("//Alice", None, 10)),
                (1, program("//Bob", Some(0), 10)),
                (2, program("//Bob", None, 10)),
                (3, program("//Alice", None, 10_000)),
            ],
            vec![
                (5, alice, b"b".to_vec(), vec![(0, 3, None), (1, 4, Some(1))]),
                (7, bob, b"bob's".to_vec(), vec![(1, 1, None)]),
            ],
        )
    }

    fn row(line: u64, grant: Grant) -> Row {
        Row { line, owner: parse::account("//Dave").unwrap(), grant }
    }

    fn one(line: u64, program: ProgramId, amount: Credits) -> Row {
        row(line, Grant::One { program, amount, valid_from: None, valid_until: None })
    }

    fn faults(rows: &[Row]) -> Vec<String> {
        faults_with(1_000, rows)
    }

    fn faults_with(left: Credits, rows: &[Row]) -> Vec<String> {
        against(rows, &ledger(Some(allowance(left)))).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn own_programs_and_those_below_are_in_order() {
        assert_eq!(faults(&[one(2, 0, 10), one(3, 1, 10)]), Vec::<String>::new());
    }

    #[test]
    fn another_owners_program_is_named_with_the_line() {
        let faults = faults(&[one(2, 0, 1), one(3, 2, 1)]);
        assert!(
            faults.len() == 1 && faults[0].starts_with("line 3: the signing key owns neither"),
            "{faults:?}"
        );
    }

    #[test]
    fn lines_with_the_same_fault_are_named_together() {
        let basket = row(9, Grant::Basket { basket: 6 });
        let faults = faults(&[one(2, 2, 1), one(3, 2, 1), one(4, 2, 1), one(5, 0, 1), one(7, 2, 1), basket]);
        assert!(faults[0].starts_with("lines 2 to 4, 7: the signing key owns neither"), "{faults:?}");
        assert!(faults[1].starts_with("line 9: there is no basket 6"), "{faults:?}");
    }

    #[test]
    fn unknown_programs_and_baskets_are_named_with_the_line() {
        let faults = faults(&[one(2, 9, 1), row(3, Grant::Basket { basket: 6 })]);
        assert!(faults[0].starts_with("line 2: there is no program 9"), "{faults:?}");
        assert!(faults[1].starts_with("line 3: there is no basket 6"), "{faults:?}");
    }

    #[test]
    fn rows_that_take_more_than_a_budget_has_are_refused_together() {
        let basket = |line| row(line, Grant::Basket { basket: 5 });
        assert_eq!(faults(&[basket(2), basket(3), one(4, 0, 4)]), Vec::<String>::new());
        let faults = faults(&[basket(2), basket(3), one(4, 0, 5)]);
        assert_eq!(faults.len(), 1);
        assert!(
            faults[0].starts_with("program 0 has 0.000010 credits left, the rows take 0.000011"),
            "{faults:?}"
        );
    }

    #[test]
    fn a_signer_that_is_no_issuer_is_told_so() {
        let faults = against(&[one(2, 0, 1)], &ledger(None));
        assert!(faults[0].to_string().contains("is not an issuer"));
    }

    #[test]
    fn nothing_left_to_send_has_no_fault() {
        assert!(against(&[], &ledger(None)).is_empty());
    }

    #[test]
    fn another_issuers_basket_is_named_with_its_issuer() {
        let faults = faults(&[row(4, Grant::Basket { basket: 7 })]);
        let bob = parse::address(&parse::account("//Bob").unwrap());
        assert!(faults[0].starts_with("line 4: basket 7 is minted only by") && faults[0].contains(&bob));
    }

    #[test]
    fn rows_that_do_not_fit_into_the_allowance_are_named_and_smaller_ones_after_them_are_not() {
        let rows = [one(2, 3, 60), one(3, 3, 50), one(4, 3, 40), one(5, 3, 1), one(6, 3, 7)];
        assert_eq!(faults_with(158, &rows), Vec::<String>::new());
        let faults = faults_with(101, &rows);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("lines 3, 6: does not fit"), "{faults:?}");
        assert!(
            faults[0].contains("0.000101 credits of Innovation until 1970-01-02T00:00:00Z"),
            "{faults:?}"
        );
    }

    #[test]
    fn lines_of_a_basket_count_together_against_the_allowance() {
        let basket = |line| row(line, Grant::Basket { basket: 5 });
        assert_eq!(faults_with(7, &[basket(2)]), Vec::<String>::new());
        assert!(faults_with(6, &[basket(2)])[0].starts_with("line 2: does not fit"));
    }

    #[test]
    fn rows_that_take_two_issuers_are_named_with_the_way_to_grant_them() {
        let faults = faults(&[one(2, 3, 100), one(3, 3, 101)]);
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("line 3: more than 0.000100 credits"), "{faults:?}");
        assert!(faults[0].contains("mint cosign"), "{faults:?}");
    }
}
