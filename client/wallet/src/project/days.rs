//! Sums per day, so that a page about a year reads some hundred rows.

use std::collections::{BTreeMap, BTreeSet};

use stipend_primitives::{cost::Usage, ClassId, Credits, ModelId};

use super::accounts::EVERYBODY;
use crate::{
    db::{query_many, Answer, Connection, Target, Value},
    read::prices::number_16,
};

const DAYS: Target = Target {
    table: "days",
    columns: &[
        "wallet",
        "day",
        "class",
        "model",
        "provider",
        "receipts",
        "input",
        "cached",
        "output",
        "cost",
        "fee",
        "measured",
        "energy_mj",
    ],
    keys: 5,
};

const BACK: Target =
    Target { table: "back", columns: &["wallet", "day", "class", "refunded", "uncollected"], keys: 3 };

/// What is summed apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) wallet: i64,
    pub(super) day: u64,
    pub(super) class: ClassId,
    pub(super) model: ModelId,
    pub(super) provider: i64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    receipts: u64,
    input: u64,
    cached: u64,
    output: u64,
    cost: Credits,
    fee: Credits,
    measured: u64,
    energy_mj: u128,
}

/// What a block adds to the sums, for each wallet and for everybody together.
#[derive(Default)]
pub(super) struct Days {
    used: BTreeMap<Key, Sums>,
    back: BTreeMap<(i64, u64, ClassId), (Credits, Credits)>,
}

impl Days {
    fn sums(&mut self, key: Key, add: impl Fn(&mut Sums)) {
        for wallet in [key.wallet, EVERYBODY] {
            add(self.used.entry(Key { wallet, ..key }).or_default());
        }
    }

    pub(super) fn add_receipt(&mut self, key: Key, usage: &Usage, cost: Credits, fee: Credits) {
        self.sums(key, |sums| {
            sums.receipts += 1;
            sums.input += u64::from(usage.input);
            sums.cached += u64::from(usage.cached_input);
            sums.output += u64::from(usage.output);
            sums.cost += cost;
            sums.fee += fee;
        });
    }

    pub(super) fn add_energy(&mut self, key: Key, energy_mj: u64) {
        self.sums(key, |sums| {
            sums.measured += 1;
            sums.energy_mj += u128::from(energy_mj);
        });
    }

    pub(super) fn add_back(
        &mut self,
        (wallet, day, class): (i64, u64, ClassId),
        refunded: Credits,
        uncollected: Credits,
    ) {
        for wallet in [wallet, EVERYBODY] {
            let back = self.back.entry((wallet, day, class)).or_default();
            back.0 += refunded;
            back.1 += uncollected;
        }
    }

    /// What was added to the energy of each wallet in each class.
    pub(super) fn energy(&self) -> BTreeMap<(i64, ClassId), u128> {
        let mut sums: BTreeMap<(i64, ClassId), u128> = BTreeMap::new();
        for (key, used) in
            self.used.iter().filter(|(key, used)| key.wallet != EVERYBODY && used.energy_mj > 0)
        {
            *sums.entry((key.wallet, key.class)).or_default() += used.energy_mj;
        }
        sums
    }

    pub(super) fn write(self, connection: &mut dyn Connection) -> Answer<()> {
        write_used(connection, self.used)?;
        write_back(connection, self.back)
    }
}

/// Wallets by day: what is looked up together.
fn by_day(keys: impl Iterator<Item = (u64, i64)>) -> BTreeMap<u64, Vec<Value>> {
    let pairs: BTreeSet<(u64, i64)> = keys.collect();
    let mut days: BTreeMap<u64, Vec<Value>> = BTreeMap::new();
    for (day, wallet) in pairs {
        days.entry(day).or_default().push(wallet.into());
    }
    days
}

fn write_used(connection: &mut dyn Connection, mut used: BTreeMap<Key, Sums>) -> Answer<()> {
    for (day, wallets) in by_day(used.keys().map(|key| (key.day, key.wallet))) {
        let sql =
            "SELECT wallet, class, model, provider, receipts, input, cached, output, cost, fee, measured,
             energy_mj FROM days WHERE day = ?1 AND wallet IN (KEYS)";
        for row in query_many(connection, sql, &[day.into()], &wallets)? {
            let (class, model) = (ClassId(number_16(&row, 1)?), ModelId(number_16(&row, 2)?));
            let key = Key { wallet: row.int(0)?, day, class, model, provider: row.int(3)? };
            let Some(sums) = used.get_mut(&key) else { continue };
            sums.receipts += row.count(4)?;
            sums.input += row.count(5)?;
            sums.cached += row.count(6)?;
            sums.output += row.count(7)?;
            sums.cost += row.credits(8)?;
            sums.fee += row.credits(9)?;
            sums.measured += row.count(10)?;
            sums.energy_mj += row.credits(11)?;
        }
    }
    let row = |(key, sums): (Key, Sums)| -> Vec<Value> {
        vec![
            key.wallet.into(),
            key.day.into(),
            key.class.0.into(),
            key.model.0.into(),
            key.provider.into(),
            sums.receipts.into(),
            sums.input.into(),
            sums.cached.into(),
            sums.output.into(),
            sums.cost.into(),
            sums.fee.into(),
            sums.measured.into(),
            sums.energy_mj.into(),
        ]
    };
    connection.put(&DAYS, &used.into_iter().map(row).collect::<Vec<_>>())
}

fn write_back(
    connection: &mut dyn Connection,
    mut back: BTreeMap<(i64, u64, ClassId), (Credits, Credits)>,
) -> Answer<()> {
    for (day, wallets) in by_day(back.keys().map(|(wallet, day, _)| (*day, *wallet))) {
        let sql = "SELECT wallet, class, refunded, uncollected FROM back WHERE day = ?1 AND wallet IN (KEYS)";
        for row in query_many(connection, sql, &[day.into()], &wallets)? {
            let key = (row.int(0)?, day, ClassId(number_16(&row, 1)?));
            let Some((refunded, uncollected)) = back.get_mut(&key) else { continue };
            *refunded += row.credits(2)?;
            *uncollected += row.credits(3)?;
        }
    }
    let rows: Vec<Vec<Value>> = back
        .into_iter()
        .map(|((wallet, day, class), (refunded, uncollected))| {
            vec![wallet.into(), day.into(), class.0.into(), refunded.into(), uncollected.into()]
        })
        .collect();
    connection.put(&BACK, &rows)
}
