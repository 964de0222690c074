//! Kills: a follower in a process of its own ends at random moments while the chain grows.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rand::{rngs::StdRng, Rng, SeedableRng};
use stipend_sdk::Signer;
use stipend_wallet::{db, project};

use super::{
    follower::{ADDRESS, SEED},
    history::History,
    place,
    projection::{blocking, catch_up, check, dumped, owners},
    service::Service,
};

/// How long a follower may take to begin.
const BEGIN_WAIT: Duration = Duration::from_secs(30);

/// Runs a follower for a while and kills it.
fn follow_and_kill(address: &str, seed: u64, lifetime: Duration) {
    let mut follower = Command::new(std::env::current_exe().unwrap())
        .args(["follower::a_follower_for_the_tests_that_kill_it", "--exact", "--ignored", "--nocapture"])
        .env(ADDRESS, address)
        .env(SEED, seed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let began = Instant::now();
    // It ends by itself if it cannot follow, and its lines with it.
    assert!(
        lines.any(|line| line.unwrap().contains("following")) && began.elapsed() < BEGIN_WAIT,
        "the follower did not begin"
    );
    std::thread::sleep(lifetime);
    follower.kill().unwrap();
    follower.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_a_hundred_times_the_tables_are_those_of_the_chain() {
    let seed: u64 = std::env::var("STIPEND_TEST_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(rand::random);
    println!("seed: STIPEND_TEST_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let address = place::address(folder.path());
    let killed = address.clone();
    let heights = blocking(move || {
        let mut random = StdRng::seed_from_u64(seed);
        let mut heights = Vec::new();
        // Long enough for some blocks, and short enough that many a kill hits the very first.
        let longest_us = if killed.starts_with("sqlite:") { 40_000 } else { 150_000 };
        for _ in 0..100 {
            follow_and_kill(&killed, seed, Duration::from_micros(random.gen_range(0..longest_us)));
            let mut connection = place::place(&killed).open().unwrap();
            heights.push(project::head(&mut *connection).unwrap().map_or(0, |head| head.number));
        }
        heights
    })
    .await;
    let moved = heights.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!(heights.is_sorted() && moved > 20, "{heights:?}");

    // The same chain, a little longer, taken in by one that was killed and by one that never was.
    let mut history = History::new(seed, owners());
    history.run(heights.last().unwrap() + 5);
    let (tables, anew) = (place::place(&address), place::sqlite(folder.path()));
    for tables in [&tables, &anew] {
        catch_up(&history.fake, tables).await.unwrap();
    }
    blocking(move || {
        check(&tables, &history);
        let dump = dumped(&tables);
        assert!(dump == dumped(&anew), "tables of one that was killed are others than those built anew");
        db::clear(&mut *tables.open().unwrap()).unwrap();
        println!("100 kills, {} blocks, a dump of {} bytes", heights.last().unwrap(), dump.len());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_followers_do_not_write_one_database() {
    let mut history = History::new(2, owners());
    history.run(5);
    let folder = tempfile::tempdir().unwrap();
    let tables = place::tables(folder.path());
    let (chain, opened) = (history.fake.clone(), tables.clone());
    let first = blocking(move || project::Projector::open(chain, opened).unwrap()).await;
    let refused = catch_up(&history.fake, &tables).await.unwrap_err();
    assert!(refused.contains("another `stipend-wallet`"), "{refused}");
    let at = tables.clone();
    let cleared = blocking(move || db::clear(&mut *at.open().unwrap())).await;
    assert!(cleared.unwrap_err().to_string().contains("another `stipend-wallet`"));
    blocking(move || drop(first)).await;
    catch_up(&history.fake, &tables).await.unwrap();
}

/// What is not final may become something else: it is shown as pending, and nothing of it reaches the tables.
#[tokio::test(flavor = "multi_thread")]
async fn blocks_that_are_replaced_before_they_are_final_leave_no_trace() {
    let signer = Signer::generate();
    let owners = vec![signer.account()];
    let (mut history, mut straight) = (History::new(23, owners.clone()), History::new(23, owners.clone()));
    history.run(20);
    straight.run(20);
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (tables, calm) = (place::tables(folder.path()), place::sqlite(other.path()));
    let service = Service::start_on(history.fake.clone(), tables.clone(), folder).await;
    let token = service.sign_in(&signer).await;
    let path = format!("/api/v1/wallets/{}", signer.address());
    let at = tables.clone();
    let before = blocking(move || dumped(&at)).await;
    for round in 1..=10 {
        for branch in 1..=3 {
            history.branch(&owners[0], round * 10 + branch);
            let shown: serde_json::Value = service.get(&path, &token).await.json().await.unwrap();
            let spent =
                |of: &serde_json::Value| of[0]["amounts"]["spent"].as_str().unwrap().parse::<u128>().unwrap();
            let (written, live) = (spent(&shown["classes"]), &shown["live"]);
            assert_eq!(written, spent(&live["finalised"]));
            assert_eq!(written + round * 10 + branch, spent(&live["pending"]));
        }
        if round == 1 {
            let at = tables.clone();
            assert!(blocking(move || dumped(&at)).await == before, "a branch is in the tables");
        }
        // Another block becomes final than any of these.
        history.fake.foresee(None);
        history.run(2);
        straight.run(2);
        service.wait_until_ready().await;
    }
    catch_up(&straight.fake, &calm).await.unwrap();
    let same = blocking(move || dumped(&tables) == dumped(&calm)).await;
    assert!(same, "a branch left something in the tables");
    service.end().await;
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let refused =
        stipend_wallet::db::Place::Sqlite(Path::new("/nowhere/wallet.db").into()).open().err().unwrap();
    assert!(refused.to_string().contains("/nowhere/wallet.db"), "{refused}");
}
