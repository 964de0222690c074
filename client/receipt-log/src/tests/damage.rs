use proptest::prelude::*;

use super::*;
use crate::segment::{self, HEADER_LEN};

/// A log of one segment with one commit per record; returns where each commit begins.
fn one_segment(dir: &Path, records: u64) -> (PathBuf, Vec<usize>) {
    let options = Options { segment_bytes_max: 1 << 20, ..options() };
    let (log, _) = Log::open(dir, options).unwrap();
    append_each(&log, &numbered(0..records));
    drop(log);
    let path = segments(dir).remove(0);
    let bytes = fs::read(&path).unwrap();
    let (mut starts, mut at) = (Vec::new(), HEADER_LEN);
    while at < bytes.len() {
        starts.push(at);
        at = segment::read_commit(&bytes, at).unwrap().end();
    }
    (path, starts)
}

fn refusal(dir: &Path) -> Error {
    Log::open(dir, options()).err().expect("a damaged log was opened")
}

#[test]
fn a_torn_tail_is_cut_off_and_the_log_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (path, starts) = one_segment(dir.path(), 5);
    let whole = fs::read(&path).unwrap();
    for len in starts[4]..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        let (log, records) = open(dir.path());
        assert_eq!(records.len(), 4, "cut at {len}");
        drop(log);
        assert_eq!(fs::read(&path).unwrap().len(), starts[4], "the torn bytes are still there");
    }
    let (log, _) = open(dir.path());
    assert_eq!(run(log.append("again")).unwrap(), 4);
}

#[test]
fn a_tail_of_zeros_is_a_torn_tail() {
    let dir = tempfile::tempdir().unwrap();
    let (path, _) = one_segment(dir.path(), 5);
    let mut bytes = fs::read(&path).unwrap();
    bytes.resize(bytes.len() + 4096, 0);
    fs::write(&path, bytes).unwrap();
    assert_eq!(open(dir.path()).1.len(), 5);
}

proptest! {
    #[test]
    fn a_changed_bit_in_what_was_acknowledged_before_the_last_commit_refuses_to_open(
        place in 0.0..1.0f64, bit in 0..8u8,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (path, starts) = one_segment(dir.path(), 6);
        let mut bytes = fs::read(&path).unwrap();
        let at = (place * starts[5] as f64) as usize;
        bytes[at] ^= 1 << bit;
        fs::write(&path, bytes).unwrap();
        let refused = matches!(refusal(dir.path()), Error::Corrupt { .. });
        prop_assert!(refused);
    }
}

#[test]
fn a_short_segment_that_is_not_the_last_refuses_to_open() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path());
    append_each(&log, &numbered(0..100));
    drop(log);
    let first = segments(dir.path()).remove(0);
    let bytes = fs::read(&first).unwrap();
    fs::write(&first, &bytes[..bytes.len() - 1]).unwrap();
    let message = refusal(dir.path()).to_string();
    assert!(message.contains("later segments follow"), "{message}");
}

#[test]
fn a_missing_segment_refuses_to_open() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path());
    append_each(&log, &numbered(0..100));
    drop(log);
    fs::remove_file(&segments(dir.path())[1]).unwrap();
    let message = refusal(dir.path()).to_string();
    assert!(message.contains("a segment is missing"), "{message}");
}

#[test]
fn a_renamed_segment_refuses_to_open() {
    let dir = tempfile::tempdir().unwrap();
    let (path, _) = one_segment(dir.path(), 5);
    fs::rename(&path, path.with_file_name("00000000000000000003.log")).unwrap();
    assert!(matches!(refusal(dir.path()), Error::Corrupt { .. }));
}

#[test]
fn a_strange_log_file_refuses_to_open() {
    let dir = tempfile::tempdir().unwrap();
    one_segment(dir.path(), 5);
    fs::write(dir.path().join("backup.log"), "x").unwrap();
    assert!(matches!(refusal(dir.path()), Error::Corrupt { .. }));
}

#[test]
fn an_unfinished_segment_of_a_crash_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    one_segment(dir.path(), 5);
    let unfinished = dir.path().join("00000000000000000005.new");
    fs::write(&unfinished, "half a hea").unwrap();
    assert_eq!(open(dir.path()).1.len(), 5);
    assert!(!unfinished.exists());
}

#[test]
fn after_a_failed_write_the_log_takes_nothing_more_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path());
    append_each(&log, &numbered(0..10));
    // The next segment cannot be made: its folder is gone.
    fs::remove_dir_all(dir.path()).unwrap();
    let mut refused = None;
    for _ in 0..20 {
        if let Err(error) = run(log.append(vec![1; 200])) {
            refused = Some(error);
            break;
        }
    }
    assert!(matches!(refused, Some(Error::Failed { .. })));
    assert!(log.failure().is_some());
    assert!(matches!(run(log.append("x")), Err(Error::Failed { .. })));
}
