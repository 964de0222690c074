//! A long run through one side, to see whether its memory stays flat.

use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use serde::Serialize;
use stipend_http_load::{
    closed::{self, Until},
    target::Form,
};

use super::side::Side;
use crate::{figures::table, progress};

/// How often is looked how far the run is.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Rows of the table.
const STEPS: u64 = 10;

/// How the side stands after some of the requests.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Step {
    /// Requests sent so far.
    pub requests: u64,
    /// Seconds since the first.
    pub seconds: f64,
    /// Bytes of memory in use.
    pub rss_bytes: u64,
}

/// Sends `requests` through a side and prints its memory meanwhile.
pub(super) async fn run(side: &Side, requests: u64, connections: usize) -> Result<Vec<Step>> {
    let left = Arc::new(AtomicU64::new(requests));
    let bar = progress::bar("long run", requests);
    let began = Instant::now();
    let step = |sent| Step {
        requests: sent,
        seconds: began.elapsed().as_secs_f64(),
        rss_bytes: side.usage().rss_bytes,
    };
    let mut steps = vec![step(0)];
    let load = closed::run(&side.target, connections, Form::Whole, Until::Sent(left.clone()));
    tokio::pin!(load);
    let tally = loop {
        tokio::select! {
            tally = &mut load => break tally?,
            () = tokio::time::sleep(LOOK_EVERY) => {
                let sent = requests - left.load(Ordering::Relaxed);
                bar.set_position(sent);
                if sent < requests && sent >= requests / STEPS * steps.len() as u64 {
                    steps.push(step(sent));
                }
            }
        }
    };
    steps.push(step(requests));
    bar.finish_and_clear();
    println!(
        "\nA long run of {} through it: {} good answers, {} faults",
        side.name,
        tally.answered(),
        tally.faults
    );
    let mut rows = table(&["requests", "seconds", "memory, MB"]);
    for Step { requests, seconds, rss_bytes } in &steps {
        rows.add_row([
            requests.to_string(),
            format!("{seconds:.0}"),
            format!("{:.1}", *rss_bytes as f64 / 1e6),
        ]);
    }
    println!("{rows}");
    Ok(steps)
}
