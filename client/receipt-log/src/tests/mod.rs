#![allow(clippy::unwrap_used)]

mod append;
mod crash;
mod damage;
mod kill;
mod lookup;
mod power;
mod prune;

use std::{fs, path::Path, path::PathBuf};

use bytes::Bytes;

use crate::{Error, Log, Options};

/// Small segments, so that few records make several.
fn options() -> Options {
    Options { segment_bytes_max: 512, record_bytes_max: 256, ..Options::default() }
}

fn open(dir: &Path) -> (Log, Vec<(u64, Bytes)>) {
    let (log, replay) = Log::open(dir, options()).unwrap();
    let records = replay.collect::<Result<_, Error>>().unwrap();
    (log, records)
}

fn run<T>(future: impl std::future::Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// Appends one after the other: each record is a commit of its own.
fn append_each(log: &Log, records: &[Vec<u8>]) {
    run(async {
        for record in records {
            log.append(record.clone()).await.unwrap();
        }
    });
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    paths.sort();
    paths
}

fn numbered(range: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    range.map(|number| format!("record {number}").into_bytes()).collect()
}
