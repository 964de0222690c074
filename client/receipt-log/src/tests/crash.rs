//! Any history of appends, prunings and crashes, against a plain list.

use proptest::prelude::*;

use super::*;
use crate::segment;

const SECTOR: usize = 64;

#[derive(Clone, Debug)]
enum Step {
    /// Appended at the same time and acknowledged.
    Append(Vec<Vec<u8>>),
    Prune {
        back: u64,
    },
    Reopen,
    /// The machine stops during a write of these records: the file got `kept` of the write's bytes,
    /// and of its sectors those in `lost` are zeros.
    Crash {
        records: Vec<Vec<u8>>,
        kept: f64,
        lost: Vec<bool>,
    },
}

fn records() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 1..8)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => records().prop_map(Step::Append),
        1 => (0..30u64).prop_map(|back| Step::Prune { back }),
        1 => Just(Step::Reopen),
        3 => (records(), 0.0..1.2f64, prop::collection::vec(prop::bool::weighted(0.2), 20))
            .prop_map(|(records, kept, lost)| Step::Crash { records, kept, lost }),
    ]
}

/// Writes what a crash leaves of a commit; whether all of it is there.
fn interrupt_write(dir: &Path, position: u64, records: &[Vec<u8>], kept: f64, lost: &[bool]) -> bool {
    let records: Vec<Bytes> = records.iter().cloned().map(Bytes::from).collect();
    let mut whole = Vec::new();
    segment::write_commit(position, records.iter(), &mut whole);
    let mut written = whole[..whole.len().min((whole.len() as f64 * kept) as usize)].to_vec();
    for (sector, _) in written.chunks_mut(SECTOR).zip(lost).filter(|(_, lost)| **lost) {
        sector.fill(0);
    }
    let path = segments(dir).pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(&written);
    fs::write(&path, bytes).unwrap();
    written == whole
}

fn check(replayed: &[(u64, Bytes)], model: &[Vec<u8>], oldest_wanted: u64) -> Result<(), TestCaseError> {
    let first = replayed.first().map_or(model.len() as u64, |(position, _)| *position);
    prop_assert!(first <= oldest_wanted, "position {} is gone, {} was wanted", oldest_wanted, first);
    prop_assert_eq!(first + replayed.len() as u64, model.len() as u64);
    for (index, (position, record)) in replayed.iter().enumerate() {
        prop_assert_eq!(*position, first + index as u64);
        prop_assert_eq!(&record[..], &model[*position as usize][..]);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_was_acknowledged_survives_any_crash_and_nothing_else_appears(
        steps in prop::collection::vec(step(), 1..25),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut model: Vec<Vec<u8>> = Vec::new();
        let mut oldest_wanted = 0;
        let (mut log, _) = open(dir.path());
        for step in steps {
            match step {
                Step::Append(records) => {
                    let positions = run(async {
                        let tasks: Vec<_> = records.iter().cloned().map(|record| {
                            let log = log.clone();
                            tokio::spawn(async move { log.append(record).await.unwrap() })
                        }).collect();
                        let mut positions = Vec::new();
                        for task in tasks {
                            positions.push(task.await.unwrap());
                        }
                        positions
                    });
                    model.resize(model.len() + records.len(), Vec::new());
                    for (position, record) in positions.into_iter().zip(records) {
                        model[position as usize] = record;
                    }
                }
                Step::Prune { back } => {
                    oldest_wanted = oldest_wanted.max((model.len() as u64).saturating_sub(back));
                    run(log.prune_before(oldest_wanted)).unwrap();
                }
                Step::Reopen => {
                    drop(log);
                    let replayed;
                    (log, replayed) = open(dir.path());
                    check(&replayed, &model, oldest_wanted)?;
                }
                Step::Crash { records, kept, lost } => {
                    drop(log);
                    if interrupt_write(dir.path(), model.len() as u64, &records, kept, &lost) {
                        // All of it reached the disk: then all of it counts.
                        model.extend(records);
                    }
                    let replayed;
                    (log, replayed) = open(dir.path());
                    check(&replayed, &model, oldest_wanted)?;
                }
            }
        }
        drop(log);
        check(&open(dir.path()).1, &model, oldest_wanted)?;
    }
}
