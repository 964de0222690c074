//! An open loop: requests at fixed times. A latency counts from the time at which its request was due, so a side that
//! stalls is charged for everybody who had to wait meanwhile.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::{
    sync::{mpsc, Mutex},
    task::JoinSet,
};

use crate::{
    connection::Connection,
    tally::Tally,
    target::{Form, Target},
};

/// Connections that take requests as they become due: enough that a stall of a tenth of a second at a thousand a second
/// leaves some.
const CONNECTIONS: usize = 128;

/// Sends `rate` requests a second for some time.
pub async fn run(target: &Target, rate: u32, form: Form, duration: Duration) -> Result<Tally> {
    let mut open = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        open.push(Connection::open(target.address()).await?);
    }
    let (sender, receiver) = mpsc::unbounded_channel();
    let receiver = Arc::new(Mutex::new(receiver));
    let (mut callers, mut tally) = (JoinSet::new(), Tally::default());
    let began = Instant::now();
    for (at, mut connection) in open.into_iter().enumerate() {
        let (request, expected, receiver) =
            (target.request(at, form)?, target.expected(form), receiver.clone());
        callers.spawn(async move {
            let mut tally = Tally::default();
            loop {
                let due = receiver.lock().await.recv().await;
                let Some(due) = due else { return tally };
                match connection.shoot(request.clone(), expected).await {
                    Ok(shot) => tally.record(due, &shot),
                    Err(fault) => tally.fail(fault),
                }
            }
        });
    }
    let clock = thread::spawn(move || tick(rate, duration, &sender));
    while let Some(one) = callers.join_next().await {
        tally.add(one?);
    }
    tally.wall = began.elapsed();
    // It ended before the channel did.
    drop(clock.join());
    Ok(tally)
}

/// Announces the requests as they become due. A thread of its own: the runtime's timers tick in milliseconds.
fn tick(rate: u32, duration: Duration, sender: &mpsc::UnboundedSender<Instant>) {
    wake_exactly();
    let interval = Duration::from_secs(1) / rate.max(1);
    let (began, count) = (Instant::now(), (duration.as_nanos() / interval.as_nanos().max(1)) as u32);
    for at in 0..count {
        let due = began + interval * at;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if sender.send(due).is_err() {
            return;
        }
    }
}

/// Asks Linux to wake this thread when it said, not up to 50 microseconds later. Where that cannot be, all sides are
/// woken alike late.
fn wake_exactly() {
    if let Some(thread) =
        std::fs::read_link("/proc/thread-self").ok().and_then(|link| link.file_name().map(Into::into))
    {
        let thread: std::path::PathBuf = thread;
        drop(std::fs::write(std::path::Path::new("/proc").join(thread).join("timerslack_ns"), "1"));
    }
}
