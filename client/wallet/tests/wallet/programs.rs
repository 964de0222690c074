//! The running sums of budgets are what adding up all their grants gives.

use std::collections::BTreeMap;

use stipend_primitives::{energy::part_of, ClassId, Credits};
use stipend_wallet::{
    db::{Connection, Place},
    read::{
        as_of,
        days::{self, Whose},
        grants,
        programs::{self, Use, SOON_MS},
    },
};

use super::{
    history::History,
    place::tables,
    projection::{blocking, catch_up, owners},
};

/// The use of every budget, from every grant of every wallet and all its days.
fn added_up(connection: &mut dyn Connection) -> BTreeMap<u32, Use> {
    let now = as_of(connection).unwrap().moment;
    let mut uses: BTreeMap<u32, Use> = BTreeMap::new();
    for owner in owners() {
        let grants = grants::of_owner(connection, &owner).unwrap();
        let used = days::used(connection, Whose::Wallet(&owner), 0).unwrap();
        let mut spent: BTreeMap<(ClassId, u32), Credits> = BTreeMap::new();
        for grant in &grants {
            let sums = uses.entry(grant.program).or_default();
            sums.grants += 1;
            sums.amounts = grants::total([&sums.amounts, &grant.amounts].into_iter());
            let left = grant.amounts.available + grant.amounts.reserved;
            if left > 0 && grant.valid_until.is_some_and(|until| until > now && until <= now + SOON_MS) {
                sums.expiring += 1;
                sums.expiring_amount += left;
            }
            *spent.entry((grant.class, grant.program)).or_default() += grant.amounts.spent;
        }
        for ((class, program), here) in &spent {
            let of_class = || spent.iter().filter(|((other, _), _)| other == class);
            let all = of_class().map(|(_, amount)| amount).sum();
            let before = of_class().filter(|((_, other), _)| other < program).map(|(_, amount)| amount).sum();
            let energy: u128 = used.iter().filter(|row| row.class == *class).map(|row| row.energy_mj).sum();
            let sums = uses.get_mut(program).unwrap();
            sums.owners += 1;
            if *here > 0 {
                sums.energy_mj += u128::from(part_of(energy.try_into().unwrap(), before, *here, all));
            }
        }
    }
    uses
}

fn compare(place: &Place) -> (u64, u128) {
    let mut connection = place.open().unwrap();
    let connection = &mut *connection;
    let (now, expected) = (as_of(connection).unwrap().moment, added_up(connection));
    let (mut expiring, mut energy) = (0, 0);
    for program in programs::list(connection).unwrap() {
        let known = programs::used(connection, &program, now).unwrap();
        assert_eq!(known, expected.get(&program.id).cloned().unwrap_or_default(), "budget {}", program.id);
        assert_eq!(known.amounts.granted, program.granted);
        expiring += known.expiring;
        energy += known.energy_mj;
    }

    (expiring, energy)
}

#[tokio::test(flavor = "multi_thread")]
async fn running_sums_are_what_adding_everything_up_gives() {
    let (mut expiring, mut energy) = (0, 0);
    for seed in 40..44 {
        let folder = tempfile::tempdir().unwrap();
        let place = tables(folder.path());
        let mut history = History::new(seed, owners());
        for _ in 0..8 {
            history.run(15);
            catch_up(&history.fake, &place).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let at = place.clone();
            let seen = blocking(move || compare(&at)).await;
            expiring += seen.0;
            energy += seen.1;
        }
    }
    // There was something to get wrong.
    assert!(expiring > 20 && energy > 1_000_000, "{expiring} {energy}");
}
