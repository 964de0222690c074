//! Places for running requests, and the order in which waiting ones get them.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Hands out a bounded number of places: of those who wait, the lowest priority value first, then
/// the earliest.
#[derive(Clone)]
pub(crate) struct Queue {
    state: Arc<Mutex<State>>,
}

struct State {
    free: usize,
    running: usize,
    arrivals: u64,
    waiting: BTreeMap<(i64, u64), oneshot::Sender<Place>>,
}

/// A place; dropping it lets the next one run.
pub(crate) struct Place {
    queue: Queue,
}

impl Queue {
    pub(crate) fn new(places: usize) -> Self {
        let state = State { free: places, running: 0, arrivals: 0, waiting: BTreeMap::new() };
        Queue { state: Arc::new(Mutex::new(state)) }
    }

    /// Waits for a place. Who stops waiting gives up its turn.
    pub(crate) async fn enter(&self, priority: i64) -> Place {
        let (ticket, turn) = {
            let mut state = self.state.lock();
            if state.free > 0 {
                state.free -= 1;
                state.running += 1;
                return Place { queue: self.clone() };
            }
            let (sender, turn) = oneshot::channel();
            state.arrivals += 1;
            let key = (priority, state.arrivals);
            state.waiting.insert(key, sender);
            (Ticket { queue: self, key }, turn)
        };
        let place = turn.await.expect("a sender leaves the queue by sending or with its ticket; qed");
        drop(ticket);
        place
    }

    /// Requests that run and requests that wait.
    pub(crate) fn lengths(&self) -> (usize, usize) {
        let state = self.state.lock();
        (state.running, state.waiting.len())
    }
}

/// Removes a waiting request that is dropped.
struct Ticket<'a> {
    queue: &'a Queue,
    key: (i64, u64),
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        self.queue.state.lock().waiting.remove(&self.key);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let next = {
            let mut state = self.queue.state.lock();
            match state.waiting.pop_first() {
                Some((_, next)) => Some(next),
                None => {
                    state.free += 1;
                    state.running -= 1;
                    None
                }
            }
        };
        // The place goes over to the next one. If that one is gone, the place comes back inside the
        // error and is dropped again, with the lock free.
        if let Some(next) = next {
            let _ = next.send(Place { queue: self.queue.clone() });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    async fn waiting(queue: &Queue, count: usize) {
        while queue.lengths().1 != count {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn the_lowest_priority_value_goes_first_and_equals_in_order() {
        let queue = Queue::new(1);
        let running = queue.enter(0).await;
        let (order, mut came) = tokio::sync::mpsc::unbounded_channel();
        for (index, priority) in [5, -1, 5, 0].into_iter().enumerate() {
            let (queue, order) = (queue.clone(), order.clone());
            let before = queue.lengths().1;
            let entering = queue.clone();
            tokio::spawn(async move {
                let _place = entering.enter(priority).await;
                order.send(index).unwrap();
            });
            waiting(&queue, before + 1).await;
        }
        drop(running);
        let mut seen = Vec::new();
        for _ in 0..4 {
            seen.push(came.recv().await.unwrap());
        }
        assert_eq!(seen, [1, 3, 0, 2]);
        assert_eq!(queue.lengths(), (0, 0));
    }

    #[tokio::test]
    async fn who_stops_waiting_holds_nobody_up() {
        let queue = Queue::new(1);
        let running = queue.enter(0).await;
        let gone = tokio::spawn({
            let queue = queue.clone();
            async move { queue.enter(0).await }
        });
        waiting(&queue, 1).await;
        gone.abort();
        waiting(&queue, 0).await;
        drop(running);
        assert_eq!(queue.lengths(), (0, 0));
        let _place = queue.enter(0).await;
    }
}
