//! A closed loop: each connection sends its next request when it has the answer to the last one.

use std::{
    sync::{
        atomic::{AtomicU64, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::task::JoinSet;

use crate::{
    connection::Connection,
    tally::Tally,
    target::{Form, Target},
};

/// Pause after a fault: a side that refuses everything must not be asked a million times.
const FAULT_PAUSE: Duration = Duration::from_millis(20);

/// When a loop ends.
#[derive(Clone, Debug)]
pub enum Until {
    /// After this time.
    Elapsed(Duration),
    /// After so many requests, all connections together. What is left is counted down in it.
    Sent(Arc<AtomicU64>),
}

impl Until {
    fn goes_on(&self, began: Instant) -> bool {
        match self {
            Until::Elapsed(duration) => began.elapsed() < *duration,
            Until::Sent(left) => {
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
            }
        }
    }
}

/// Runs the loop on so many connections, opened before it begins.
pub async fn run(target: &Target, connections: usize, form: Form, until: Until) -> Result<Tally> {
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(target.address()).await?);
    }
    let (mut callers, mut tally) = (JoinSet::new(), Tally::default());
    let began = Instant::now();
    for (at, mut connection) in open.into_iter().enumerate() {
        let (request, expected, until) = (target.request(at, form)?, target.expected(form), until.clone());
        callers.spawn(async move {
            let mut tally = Tally::default();
            while until.goes_on(began) {
                let sent = Instant::now();
                match connection.shoot(request.clone(), expected).await {
                    Ok(shot) => tally.record(sent, &shot),
                    Err(fault) => {
                        tally.fail(fault);
                        tokio::time::sleep(FAULT_PAUSE).await;
                    }
                }
            }
            tally
        });
    }
    while let Some(one) = callers.join_next().await {
        tally.add(one?);
    }
    tally.wall = began.elapsed();
    Ok(tally)
}
