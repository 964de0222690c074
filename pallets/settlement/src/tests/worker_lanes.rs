use sp_core::offchain::Duration;
use sp_runtime::offchain::storage_lock::{StorageLock, Time};
use stipend_primitives::settlement::{Verdict, VerdictKind};

use super::{
    network::{Answer, NEVER},
    world::*,
};
use crate::{mock::*, Call};

const SLOW_LOCK: &[u8] = b"stipend/settlement/lock/slow";
const PROMPT_LOCK: &[u8] = b"stipend/settlement/lock/prompt";

fn hang(node: &Node, attestor: &Attestor, url: &str) {
    node.network.listen(&attestor.endpoint);
    node.network.answer(url, Answer { headers_after_ms: NEVER, ..Answer::ok("") });
}

/// The milliseconds after which each provider was voted on.
fn times(votes: &[(u64, RuntimeCall)]) -> Vec<(u8, u64)> {
    votes
        .iter()
        .map(|(ms, call)| match call {
            RuntimeCall::Settlement(Call::vote { vote, .. }) => {
                let provider: &[u8] = vote.item.provider.as_ref();
                (provider[0], *ms)
            }
            other => panic!("the worker only votes, not {other:?}"),
        })
        .collect()
}

#[test]
fn a_provider_that_hangs_costs_another_no_time() {
    let (mut ext, hanging) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let prompt = Attestor::registered(20);
        for number in 0..5 {
            let batch = small_batch(3 * number, &hanging);
            submit(&batch);
            hang(&node, &hanging, &hanging.url(&batch));
        }
        let batch = small_batch(100, &prompt);
        submit(&batch);
        prompt.serve_honestly(&node.network, &batch);
    });
    let votes = node.run_timed(&mut ext);
    let times = times(&votes);
    assert_eq!(times.len(), 1);
    assert!(times[0].0 == 20 && times[0].1 < 100, "{times:?}");
}

#[test]
fn a_provider_that_drips_its_body_costs_another_no_time() {
    let (mut ext, dripping) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let prompt = Attestor::registered(20);
        let batch = small_batch(0, &dripping);
        submit(&batch);
        node.network.listen(&dripping.endpoint);
        let drip = Answer { kilobyte_after_ms: 900, ..Answer::ok(vec![b' '; 4 * 1024]) };
        node.network.answer(&dripping.url(&batch), drip);
        let batch = small_batch(100, &prompt);
        submit(&batch);
        prompt.serve_honestly(&node.network, &batch);
        // It is even a little slower to answer.
        let signed = prompt.sign(prompt.attestation(&batch, &leaves_of(&batch, &prompt.account)));
        let answer = Answer { headers_after_ms: 50, ..Answer::ok(serde_json::to_vec(&signed).unwrap()) };
        node.network.answer(&prompt.url(&batch), answer);
    });
    let times = times(&node.run_timed(&mut ext));
    assert_eq!(times.len(), 1);
    assert!(times[0].0 == 20 && times[0].1 < 100, "{times:?}");
}

#[test]
fn while_a_run_waits_for_slow_providers_the_next_one_serves_the_prompt_ones() {
    let (mut ext, hanging) = chain(1);
    let node = Node::new([0]);
    let prompt = ext.execute_with(|| {
        let batch = small_batch(0, &hanging);
        submit(&batch);
        hang(&node, &hanging, &hanging.url(&batch));
        Attestor::registered(20)
    });
    assert_eq!(node.run(&mut ext).len(), 0);
    // Known as slow now. A run of an earlier block is still busy with it.
    node.off_chain(&mut ext, || {
        let mut lock = StorageLock::<Time>::with_deadline(SLOW_LOCK, Duration::from_millis(30_000));
        lock.try_lock().ok().unwrap().forget();
    });
    node.network.asked();
    ext.execute_with(|| {
        let batch = small_batch(100, &prompt);
        submit(&batch);
        prompt.serve_honestly(&node.network, &batch);
    });
    let started = node.network.now();
    let times = times(&node.run_timed(&mut ext));
    assert_eq!(times.len(), 1);
    assert!(node.network.now() - started < 100, "the run did not wait for anything");
    assert_eq!(node.network.asked().len(), 1);
}

#[test]
fn two_runs_of_one_lane_do_not_overlap_and_a_lock_left_by_a_crash_expires() {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        attestor.serve_honestly(&node.network, &batch);
    });
    node.off_chain(&mut ext, || {
        let mut lock = StorageLock::<Time>::with_deadline(PROMPT_LOCK, Duration::from_millis(30_000));
        lock.try_lock().ok().unwrap().forget();
    });
    assert_eq!(node.run(&mut ext).len(), 0);
    node.network.pass(30_001);
    assert_eq!(node.run(&mut ext).len(), 1);
}

#[test]
fn a_provider_that_is_slow_but_good_is_settled_in_the_slow_lane() {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        attestor.serve_honestly(&node.network, &batch);
        let signed = attestor.sign(attestor.attestation(&batch, &leaves_of(&batch, &attestor.account)));
        let answer = Answer { headers_after_ms: 1_500, ..Answer::ok(serde_json::to_vec(&signed).unwrap()) };
        node.network.answer(&attestor.url(&batch), answer);
    });
    assert_eq!(verdicts(&node.run(&mut ext)), [Verdict::Match]);
}

#[test]
fn a_provider_leaves_the_slow_lane_after_a_minute() {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    let batch = ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        hang(&node, &attestor, &attestor.url(&batch));
        batch
    });
    node.run(&mut ext);
    assert_eq!(node.network.asked().len(), 2, "once in each lane");
    node.run(&mut ext);
    assert_eq!(node.network.asked().len(), 1, "in the slow lane only");
    node.network.pass(61_000);
    attestor.serve_honestly(&node.network, &batch);
    node.off_chain(&mut ext, || {
        let mut lock = StorageLock::<Time>::with_deadline(SLOW_LOCK, Duration::from_millis(30_000));
        lock.try_lock().ok().unwrap().forget();
    });
    assert_eq!(node.run(&mut ext).len(), 1, "in the prompt lane again");
}

#[test]
fn a_run_takes_up_a_bounded_number_of_items_in_fair_turns() {
    let (mut ext, busy) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let other = Attestor::registered(20);
        for number in 0..200 {
            let batch = small_batch(3 * number, &busy);
            submit(&batch);
            busy.serve_honestly(&node.network, &batch);
        }
        let batch = small_batch(3_000, &other);
        submit(&batch);
        other.serve_honestly(&node.network, &batch);
    });
    let votes = node.run_timed(&mut ext);
    assert_eq!(votes.len(), 64);
    assert!(times(&votes).iter().any(|(provider, _)| *provider == 20), "nobody is crowded out");
    // Oldest first: the newest of the busy pair wait for the next runs.
    let newest = votes
        .iter()
        .filter_map(|(_, call)| match call {
            RuntimeCall::Settlement(Call::vote { vote, .. }) if vote.item.provider == busy.account => {
                Some(vote.item.first_seq)
            }
            _ => None,
        })
        .max();
    assert_eq!(newest, Some(3 * 62));
    // The next runs take the rest.
    let mut count = votes.len();
    for _ in 0..3 {
        count += node.run(&mut ext).len();
    }
    assert_eq!(count, 201);
}

#[test]
fn a_hanging_providers_items_are_unattested_in_the_end_and_the_others_matched() {
    let (mut ext, hanging) = chain(4);
    let node = Node::new(0..4);
    ext.execute_with(|| {
        let prompt = Attestor::registered(20);
        for number in 0..4 {
            let batch = small_batch(3 * number, &hanging);
            submit(&batch);
            hang(&node, &hanging, &hanging.url(&batch));
            let batch = small_batch(100 + 3 * number, &prompt);
            submit(&batch);
            prompt.serve_honestly(&node.network, &batch);
        }
    });
    node.settle(&mut ext);
    assert_eq!(Closed::get().len(), 4);
    for _ in 0..=UNATTESTED_AFTER {
        pass_blocks(&mut ext, 1);
        node.settle(&mut ext);
    }
    let unattested = Closed::get().iter().filter(|(_, kind, _)| *kind == VerdictKind::Unattested).count();
    assert_eq!((Closed::get().len(), unattested), (8, 4));
    assert!(Open::get().is_empty());
}
