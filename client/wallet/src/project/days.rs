//! Sums per day, so that a page about a year reads some hundred rows.

use std::collections::BTreeMap;

use stipend_primitives::{cost::Usage, ClassId, Credits, ModelId};

use super::accounts::EVERYBODY;
use crate::db::{Answer, Connection};

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

    pub(super) fn write(self, connection: &mut dyn Connection) -> Answer<()> {
        for (key, sums) in self.used {
            add_used(connection, key, sums)?;
        }
        for ((wallet, day, class), (refunded, uncollected)) in self.back {
            let place = [wallet.into(), day.into(), class.0.into()];
            let known = connection.query(
                "SELECT refunded, uncollected FROM back WHERE wallet = ?1 AND day = ?2 AND class = ?3",
                &place,
            )?;
            let (mut sum, mut lost) = (refunded, uncollected);
            if let Some(row) = known.first() {
                sum += row.credits(0)?;
                lost += row.credits(1)?;
            }
            let [wallet, day, class] = place;
            connection.execute(
                "INSERT INTO back (wallet, day, class, refunded, uncollected) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (wallet, day, class)
                 DO UPDATE SET refunded = excluded.refunded, uncollected = excluded.uncollected",
                &[wallet, day, class, sum.into(), lost.into()],
            )?;
        }
        Ok(())
    }
}

fn add_used(connection: &mut dyn Connection, key: Key, new: Sums) -> Answer<()> {
    let place =
        [key.wallet.into(), key.day.into(), key.class.0.into(), key.model.0.into(), key.provider.into()];
    let known = connection.query(
        "SELECT receipts, input, cached, output, cost, fee, measured, energy_mj FROM days
         WHERE wallet = ?1 AND day = ?2 AND class = ?3 AND model = ?4 AND provider = ?5",
        &place,
    )?;
    let mut sums = new;
    if let Some(row) = known.first() {
        sums.receipts += row.count(0)?;
        sums.input += row.count(1)?;
        sums.cached += row.count(2)?;
        sums.output += row.count(3)?;
        sums.cost += row.credits(4)?;
        sums.fee += row.credits(5)?;
        sums.measured += row.count(6)?;
        sums.energy_mj += row.credits(7)?;
    }
    let [wallet, day, class, model, provider] = place;
    connection.execute(
        "INSERT INTO days (wallet, day, class, model, provider, receipts, input, cached, output, cost, fee,
         measured, energy_mj) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (wallet, day, class, model, provider) DO UPDATE SET receipts = excluded.receipts,
         input = excluded.input, cached = excluded.cached, output = excluded.output, cost = excluded.cost,
         fee = excluded.fee, measured = excluded.measured, energy_mj = excluded.energy_mj",
        &[
            wallet,
            day,
            class,
            model,
            provider,
            sums.receipts.into(),
            sums.input.into(),
            sums.cached.into(),
            sums.output.into(),
            sums.cost.into(),
            sums.fee.into(),
            sums.measured.into(),
            sums.energy_mj.into(),
        ],
    )?;
    Ok(())
}
