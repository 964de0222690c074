//! What became of each budget's grants, as running sums: a budget may have more grants than a page has time
//! to add up.
//!
//! What one wallet adds to the sums follows from its grants and from its energy. So a block takes away what
//! the wallets that it touches added before, and adds what they add now.

use std::collections::{BTreeMap, BTreeSet};

use stipend_primitives::{
    energy::part_of,
    view::{Amounts, EntitlementView},
    ClassId, Credits, EntitlementId, Moment, ProgramId,
};

use super::{apply::Work, ledger::amounts, ProjectError};
use crate::{
    db::{query_many, Answer, Connection, Row, Target, Value},
    read::{amounts_of, prices::number_16},
};

/// A grant as far as sums go.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    program: ProgramId,
    class: ClassId,
    valid_until: Option<Moment>,
    amounts: Amounts,
}

impl From<&EntitlementView> for Held {
    fn from(item: &EntitlementView) -> Self {
        let EntitlementView { program, class, valid_until, amounts, .. } = item;
        Held { program: *program, class: *class, valid_until: *valid_until, amounts: *amounts }
    }
}

type Grants = BTreeMap<EntitlementId, Held>;

/// The grants of the wallets that a block touches, as they were before it.
#[derive(Default)]
pub(super) struct Programs(BTreeMap<i64, Grants>);

impl Programs {
    /// Reads the grants of wallets. It has to be before they are written.
    pub(super) fn look_up(&mut self, connection: &mut dyn Connection, owners: &[i64]) -> Answer<()> {
        let unknown: Vec<i64> = owners.iter().copied().filter(|owner| !self.0.contains_key(owner)).collect();
        let keys: Vec<Value> = unknown.iter().map(|owner| (*owner).into()).collect();
        self.0.extend(unknown.into_iter().map(|owner| (owner, Grants::new())));
        let sql =
            "SELECT owner, id, program, class, valid_until, granted, available, reserved, spent, expired,
             revoked FROM entitlements WHERE owner IN (KEYS)";
        for row in query_many(connection, sql, &[], &keys)? {
            let held = Held {
                program: row.small(2)?,
                class: ClassId(number_16(&row, 3)?),
                valid_until: row.int_or_none(4)?.and_then(|moment| Moment::try_from(moment).ok()),
                amounts: amounts_of(&row, 5)?,
            };
            self.0.entry(row.int(0)?).or_default().insert(row.count(1)?, held);
        }
        Ok(())
    }

    /// Whether a grant is not in the tables as it is now.
    pub(super) fn is_news(&self, owner: i64, item: &EntitlementView) -> bool {
        let known = self.0.get(&owner).and_then(|grants| grants.get(&item.id));
        known != Some(&Held::from(item))
    }
}

/// Sums of one budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sums {
    grants: u64,
    owners: u64,
    amounts: Amounts,
    energy_mj: u128,
}

/// What wallets add to the sums.
#[derive(Debug, Default)]
struct Part {
    sums: BTreeMap<ProgramId, Sums>,
    /// Grants that have something left, and what, by budget and end.
    ends: BTreeMap<(ProgramId, Moment), (u64, Credits)>,
}

impl Part {
    /// Adds what one wallet adds.
    fn add(&mut self, grants: &Grants, energy: impl Fn(ClassId) -> u128) {
        let mut spent: BTreeMap<ClassId, BTreeMap<ProgramId, Credits>> = BTreeMap::new();
        for held in grants.values() {
            let sums = self.sums.entry(held.program).or_default();
            sums.grants += 1;
            sums.amounts = plus(&sums.amounts, &held.amounts);
            let here = spent.entry(held.class).or_default().entry(held.program).or_default();
            *here += held.amounts.spent;
            let left = held.amounts.available + held.amounts.reserved;
            if let (Some(until), true) = (held.valid_until, left > 0) {
                let end = self.ends.entry((held.program, until)).or_default();
                *end = (end.0 + 1, end.1 + left);
            }
        }
        // The wallet's energy in a class is its budgets' by what their grants paid; the parts add up to it.
        for (class, by_program) in spent {
            let all = by_program.values().sum();
            let whole = u64::try_from(energy(class)).unwrap_or(u64::MAX);
            let mut before = 0;
            for (program, here) in by_program {
                let sums = self.sums.entry(program).or_default();
                sums.owners += 1;
                if here > 0 {
                    sums.energy_mj += u128::from(part_of(whole, before, here, all));
                }
                before += here;
            }
        }
    }
}

fn plus(one: &Amounts, other: &Amounts) -> Amounts {
    crate::read::grants::total([one, other].into_iter())
}

/// Brings the sums up to date. Everything else of the block has been written.
pub(super) fn write(work: &mut Work) -> Result<(), ProjectError> {
    let added = work.days.energy();
    let mut owners: BTreeSet<i64> = work.programs.0.keys().copied().collect();
    owners.extend(added.keys().map(|(owner, _)| *owner));
    let owners: Vec<i64> = owners.into_iter().collect();
    // Those that only energy was added to have the grants that they had.
    work.programs.look_up(work.connection, &owners)?;
    let energy = energy_of(work.connection, &owners)?;
    let mut now = std::mem::take(&mut work.programs.0);
    let (mut gone, mut come) = (Part::default(), Part::default());
    let of = |owner, class| energy.get(&(owner, class)).copied().unwrap_or_default();
    for (owner, grants) in &now {
        gone.add(grants, |class| of(*owner, class));
    }
    for (owner, _, items) in &work.state.wallets {
        let grants = now.entry(work.accounts.number(work.connection, owner)?).or_default();
        grants.extend(items.iter().map(|item| (item.id, Held::from(item))));
    }
    for (owner, grants) in &now {
        let more = |class| added.get(&(*owner, class)).copied().unwrap_or_default();
        come.add(grants, |class| of(*owner, class) + more(class));
    }
    let rows: Vec<Vec<Value>> = added
        .iter()
        .map(|((owner, class), more)| {
            vec![(*owner).into(), class.0.into(), (of(*owner, *class) + more).into()]
        })
        .collect();
    work.connection.put(&ENERGY, &rows)?;
    write_sums(work, &gone, &come)?;
    write_ends(work, &gone, &come)
}

const ENERGY: Target = Target { table: "energy", columns: &["owner", "class", "energy_mj"], keys: 2 };

const SUMS: Target = Target {
    table: "program_sums",
    columns: &[
        "program",
        "grants",
        "owners",
        "granted",
        "available",
        "reserved",
        "spent",
        "expired",
        "revoked",
        "energy_mj",
    ],
    keys: 1,
};

const ENDS: Target =
    Target { table: "program_ends", columns: &["program", "valid_until", "grants", "unspent"], keys: 2 };

fn energy_of(connection: &mut dyn Connection, owners: &[i64]) -> Answer<BTreeMap<(i64, ClassId), u128>> {
    let keys: Vec<Value> = owners.iter().map(|owner| (*owner).into()).collect();
    let sql = "SELECT owner, class, energy_mj FROM energy WHERE owner IN (KEYS)";
    let rows = query_many(connection, sql, &[], &keys)?;
    let row = |row: &Row| Ok(((row.int(0)?, ClassId(number_16(row, 1)?)), row.credits(2)?));
    rows.iter().map(row).collect()
}

fn write_sums(work: &mut Work, gone: &Part, come: &Part) -> Result<(), ProjectError> {
    let is_new = |id: &ProgramId| gone.sums.get(id) != come.sums.get(id);
    let changed: BTreeSet<ProgramId> = come.sums.keys().copied().filter(is_new).collect();
    let keys: Vec<Value> = changed.iter().map(|id| (*id).into()).collect();
    let sql =
        "SELECT program, grants, owners, granted, available, reserved, spent, expired, revoked, energy_mj
         FROM program_sums WHERE program IN (KEYS)";
    let mut known: BTreeMap<ProgramId, Sums> = BTreeMap::new();
    for row in query_many(work.connection, sql, &[], &keys)? {
        let sums = Sums {
            grants: row.count(1)?,
            owners: row.count(2)?,
            amounts: amounts_of(&row, 3)?,
            energy_mj: row.credits(9)?,
        };
        known.insert(row.small(0)?, sums);
    }
    let mut rows = Vec::with_capacity(changed.len());
    for id in changed {
        let [before, gone, come] =
            [&known, &gone.sums, &come.sums].map(|sums| sums.get(&id).copied().unwrap_or_default());
        let off = || work.misfit(format!("the sums of budget {id} are less than its parts"));
        let sums = renewed(before, gone, come).ok_or_else(off)?;
        let mut row: Vec<Value> = vec![id.into(), sums.grants.into(), sums.owners.into()];
        row.extend(amounts(&sums.amounts));
        row.push(sums.energy_mj.into());
        rows.push(row);
    }
    Ok(work.connection.put(&SUMS, &rows)?)
}

/// `before`, less `gone`, with `come`.
fn renewed(before: Sums, gone: Sums, come: Sums) -> Option<Sums> {
    let amount = |of: fn(&Amounts) -> Credits| {
        (of(&before.amounts) + of(&come.amounts)).checked_sub(of(&gone.amounts))
    };
    Some(Sums {
        grants: (before.grants + come.grants).checked_sub(gone.grants)?,
        owners: (before.owners + come.owners).checked_sub(gone.owners)?,
        amounts: Amounts {
            granted: amount(|all| all.granted)?,
            available: amount(|all| all.available)?,
            reserved: amount(|all| all.reserved)?,
            spent: amount(|all| all.spent)?,
            expired: amount(|all| all.expired)?,
            revoked: amount(|all| all.revoked)?,
        },
        energy_mj: (before.energy_mj + come.energy_mj).checked_sub(gone.energy_mj)?,
    })
}

fn write_ends(work: &mut Work, gone: &Part, come: &Part) -> Result<(), ProjectError> {
    let mut changed: BTreeMap<ProgramId, Vec<Moment>> = BTreeMap::new();
    let places: BTreeSet<_> = gone.ends.keys().chain(come.ends.keys()).collect();
    for place in places.into_iter().filter(|place| gone.ends.get(*place) != come.ends.get(*place)) {
        changed.entry(place.0).or_default().push(place.1);
    }
    let mut rows: Vec<Vec<Value>> = Vec::new();
    for (id, moments) in changed {
        let keys: Vec<Value> = moments.iter().map(|moment| (*moment).into()).collect();
        let sql = "SELECT valid_until, grants, unspent FROM program_ends
             WHERE program = ?1 AND valid_until IN (KEYS)";
        let mut known: BTreeMap<Moment, (u64, Credits)> = BTreeMap::new();
        for row in query_many(work.connection, sql, &[id.into()], &keys)? {
            known.insert(row.count(0)?, (row.count(1)?, row.credits(2)?));
        }
        for moment in moments {
            let of = |part: &Part| part.ends.get(&(id, moment)).copied().unwrap_or_default();
            let (before, gone, come) = (known.get(&moment).copied().unwrap_or_default(), of(gone), of(come));
            let off = || work.misfit(format!("the ends of budget {id} are less than its parts"));
            let grants = (before.0 + come.0).checked_sub(gone.0).ok_or_else(off)?;
            let unspent = (before.1 + come.1).checked_sub(gone.1).ok_or_else(off)?;
            rows.push(vec![id.into(), moment.into(), grants.into(), unspent.into()]);
        }
    }
    Ok(work.connection.put(&ENDS, &rows)?)
}
