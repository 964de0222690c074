use stipend_primitives::{
    attestation::GpuUse,
    settlement::{Verdict, VerdictKind},
};

use super::{network::Answer, world::*};
use crate::mock::*;

#[test]
fn equal_roots_settle_with_one_request_and_no_refund() {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    let batch = ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        attestor.serve_honestly(&node.network, &batch);
        batch
    });
    assert_eq!(node.settle(&mut ext), 1);
    assert_eq!(node.network.asked(), [attestor.url(&batch)]);
    assert_eq!(last_closed(), Some((VerdictKind::Match, 0)));
    assert!(Paid::get().is_empty());
}

#[test]
fn four_validators_settle_what_they_each_saw() {
    let (mut ext, attestor) = chain(4);
    let nodes: Vec<Node> = (0..4).map(|number| Node::new([number])).collect();
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        nodes.iter().for_each(|node| attestor.serve_honestly(&node.network, &batch));
    });
    let votes: Vec<_> = nodes.iter().map(|node| node.settle(&mut ext)).collect();
    assert_eq!(votes, [1, 1, 1, 0], "after the third vote nothing is open");
    assert_eq!(last_closed(), Some((VerdictKind::Match, 0)));
}

#[test]
fn a_node_without_a_settlement_key_asks_nobody() {
    let (mut ext, attestor) = chain(1);
    // One has no key at all, the other the key of a validator that is no authority now.
    for node in [Node::new([]), Node::new([7])] {
        ext.execute_with(|| {
            let batch = small_batch(0, &attestor);
            submit(&batch);
            attestor.serve_honestly(&node.network, &batch);
        });
        assert_eq!(node.run(&mut ext).len(), 0);
        assert!(node.network.asked().is_empty());
    }
}

#[test]
fn a_vote_on_its_way_is_not_cast_again_and_a_lost_one_is() {
    let (mut ext, attestor) = chain(4);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        attestor.serve_honestly(&node.network, &batch);
    });
    assert_eq!(node.run(&mut ext).len(), 1);
    for _ in 0..7 {
        pass_blocks(&mut ext, 1);
        assert_eq!(node.run(&mut ext).len(), 0);
    }
    pass_blocks(&mut ext, 1);
    assert_eq!(node.settle(&mut ext), 1);
    // Now that it is in a block, it is cast no more.
    node.network.asked();
    for _ in 0..50 {
        pass_blocks(&mut ext, 1);
        assert_eq!(node.run(&mut ext).len(), 0);
    }
    assert!(node.network.asked().is_empty());
}

#[test]
fn an_attestation_that_is_not_there_yet_is_asked_for_again() {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    let batch = ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        batch
    });
    node.network.listen(&attestor.endpoint);
    for _ in 0..3 {
        pass_blocks(&mut ext, 1);
        assert_eq!(node.run(&mut ext).len(), 0);
    }
    assert_eq!(node.network.asked().len(), 3);
    attestor.serve_honestly(&node.network, &batch);
    assert_eq!(node.settle(&mut ext), 1);
    assert_eq!(last_closed(), Some((VerdictKind::Match, 0)));
}

#[test]
fn each_provider_of_a_batch_is_settled_by_itself() {
    let (mut ext, first) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let second = Attestor::registered(10);
        let receipts = [
            (1, 0, usage(100, 0, 10), 0),
            (2, 1, usage(40, 0, 20), 0),
            (1, 2, usage(30, 0, 30), 0),
            (3, 1, usage(20, 0, 40), 0),
        ];
        let batch = batch(0, &[(&first, 0), (&second, 1), (&first, 2)], &receipts);
        submit(&batch);
        assert_eq!(Open::get().len(), 2);
        first.serve_honestly(&node.network, &batch);
        second.serve_honestly(&node.network, &batch);
    });
    assert_eq!(node.settle(&mut ext), 2);
    assert!(Open::get().is_empty());
    assert!(Closed::get().iter().all(|(_, kind, _)| *kind == VerdictKind::Match));
}

#[test]
fn gpu_time_and_energy_are_part_of_a_valid_attestation() {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        let mut attestation = attestor.attestation(&batch, &leaves_of(&batch, &attestor.account));
        attestation.gpu_time_ms = Some(u64::MAX);
        attestation.energy_mj = Some(u64::MAX);
        attestor.serve_signed(&node.network, &batch, &attestor.sign(attestation));
    });
    assert_eq!(node.settle(&mut ext), 1);
    assert_eq!(last_closed(), Some((VerdictKind::Match, 0)));
    assert_eq!(LastGpuUse::get(), GpuUse { time_ms: Some(u64::MAX), energy_mj: Some(u64::MAX) });
}

#[test]
fn a_body_that_comes_in_pieces_is_put_together() {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        let signed = attestor.sign(attestor.attestation(&batch, &leaves_of(&batch, &attestor.account)));
        // White space is JSON too: three kilobytes in three pieces.
        let mut body = serde_json::to_vec(&signed).unwrap();
        body.resize(3 * 1024, b' ');
        let answer = Answer { kilobyte_after_ms: 40, ..Answer::ok(body) };
        node.network.listen(&attestor.endpoint);
        node.network.answer(&attestor.url(&batch), answer);
    });
    assert_eq!(verdicts(&node.run(&mut ext)), [Verdict::Match]);
}
