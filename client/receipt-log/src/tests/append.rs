use std::sync::{Arc, Mutex};

use super::*;

#[test]
fn appended_records_are_replayed_at_their_positions() {
    let dir = tempfile::tempdir().unwrap();
    let (log, before) = open(dir.path());
    assert!(before.is_empty());
    append_each(&log, &numbered(0..100));
    assert_eq!(log.next_position(), 100);
    drop(log);

    let (log, after) = open(dir.path());
    assert_eq!(after.len(), 100);
    for (index, (position, record)) in after.iter().enumerate() {
        assert_eq!(*position, index as u64);
        assert_eq!(record, format!("record {index}").as_bytes());
    }
    assert!(segments(dir.path()).len() > 3, "the records did not span segments");
    assert_eq!(run(log.append("next")).unwrap(), 100);
}

#[test]
fn positions_of_a_new_log_begin_where_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = Log::open(dir.path(), Options { first_position: 7_000, ..options() }).unwrap();
    assert_eq!(run(log.append("first")).unwrap(), 7_000);
    drop(log);
    // Said again, it changes nothing: the log knows better.
    let (log, _) = Log::open(dir.path(), Options { first_position: 0, ..options() }).unwrap();
    assert_eq!(run(log.append("second")).unwrap(), 7_001);
}

#[test]
fn concurrent_appends_share_syncs_and_keep_every_record() {
    let dir = tempfile::tempdir().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let (log, _) = Log::open_with(dir.path(), options(), move |position, record| {
        sink.lock().unwrap().push((position, record));
    })
    .unwrap();
    let answered: Vec<(u64, Bytes)> = run(async {
        let mut tasks = Vec::new();
        for number in 0..1_000u32 {
            let log = log.clone();
            tasks.push(tokio::spawn(async move {
                let record = Bytes::from(number.to_string());
                (log.append(record.clone()).await.unwrap(), record)
            }));
        }
        let mut answered = Vec::new();
        for task in tasks {
            answered.push(task.await.unwrap());
        }
        answered
    });
    drop(log);
    let mut answered = answered;
    answered.sort();
    assert_eq!(*seen.lock().unwrap(), answered, "the observer saw other records, or another order");
    assert_eq!(open(dir.path()).1, answered);
}

#[test]
fn a_record_that_nobody_waits_for_is_appended_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path());
    run(async {
        let mut append = Box::pin(log.append("left alone"));
        assert!(futures_poll_once(append.as_mut()).await);
        drop(append);
        log.append("after").await.unwrap();
    });
    drop(log);
    let records: Vec<Bytes> = open(dir.path()).1.into_iter().map(|(_, record)| record).collect();
    assert_eq!(records, ["left alone", "after"]);
}

/// Polls once; whether the future is still pending.
async fn futures_poll_once(mut future: std::pin::Pin<&mut (impl std::future::Future + ?Sized)>) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_pending())).await
}

#[test]
fn an_empty_record_is_a_record() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path());
    append_each(&log, &[Vec::new(), b"x".to_vec(), Vec::new()]);
    drop(log);
    let lens: Vec<usize> = open(dir.path()).1.iter().map(|(_, record)| record.len()).collect();
    assert_eq!(lens, [0, 1, 0]);
}

#[test]
fn a_record_above_the_limit_is_refused_and_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path());
    let refused = run(log.append(vec![0; 257])).unwrap_err();
    assert!(matches!(refused, Error::TooLarge { bytes: 257, bytes_max: 256 }));
    assert_eq!(run(log.append(vec![0; 256])).unwrap(), 0);
}

#[test]
fn a_second_opening_is_refused_until_the_first_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path());
    assert!(matches!(Log::open(dir.path(), options()), Err(Error::InUse { .. })));
    drop(log);
    open(dir.path());
}

#[test]
fn records_appended_after_opening_are_not_part_of_the_replay() {
    let dir = tempfile::tempdir().unwrap();
    let (log, _) = open(dir.path());
    append_each(&log, &numbered(0..3));
    drop(log);
    let (log, replay) = Log::open(dir.path(), options()).unwrap();
    append_each(&log, &numbered(3..40));
    assert_eq!(replay.end_position(), 3);
    assert_eq!(replay.count(), 3);
    drop(log);
    assert_eq!(open(dir.path()).1.len(), 40);
}
