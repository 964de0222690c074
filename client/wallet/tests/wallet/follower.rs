//! A follower in a process of its own, for tests that kill it.

use std::time::Duration;

use stipend_wallet::project::{self, Projector};

use super::{history::History, place, projection::owners};

/// Names of the variables that say where the tables are, and which chain to follow.
pub const ADDRESS: &str = "STIPEND_TEST_FOLLOW";
pub const SEED: &str = "STIPEND_TEST_FOLLOW_SEED";

/// Blocks that are there before the follower begins, and those that come while it runs.
const AHEAD: u32 = 2;
const COMING: u32 = 2_000;

/// The chain is the same in every process: it follows from the seed.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "tests that kill it start it"]
async fn a_follower_for_the_tests_that_kill_it() {
    let address = std::env::var(ADDRESS).expect("started by a test");
    let seed = std::env::var(SEED).expect("started by a test").parse().unwrap();
    let tables = place::place(&address);
    let mut history = History::new(seed, owners());
    let (chain, opened) = (history.fake.clone(), tables.clone());
    let (projector, known) = tokio::task::spawn_blocking(move || {
        let projector = Projector::open(chain, opened).unwrap();
        let head = project::head(&mut *tables.open().unwrap()).unwrap();
        (projector, head.map_or(0, |head| head.number))
    })
    .await
    .unwrap();
    history.run(known + AHEAD);
    tokio::spawn(projector.run());
    println!("following from block {known}");
    for _ in 0..COMING {
        tokio::time::sleep(Duration::from_millis(3)).await;
        history.run(1);
    }
}
