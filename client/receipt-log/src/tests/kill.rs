//! A real process, really killed.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use super::*;

const CHILD_DIR: &str = "STIPEND_RECEIPT_LOG_TEST_CHILD";

/// Not a test by itself: the process that the test below kills. Prints every position that was
/// acknowledged.
#[test]
fn child_that_appends_until_it_is_killed() {
    let Ok(dir) = std::env::var(CHILD_DIR) else { return };
    let (log, _) = open(Path::new(&dir));
    run(async {
        loop {
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let log = log.clone();
                    tokio::spawn(async move { log.append(vec![7; 90]).await.unwrap() })
                })
                .collect();
            for task in tasks {
                let mut out = std::io::stdout().lock();
                writeln!(out, "acknowledged {}", task.await.unwrap()).unwrap();
            }
        }
    });
}

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged = None;
    for round in 0..5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::kill::child_that_appends_until_it_is_killed", "--nocapture"])
            .env(CHILD_DIR, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut positions = lines.filter_map(|line| {
            line.unwrap_or_default().split_once("acknowledged ").and_then(|(_, number)| number.parse().ok())
        });
        acknowledged = positions.by_ref().nth(20 + 7 * round).max(acknowledged);
        child.kill().unwrap();
        acknowledged = positions.max().max(acknowledged);
        child.wait().unwrap();
        let (_, records) = open(dir.path());
        let last: Option<u64> = records.last().map(|(position, _)| *position);
        assert!(last >= acknowledged, "acknowledged up to {acknowledged:?}, found up to {last:?}");
        assert_eq!(records.len() as u64, last.unwrap() + 1);
    }
}
