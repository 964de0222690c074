#![allow(clippy::unwrap_used)]

use super::*;

fn queue(places_max: usize, waiting_max: usize) -> Arc<Queue> {
    let ageing = Duration::from_secs(60);
    Arc::new(Queue::new(&Settings { places_max, learned: false, waiting_max, ageing }))
}

fn wallet(number: u8) -> AccountId {
    AccountId::new([number; 32])
}

/// Puts requests into the line one after the other, then lets them through; their names in the order they went.
async fn order(queue: &Arc<Queue>, requests: &[(&'static str, u32, u8)]) -> Vec<&'static str> {
    let first = queue.enter(0, &wallet(0)).await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for (name, fee, owner) in requests.iter().copied() {
        let (waiting, order) = (queue.clone(), order.clone());
        tasks.push(tokio::spawn(async move {
            let _place = waiting.enter(fee, &wallet(owner)).await.unwrap();
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
    assert_eq!(queue.inside(), 0);
    let order = order.lock();
    order.clone()
}

#[tokio::test]
async fn the_highest_fee_goes_first_and_one_wallets_equals_go_in_order() {
    let requests = [("a", 0, 1), ("b", 5, 1), ("c", 9, 1), ("d", 5, 1), ("e", 0, 1)];
    assert_eq!(order(&queue(1, 16), &requests).await, ["c", "b", "d", "a", "e"]);
}

#[tokio::test]
async fn wallets_that_offer_the_same_take_turns() {
    let requests = [("a1", 3, 1), ("a2", 3, 1), ("a3", 3, 1), ("b1", 3, 2), ("b2", 3, 2), ("a0", 0, 1)];
    assert_eq!(order(&queue(1, 16), &requests).await, ["a1", "b1", "a2", "b2", "a3", "a0"]);
}

#[tokio::test]
async fn a_full_queue_refuses_and_who_leaves_makes_room_at_once() {
    let queue = queue(1, 1);
    let owner = wallet(1);
    let place = queue.enter(0, &owner).await.unwrap();
    let left = tokio::time::timeout(Duration::from_millis(5), queue.enter(9, &owner)).await;
    assert!(left.is_err());
    assert_eq!(queue.waiting(), 0);
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { queue.enter(0, &wallet(2)).await.map(drop) }
    });
    while queue.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(matches!(queue.enter(9, &owner).await, Err(QueueFull)));
    drop(place);
    assert_eq!(waiting.await.unwrap(), Ok(()));
    assert_eq!(queue.inside(), 0);
}

#[tokio::test]
async fn a_limit_that_rises_lets_those_in_who_wait() {
    let settings =
        Settings { places_max: 8, learned: true, waiting_max: 64, ageing: Duration::from_secs(60) };
    let queue = Arc::new(Queue::new(&settings));
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(210));
        queue.refused();
        if queue.limit() == 1 {
            break;
        }
    }
    assert_eq!(queue.limit(), 1);
    let place = queue.enter(0, &wallet(1)).await.unwrap();
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { queue.enter(0, &wallet(1)).await.map(drop) }
    });
    while queue.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    std::thread::sleep(Duration::from_millis(210));
    queue.answered(None);
    assert_eq!(waiting.await.unwrap(), Ok(()));
    drop(place);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_place_is_lost_or_given_twice_under_contention() {
    let queue = queue(3, 10_000);
    let inside = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..2_000u32)
        .map(|number| {
            let (queue, inside) = (queue.clone(), inside.clone());
            tokio::spawn(async move {
                let owner = wallet((number % 5) as u8);
                let entered = queue.enter(number % 7, &owner);
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
    assert_eq!((queue.inside(), queue.waiting()), (0, 0));
    drop(queue.enter(0, &wallet(1)).await.unwrap());
}
