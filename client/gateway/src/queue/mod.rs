//! Who may talk to an upstream now, and who next.
//!
//! An upstream takes a bounded number of requests at a time ([`limit`]); the others wait in an order of their own
//! ([`line`]). While there is room, a request takes its place by one atomic step and touches no lock; every upstream has
//! a queue of its own.

mod limit;
mod line;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use stipend_primitives::AccountId;
use tokio::sync::oneshot;

use limit::Limit;
use line::{Line, Rank};

/// How one upstream's queue is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// Requests at a time, at most.
    pub(crate) places_max: usize,
    /// Whether fewer are given while the upstream shows that it has too many.
    pub(crate) learned: bool,
    /// Requests that wait, at most.
    pub(crate) waiting_max: usize,
    /// See [`line`].
    pub(crate) ageing: Duration,
}

/// Places at one upstream and those who wait for them.
pub(crate) struct Queue {
    inside: AtomicUsize,
    waiting: AtomicUsize,
    waiting_max: usize,
    limit: Limit,
    line: Mutex<Line<oneshot::Sender<Place>>>,
}

/// The queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueFull;

/// A place at the upstream. Dropping it lets the next one in.
pub(crate) struct Place {
    queue: Option<Arc<Queue>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(queue) = self.queue.take() {
            queue.inside.fetch_sub(1, Ordering::SeqCst);
            queue.hand_on();
        }
    }
}

/// Somebody in the line; leaves it at once when dropped.
struct Ticket<'a> {
    queue: &'a Queue,
    rank: Rank,
    is_served: bool,
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        if !self.is_served {
            let mut line = self.queue.line.lock();
            let gone = line.remove(self.rank);
            self.queue.waiting.store(line.len(), Ordering::SeqCst);
            drop(line);
            // Outside of the lock: the other end may be dropped with it.
            drop(gone);
        }
    }
}

impl Queue {
    pub(crate) fn new(settings: &Settings) -> Self {
        Queue {
            inside: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            waiting_max: settings.waiting_max,
            limit: Limit::new(settings.places_max, settings.learned),
            line: Mutex::new(Line::new(settings.ageing)),
        }
    }

    /// Waits for a place, in the order that `fee` and the wallet's turn give. Leaves the line if the future is dropped.
    pub(crate) async fn enter(self: &Arc<Self>, fee: u32, wallet: &AccountId) -> Result<Place, QueueFull> {
        if self.waiting.load(Ordering::SeqCst) == 0 && self.take() {
            return Ok(Place { queue: Some(self.clone()) });
        }
        self.limit.was_short();
        let (mut ticket, place) = self.wait(fee, wallet)?;
        // A place that became free before the waiter was counted was offered to nobody.
        self.hand_on();
        // The sender is in the line until it sends, and the line lives as long as the queue.
        let place = place.await.map_err(|_| QueueFull)?;
        ticket.is_served = true;
        Ok(place)
    }

    fn wait(
        &self,
        fee: u32,
        wallet: &AccountId,
    ) -> Result<(Ticket<'_>, oneshot::Receiver<Place>), QueueFull> {
        let (sender, receiver) = oneshot::channel();
        let mut line = self.line.lock();
        if line.len() >= self.waiting_max {
            return Err(QueueFull);
        }
        let rank = line.push(fee, wallet, sender, Instant::now());
        self.waiting.store(line.len(), Ordering::SeqCst);
        Ok((Ticket { queue: self, rank, is_served: false }, receiver))
    }

    fn take(&self) -> bool {
        let more = |inside: usize| (inside < self.limit.get()).then_some(inside + 1);
        self.inside.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
    }

    /// Gives free places to those who wait.
    fn hand_on(self: &Arc<Self>) {
        while self.waiting.load(Ordering::SeqCst) > 0 && self.take() {
            let next = {
                let mut line = self.line.lock();
                let next = line.pop(Instant::now());
                self.waiting.store(line.len(), Ordering::SeqCst);
                next
            };
            match next {
                // One that left this instant drops the place, which hands it on.
                Some(next) => drop(next.send(Place { queue: Some(self.clone()) })),
                None => {
                    // Nobody was there after all.
                    self.inside.fetch_sub(1, Ordering::SeqCst);
                }
            }
        }
    }

    /// The upstream answered; how long it took to begin, where that says something about its queue.
    pub(crate) fn answered(self: &Arc<Self>, latency: Option<Duration>) {
        self.limit.answered(latency, Instant::now());
        self.hand_on();
    }

    /// The upstream refused: it had too many.
    pub(crate) fn refused(&self) {
        self.limit.refused(Instant::now());
    }

    /// The engine behind says how many wait in it.
    pub(crate) fn engine_waits(self: &Arc<Self>, waiting: u64) {
        self.limit.engine_waits(waiting, Instant::now());
        self.hand_on();
    }

    /// Requests that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Requests that have a place.
    pub(crate) fn inside(&self) -> usize {
        self.inside.load(Ordering::Relaxed)
    }

    /// Requests at a time, now.
    pub(crate) fn limit(&self) -> usize {
        self.limit.get()
    }
}
