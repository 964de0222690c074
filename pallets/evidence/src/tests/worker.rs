use sp_core::offchain::Duration;
use sp_runtime::offchain::storage_lock::{StorageLock, Time};
use stipend_primitives::evidence::EvidenceLevel;

use super::{
    network::{Answer, NEVER},
    world::*,
};
use crate::{mock::*, Finding, Keys};

const LOCK: &[u8] = b"stipend/evidence/lock";

/// A chain with one validator and its node, and a provider that is not asked yet.
fn setup() -> (sp_io::TestExternalities, Node, Machine) {
    let mut ext = chain(1);
    let machine = ext.execute_with(|| Machine::registered(9, 2));
    (ext, Node::new([0]), machine)
}

#[test]
fn a_provider_with_evidence_is_hardware_after_one_request() {
    let (mut ext, node, machine) = setup();
    ext.execute_with(|| machine.serve(&node.network));
    let calls = node.run(&mut ext);
    ext.execute_with(|| {
        assert_eq!(findings(&calls), [machine.finding()]);
        calls.into_iter().for_each(|call| assert!(include(call).is_ok()));
    });
    ext.execute_with(|| assert_eq!(level(9), EvidenceLevel::Hardware));
    assert_eq!(node.network.asked(), [ext.execute_with(|| machine.url())]);
    // Nothing more is asked in this round.
    go_to(&mut ext, 2 * PERIOD);
    assert_eq!(node.settle(&mut ext), 0);
    assert!(node.network.asked().is_empty());
    // In the next one it is.
    go_to(&mut ext, 2 * PERIOD + 1);
    ext.execute_with(|| machine.serve(&node.network));
    assert_eq!(node.settle(&mut ext), 1);
}

#[test]
fn validators_find_the_same_whatever_else_the_tokens_say() {
    let mut ext = chain(4);
    let machine = ext.execute_with(|| Machine::registered(9, 3));
    for number in 0..4 {
        let node = Node::new([number]);
        ext.execute_with(|| {
            // Issued anew for each of them, in another order.
            let mut statement = machine.statement();
            statement.overall["jti"] = number.to_string().into();
            let mut devices = statement.device_tokens(&issuer());
            devices.rotate_left(number as usize % 3);
            let overall = statement.overall_token(&issuer(), &devices);
            machine.serve_body(&node.network, stipend_evidence_token::issue::bundle(&overall, &devices));
        });
        assert_eq!(node.settle(&mut ext), usize::from(number < 3), "the quorum needs three");
    }
    ext.execute_with(|| assert_eq!(level(9), EvidenceLevel::Hardware));
}

#[test]
fn a_provider_that_says_software_is_software() {
    let (mut ext, node, machine) = setup();
    ext.execute_with(|| machine.serve_body(&node.network, br#"{"evidence":"software"}"#));
    assert_eq!(node.settle(&mut ext), 0);
    ext.execute_with(|| assert_eq!(level(9), EvidenceLevel::Software));
}

#[test]
fn a_node_without_a_vote_asks_nobody() {
    let (mut ext, _, machine) = setup();
    let node = Node::new([7]);
    ext.execute_with(|| machine.serve(&node.network));
    assert_eq!(node.settle(&mut ext), 0);
    assert!(node.network.asked().is_empty());
}

#[test]
fn where_nobody_is_trusted_or_there_are_no_keys_nobody_is_asked() {
    let (mut ext, node, machine) = setup();
    ext.execute_with(|| {
        machine.serve(&node.network);
        Keys::<Test>::kill();
    });
    assert_eq!(node.settle(&mut ext), 0);
    ext.execute_with(|| Evidence::set_trust(RuntimeOrigin::root(), None).unwrap());
    assert_eq!(node.settle(&mut ext), 0);
    assert!(node.network.asked().is_empty());
}

#[test]
fn providers_out_of_office_are_not_asked() {
    let (mut ext, node, machine) = setup();
    ext.execute_with(|| {
        machine.serve(&node.network);
        machine.suspend();
        let other = Machine::registered(10, 1);
        other.serve(&node.network);
        Members::mutate(|members| members.clear());
    });
    assert_eq!(node.settle(&mut ext), 0);
    assert!(node.network.asked().is_empty());
}

#[test]
fn who_was_not_ready_is_asked_again_after_some_blocks_of_the_same_round() {
    let (mut ext, node, machine) = setup();
    ext.execute_with(|| {
        node.network.listen(&machine.endpoint);
        node.network.answer(&machine.url(), Answer::status(503));
    });
    for block in PERIOD + 1..PERIOD + 10 {
        go_to(&mut ext, block);
        assert_eq!(node.settle(&mut ext), 0);
    }
    assert_eq!(node.network.asked().len(), 1);
    go_to(&mut ext, PERIOD + 11);
    ext.execute_with(|| machine.serve(&node.network));
    assert_eq!(node.settle(&mut ext), 1);
}

#[test]
fn a_report_that_got_lost_is_made_again() {
    let (mut ext, node, machine) = setup();
    ext.execute_with(|| machine.serve(&node.network));
    assert_eq!(node.run(&mut ext).len(), 1);
    go_to(&mut ext, PERIOD + 5);
    assert_eq!(node.run(&mut ext).len(), 0);
    go_to(&mut ext, PERIOD + 11);
    ext.execute_with(|| machine.serve(&node.network));
    assert_eq!(node.settle(&mut ext), 1);
}

#[test]
fn on_another_branch_the_provider_is_asked_with_another_nonce() {
    let (mut ext, node, machine) = setup();
    ext.execute_with(|| machine.serve(&node.network));
    let one = findings(&node.run(&mut ext));
    ext.execute_with(|| {
        frame_system::BlockHash::<Test>::insert(PERIOD, sp_core::H256([9; 32]));
        machine.serve(&node.network);
    });
    let other = findings(&node.run(&mut ext));
    assert_eq!((one.len(), other.len()), (1, 1));
    assert_ne!(one, other);
}

#[test]
fn a_run_asks_a_bounded_number_of_providers_and_the_next_one_the_rest() {
    let mut ext = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| (20..40).for_each(|name| Machine::registered(name, 1).serve(&node.network)));
    let mut found = Vec::new();
    for run in 0..3 {
        go_to(&mut ext, PERIOD + 1 + run);
        found.push(node.settle(&mut ext));
    }
    assert_eq!(found, [8, 8, 4]);
}

#[test]
fn a_provider_that_hangs_costs_another_nothing_and_the_run_ends() {
    let (mut ext, node, machine) = setup();
    let hanging = ext.execute_with(|| {
        machine.serve(&node.network);
        let hanging = Machine::registered(10, 1);
        node.network.listen(&hanging.endpoint);
        node.network.answer(&hanging.url(), Answer { headers_after_ms: NEVER, ..Answer::ok("") });
        let dripping = Machine::registered(11, 1);
        node.network.listen(&dripping.endpoint);
        let body = vec![b' '; 64 * 1024];
        let drip = Answer { kilobyte_after_ms: 900, ..Answer::ok(body) };
        node.network.answer(&dripping.url(), drip);
        hanging
    });
    let started = node.network.now();
    let reports = findings(&node.run(&mut ext));
    assert_eq!(reports.len(), 1);
    assert_ne!(reports[0].subject(), crate::types::Subject::Evidence(hanging.account));
    assert!(node.network.now() - started < 6_000, "the run ends when its deadlines do");
}

#[test]
fn two_runs_do_not_overlap_and_a_lock_left_by_a_crash_expires() {
    let (mut ext, node, machine) = setup();
    ext.execute_with(|| machine.serve(&node.network));
    node.off_chain(&mut ext, || {
        let mut lock = StorageLock::<Time>::with_deadline(LOCK, Duration::from_millis(30_000));
        lock.try_lock().ok().unwrap().forget();
    });
    assert_eq!(node.run(&mut ext).len(), 0);
    assert!(node.network.asked().is_empty());
    node.network.pass(30_001);
    assert_eq!(node.run(&mut ext).len(), 1);
}

#[test]
fn a_gpu_of_another_provider_is_not_reported() {
    let (mut ext, node, machine) = setup();
    ext.execute_with(|| {
        reported_by(&machine.finding(), 1);
        let thief = Machine { gpus: machine.gpus.clone(), ..Machine::registered(10, 2) };
        thief.serve(&node.network);
    });
    assert_eq!(node.run(&mut ext).len(), 0);
    assert_eq!(node.network.asked().len(), 1, "it was asked, and its evidence is genuine");
}

#[test]
fn a_node_with_several_validators_reports_for_each() {
    let mut ext = chain(3);
    let node = Node::new(0..3);
    ext.execute_with(|| Machine::registered(9, 1).serve(&node.network));
    assert_eq!(node.settle(&mut ext), 3);
    ext.execute_with(|| assert_eq!(level(9), EvidenceLevel::Hardware));
}

#[test]
fn tokens_are_judged_by_the_time_of_the_chain() {
    let (mut ext, node, machine) = setup();
    ext.execute_with(|| {
        machine.serve(&node.network);
        NowMs::mutate(|now| *now += 3_600_000);
    });
    assert!(findings(&node.run(&mut ext)).is_empty(), "an hour later they have expired");
}

#[test]
fn evidence_with_an_hour_of_life_is_reported_with_the_round_and_not_with_its_own_time() {
    let (mut ext, node, machine) = setup();
    ext.execute_with(|| machine.serve(&node.network));
    let Finding::Evidence { round, .. } = findings(&node.run(&mut ext)).remove(0) else { panic!("evidence") };
    assert_eq!(round, PERIOD);
}
