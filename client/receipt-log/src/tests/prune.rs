use super::*;

#[test]
fn pruning_removes_whole_segments_and_keeps_every_record_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path());
    append_each(&log, &numbered(0..100));
    let before = segments(dir.path()).len();
    let oldest = run(log.prune_before(50)).unwrap();
    assert!(oldest <= 50, "position {oldest} is the oldest kept, 50 was still wanted");
    assert!(oldest > 30, "almost nothing was pruned: {oldest} is the oldest kept");
    assert!(segments(dir.path()).len() < before);
    drop(log);
    let (_, records) = open(dir.path());
    assert_eq!(records.first().unwrap().0, oldest);
    assert_eq!(records.last().unwrap().0, 99);
}

#[test]
fn the_next_position_survives_pruning_everything() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path());
    append_each(&log, &numbered(0..100));
    run(log.prune_before(u64::MAX)).unwrap();
    assert_eq!(segments(dir.path()).len(), 1);
    drop(log);
    let (log, _) = open(dir.path());
    assert_eq!(run(log.append("next")).unwrap(), 100);
}

#[test]
fn a_replay_that_began_before_pruning_still_yields_everything() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path());
    append_each(&log, &numbered(0..100));
    drop(log);
    let (log, replay) = Log::open(dir.path(), options()).unwrap();
    run(log.prune_before(100)).unwrap();
    assert_eq!(replay.map(Result::unwrap).count(), 100);
}
