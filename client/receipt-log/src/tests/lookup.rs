use super::*;

#[test]
fn every_record_is_read_back_at_its_position_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path());
    // Some alone, some with others in one commit.
    append_each(&log, &numbered(0..20));
    run(async {
        let tasks: Vec<_> = (20..60)
            .map(|number| {
                let log = log.clone();
                tokio::spawn(async move { log.append(format!("record {number}")).await.unwrap() })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    for position in 0..20 {
        let expected = format!("record {position}");
        assert_eq!(log.read(position).unwrap().unwrap(), expected.as_bytes());
    }
    let mut together: Vec<Bytes> = (20..60).map(|position| log.read(position).unwrap().unwrap()).collect();
    together.sort_unstable();
    assert_eq!(together, numbered(20..60));
    assert_eq!(log.read(60).unwrap(), None);
    assert_eq!(log.read(u64::MAX).unwrap(), None);
    assert!(segments(dir.path()).len() > 1);
}

#[test]
fn what_was_pruned_is_not_there_and_the_rest_is() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path());
    append_each(&log, &numbered(0..100));
    let oldest = run(log.prune_before(50)).unwrap();
    for position in 0..100 {
        assert_eq!(log.read(position).unwrap().is_some(), position >= oldest, "{position}");
    }
}

#[test]
fn a_changed_byte_in_the_records_commit_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path());
    append_each(&log, &numbered(0..3));
    let path = segments(dir.path()).remove(0);
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(log.read(1).unwrap().is_some());
    assert!(matches!(log.read(2), Err(Error::Corrupt { .. })));
}
