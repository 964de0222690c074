//! Power cuts on one log: what was not synced is there, half there, or gone.

use rand::{rngs::StdRng, Rng, SeedableRng};

use super::*;
use crate::segment;

/// A thousand take half a minute on a slow disk.
fn cuts() -> usize {
    if std::env::var_os("STIPEND_TEST_LONG").is_some() {
        1_000
    } else {
        200
    }
}

/// A disk writes no less than this at a time.
const SECTOR: usize = 512;

/// What a power cut leaves of one write that was not synced.
#[derive(Debug)]
enum Left {
    /// Nothing: not even the file's new length.
    Nothing,
    /// The new length, and zeros.
    Length,
    /// Some of the sectors, whichever the disk had come to.
    Sectors,
    /// The first bytes.
    Beginning,
    /// All of it; only the acknowledgement is missing.
    All,
}

#[test]
fn power_cuts_lose_nothing_acknowledged_and_leave_nothing_torn() {
    let cuts = cuts();
    let seed: u64 = std::env::var("STIPEND_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let mut random = StdRng::seed_from_u64(seed);
    let dir = tempfile::tempdir().unwrap();
    let options = || Options { segment_bytes_max: 16 << 10, record_bytes_max: 256, ..Options::default() };
    let (mut acknowledged, mut torn, mut oldest) = (Vec::<Vec<u8>>::new(), 0, 0);
    for cut in 0..cuts {
        let (log, replay) = Log::open(dir.path(), options()).unwrap();
        for entry in replay {
            let (position, record) = entry.unwrap();
            assert_eq!(&record[..], &acknowledged[position as usize][..], "seed {seed}, cut {cut}");
            oldest = oldest.max(position + 1);
        }
        assert_eq!((oldest, log.next_position()), (acknowledged.len() as u64, acknowledged.len() as u64));
        acknowledged.extend(append(&log, &mut random));
        if random.gen_ratio(1, 20) {
            run(log.prune_before(acknowledged.len() as u64 / 2)).unwrap();
        }
        drop(log);
        let unsynced: Vec<Bytes> = records(&mut random).into_iter().map(Bytes::from).collect();
        match interrupt(dir.path(), acknowledged.len() as u64, &unsynced, &mut random) {
            // Found whole, it counts from then on.
            Left::All => acknowledged.extend(unsynced.iter().map(|record| record.to_vec())),
            Left::Nothing => {}
            Left::Length | Left::Sectors | Left::Beginning => torn += 1,
        }
        if random.gen_ratio(1, 10) {
            // The next segment was about to be made.
            let next = dir.path().join(format!("{:020}.new", acknowledged.len() + 1));
            fs::write(next, &segment::header(7)[..random.gen_range(0..segment::HEADER_LEN)]).unwrap();
        }
    }
    let (_, records) = Log::open(dir.path(), options()).unwrap();
    assert_eq!(records.last().unwrap().unwrap().0 + 1, acknowledged.len() as u64);
    println!("{cuts} power cuts, {torn} torn tails cut off, {} records, 0 lost", acknowledged.len());
    assert!(torn > cuts / 4, "only {torn} cuts tore something: the test does not test what it says");
}

fn records(random: &mut StdRng) -> Vec<Vec<u8>> {
    (0..random.gen_range(1..12))
        .map(|_| (0..random.gen_range(1..200)).map(|_| random.gen()).collect())
        .collect()
}

/// Appends at the same time; returns what was acknowledged, in the order of positions.
fn append(log: &Log, random: &mut StdRng) -> Vec<Vec<u8>> {
    let records = records(random);
    let mut done: Vec<(u64, Vec<u8>)> = run(async {
        let appends = records.into_iter().map(|record| async {
            let position = log.append(record.clone()).await.unwrap();
            (position, record)
        });
        futures::future::join_all(appends).await
    });
    done.sort();
    done.into_iter().map(|(_, record)| record).collect()
}

/// Leaves of a write of these records what a power cut may leave.
fn interrupt(dir: &Path, position: u64, records: &[Bytes], random: &mut StdRng) -> Left {
    let mut whole = Vec::new();
    segment::write_commit(position, records.iter(), &mut whole);
    let mut written = whole.clone();
    let left = match random.gen_range(0..5) {
        0 => Left::Nothing,
        1 => Left::Length,
        2 => Left::Sectors,
        3 => Left::Beginning,
        _ => Left::All,
    };
    let path = segments(dir).pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    match left {
        Left::Nothing => written.clear(),
        Left::Length => written.fill(0),
        Left::Sectors => {
            // Sectors lie where they lie in the file; at least one did not make it.
            let first = SECTOR - bytes.len() % SECTOR;
            let mut starts: Vec<usize> =
                std::iter::once(0).chain((first..written.len()).step_by(SECTOR)).collect();
            let lost = starts.remove(random.gen_range(0..starts.len()));
            let lost = starts.into_iter().filter(|_| random.gen_bool(0.5)).chain([lost]);
            for start in lost.collect::<Vec<_>>() {
                let end = if start == 0 { first } else { start + SECTOR };
                let end = end.min(written.len());
                written[start..end].fill(0);
            }
        }
        Left::Beginning => written.truncate(random.gen_range(1..whole.len())),
        Left::All => {}
    }
    bytes.extend_from_slice(&written);
    fs::write(&path, bytes).unwrap();
    left
}
