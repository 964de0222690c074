//! What is in the tables is what the chain says, whatever happens to whom writes them.

use std::{collections::BTreeMap, sync::Arc};

use stipend_primitives::{AccountId, Credits};
use stipend_wallet::{
    chain::Source,
    db::{self, Connection, Place},
    dump,
    project::Projector,
    read::{
        as_of,
        days::{back, used, Whose},
        grants, wallets,
    },
};

use super::{
    fake::{account, Fake},
    history::History,
    place::{sqlite, tables},
};

pub async fn catch_up(source: &Arc<Fake>, place: &Place) -> Result<(), String> {
    let (chain, opened) = (source.clone(), place.clone());
    let mut projector = tokio::task::spawn_blocking(move || Projector::open(chain, opened))
        .await
        .unwrap()
        .map_err(|error| error.to_string())?;
    let done = projector.catch_up(None).await.map(drop).map_err(|error| error.to_string());
    tokio::task::spawn_blocking(move || drop(projector)).await.unwrap();
    done
}

pub fn dumped(place: &Place) -> String {
    let mut out = Vec::new();
    let mut connection = place.open().unwrap();
    db::snapshot(&mut *connection, |connection| dump::dump(connection, &mut out)).unwrap();
    String::from_utf8(out).unwrap()
}

pub async fn blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> R {
    tokio::task::spawn_blocking(work).await.unwrap()
}

pub fn owners() -> Vec<AccountId> {
    (1..=5).map(account).collect()
}

/// The list of all wallets, a page of two at a time, is the chain's.
fn check_list(connection: &mut dyn Connection, history: &History) {
    let (_, ledger) = history.fake.head();
    let (mut listed, mut after) = (BTreeMap::new(), -1);
    loop {
        let page = wallets::list(connection, after, 2).unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.iter().all(|wallet| wallet.number > after));
        after = last.number;
        listed.extend(page.into_iter().map(|wallet| (wallet.owner, wallet.classes)));
    }
    let known = ledger.wallets.iter().map(|(owner, (balances, _))| {
        (owner.clone(), balances.iter().map(|row| (row.class, row.amounts)).collect())
    });
    assert_eq!(listed, known.collect::<BTreeMap<_, Vec<_>>>());
}

/// Every wallet, grant and budget is the chain's, and what was used less what came back is what was spent.
pub fn check(place: &Place, history: &History) {
    let (block, ledger) = history.fake.head();
    let mut connection = place.open().unwrap();
    let connection = &mut *connection;
    assert_eq!(as_of(connection).unwrap().block, block.at.number);
    let mut energy = 0;
    for owner in owners() {
        let (balances, entitlements) = ledger.wallets.get(&owner).cloned().unwrap_or_default();
        let rows = wallets::balances(connection, &owner).unwrap();
        assert_eq!(rows.len(), balances.len());
        for (row, balance) in rows.iter().zip(&balances) {
            assert_eq!((row.class, row.amounts), (balance.class, balance.amounts));
            assert_eq!(row.expires_next, balance.expires_next);
        }
        assert_eq!(grants::of_owner(connection, &owner).unwrap(), entitlements);
        let used = used(connection, Whose::Wallet(&owner), 0).unwrap();
        let back = back(connection, Whose::Wallet(&owner), 0).unwrap();
        let charged: Credits = used.iter().map(|row| row.cost + row.fee).sum();
        let returned: Credits = back.iter().map(|row| row.refunded + row.uncollected).sum();
        let spent: Credits = balances.iter().map(|balance| balance.amounts.spent).sum();
        assert_eq!(charged - returned, spent, "{owner}");
        energy += used.iter().map(|row| row.energy_mj).sum::<u128>();
    }
    check_list(connection, history);
    assert_eq!(energy, history.energy_mj);
    let everybody = used(connection, Whose::Everybody, 0).unwrap();
    assert_eq!(everybody.iter().map(|row| row.energy_mj).sum::<u128>(), energy);
    for program in stipend_wallet::read::programs::list(connection).unwrap() {
        let (_, known) = &ledger.programs[program.id as usize];
        assert_eq!((program.granted, program.unminted), (known.granted, known.unminted));
        let use_of = stipend_wallet::read::programs::used(connection, &program, block.moment).unwrap();
        assert_eq!(use_of.amounts.granted, known.granted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_are_what_the_chain_says_after_random_histories() {
    for seed in 0..12 {
        let folder = tempfile::tempdir().unwrap();
        let place = tables(folder.path());
        let mut history = History::new(seed, owners());
        for blocks in [1, 40, 160] {
            history.run(blocks);
            catch_up(&history.fake, &place).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            let at = place.clone();
            history = blocking(move || {
                check(&at, &history);
                history
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_anywhere_leaves_whole_blocks_and_the_end_is_the_same() {
    let mut history = History::new(7, owners());
    history.run(60);
    let folder = tempfile::tempdir().unwrap();
    let (calm, troubled) = (sqlite(folder.path()), tables(folder.path()));
    catch_up(&history.fake, &calm).await.unwrap();
    let expected = blocking(move || dumped(&calm)).await;
    let mut troubles = 0;
    loop {
        *history.fake.fails_after.lock() = Some(3 + troubles % 7);
        match catch_up(&history.fake, &troubled).await {
            Ok(()) => break,
            Err(error) => assert!(error.contains("made to fail"), "{error}"),
        }
        troubles += 1;
        assert!(troubles < 1_000);
    }
    *history.fake.fails_after.lock() = None;
    assert!(troubles > 5, "{troubles}");
    assert_eq!(blocking(move || dumped(&troubled)).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn built_anew_the_tables_are_the_same() {
    let mut history = History::new(11, owners());
    history.run(120);
    let folder = tempfile::tempdir().unwrap();
    let place = tables(folder.path());
    catch_up(&history.fake, &place).await.unwrap();
    let at = place.clone();
    let first = blocking(move || {
        let first = dumped(&at);
        db::clear(&mut *at.open().unwrap()).unwrap();
        first
    })
    .await;
    catch_up(&history.fake, &place).await.unwrap();
    let at = place.clone();
    assert_eq!(blocking(move || dumped(&at)).await, first);
    assert!(first.lines().count() > 500);
    // SQLite's are the same bytes, whichever database this one is.
    let other = sqlite(folder.path());
    catch_up(&history.fake, &other).await.unwrap();
    assert_eq!(blocking(move || dumped(&other)).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_another_chain_are_refused() {
    let mut history = History::new(1, owners());
    history.run(2);
    let folder = tempfile::tempdir().unwrap();
    let place = tables(folder.path());
    catch_up(&history.fake, &place).await.unwrap();
    let genesis = format!("{:?}", history.fake.genesis());
    let refused = blocking(move || {
        let mut connection = place.open().unwrap();
        db::prepare(&mut *connection, &genesis).unwrap();
        db::prepare(&mut *connection, "0x00").unwrap_err().to_string()
    })
    .await;
    assert!(refused.contains("the chain"), "{refused}");
}
