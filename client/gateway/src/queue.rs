//! Who may talk to an upstream now, and who next.
//!
//! An upstream takes a bounded number of requests at a time; the others wait, the highest priority fee
//! first, then the oldest. While there is room, a request takes its place by one atomic step and
//! touches no lock.

use std::{
    cmp::Ordering as Order,
    collections::BinaryHeap,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc,
    },
};

use parking_lot::Mutex;
use tokio::sync::oneshot;

/// Places at one upstream and those who wait for them.
pub(crate) struct Queue {
    free: AtomicUsize,
    waiting: AtomicUsize,
    waiting_max: usize,
    waiters: Mutex<Waiters>,
}

#[derive(Default)]
struct Waiters {
    heap: BinaryHeap<Waiter>,
    arrivals: u64,
}

struct Waiter {
    fee: u32,
    arrival: u64,
    place: oneshot::Sender<Place>,
}

impl Ord for Waiter {
    fn cmp(&self, other: &Self) -> Order {
        self.fee.cmp(&other.fee).then_with(|| other.arrival.cmp(&self.arrival))
    }
}

impl PartialOrd for Waiter {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiter {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Order::Equal
    }
}

impl Eq for Waiter {}

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
            queue.free.fetch_add(1, Ordering::SeqCst);
            queue.hand_on();
        }
    }
}

impl Queue {
    pub(crate) fn new(places: usize, waiting_max: usize) -> Self {
        Queue {
            free: AtomicUsize::new(places),
            waiting: AtomicUsize::new(0),
            waiting_max,
            waiters: Mutex::default(),
        }
    }

    /// Waits for a place. Stops waiting if the future is dropped.
    pub(crate) async fn enter(self: &Arc<Self>, fee: u32) -> Result<Place, QueueFull> {
        if self.waiting.load(Ordering::SeqCst) == 0 && self.take() {
            return Ok(Place { queue: Some(self.clone()) });
        }
        let place = self.wait(fee)?;
        // The sender is in the heap until it sends, and the heap lives as long as the queue.
        place.await.map_err(|_| QueueFull)
    }

    fn wait(self: &Arc<Self>, fee: u32) -> Result<oneshot::Receiver<Place>, QueueFull> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut waiters = self.waiters.lock();
            // Those who gave up must not keep others out.
            if waiters.heap.len() >= self.waiting_max {
                waiters.heap.retain(|waiter| !waiter.place.is_closed());
                self.waiting.store(waiters.heap.len(), Ordering::SeqCst);
            }
            if waiters.heap.len() >= self.waiting_max {
                return Err(QueueFull);
            }
            waiters.arrivals += 1;
            let waiter = Waiter { fee, arrival: waiters.arrivals, place: sender };
            waiters.heap.push(waiter);
            self.waiting.store(waiters.heap.len(), Ordering::SeqCst);
        }
        // A place that became free before the waiter was counted was offered to nobody.
        self.hand_on();
        Ok(receiver)
    }

    fn take(&self) -> bool {
        let less = |free: usize| free.checked_sub(1);
        self.free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
    }

    /// Gives free places to those who wait.
    fn hand_on(self: &Arc<Self>) {
        while self.waiting.load(Ordering::SeqCst) > 0 && self.take() {
            let next = {
                let mut waiters = self.waiters.lock();
                let next = std::iter::from_fn(|| waiters.heap.pop()).find(|waiter| !waiter.place.is_closed());
                self.waiting.store(waiters.heap.len(), Ordering::SeqCst);
                next
            };
            let place = Place { queue: Some(self.clone()) };
            match next {
                // A waiter that gave up this instant drops the place, which hands it on.
                Some(waiter) => drop(waiter.place.send(place)),
                None => {
                    // Nobody was there after all; put the place back without handing it on again.
                    let mut place = place;
                    place.queue = None;
                    self.free.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    }

    /// Requests that wait.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Places that are free.
    pub(crate) fn free(&self) -> usize {
        self.free.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn the_highest_fee_goes_first_and_equals_go_in_order() {
        let queue = Arc::new(Queue::new(1, 16));
        let first = queue.enter(0).await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut tasks = Vec::new();
        for (name, fee) in [("a", 0), ("b", 5), ("c", 9), ("d", 5), ("e", 0)] {
            let (waiting_queue, order) = (queue.clone(), order.clone());
            tasks.push(tokio::spawn(async move {
                let _place = waiting_queue.enter(fee).await.unwrap();
                order.lock().push(name);
            }));
            while queue.waiting() < tasks.len() {
                tokio::task::yield_now().await;
            }
        }
        drop(first);
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock(), ["c", "b", "d", "a", "e"]);
        assert_eq!(queue.free(), 1);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_those_who_gave_up_make_room() {
        let queue = Arc::new(Queue::new(1, 1));
        let place = queue.enter(0).await.unwrap();
        let gave_up = tokio::time::timeout(Duration::from_millis(5), queue.enter(9)).await;
        assert!(gave_up.is_err());
        let waiting = tokio::spawn({
            let queue = queue.clone();
            async move { queue.enter(0).await.map(drop) }
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert!(matches!(queue.enter(9).await, Err(QueueFull)));
        drop(place);
        assert_eq!(waiting.await.unwrap(), Ok(()));
        assert_eq!(queue.free(), 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_place_is_lost_or_given_twice_under_contention() {
        let queue = Arc::new(Queue::new(3, 10_000));
        let inside = Arc::new(AtomicUsize::new(0));
        let tasks: Vec<_> = (0..2_000u32)
            .map(|number| {
                let (queue, inside) = (queue.clone(), inside.clone());
                tokio::spawn(async move {
                    let entered = queue.enter(number % 7);
                    let entered = tokio::time::timeout(Duration::from_micros(u64::from(number)), entered);
                    if let Ok(Ok(_place)) = entered.await {
                        assert!(inside.fetch_add(1, Ordering::SeqCst) < 3, "more inside than places");
                        tokio::task::yield_now().await;
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(queue.free(), 3);
        drop(queue.enter(0).await.unwrap());
    }
}
