//! Validators that see different things come to one verdict all the same.

use stipend_primitives::{batch::Batch, settlement::VerdictKind};

use super::world::*;
use crate::mock::*;

fn setup(nodes_count: u32) -> (sp_io::TestExternalities, Attestor, Batch, Vec<Node>) {
    let (mut ext, attestor) = chain(nodes_count);
    let batch = ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        batch
    });
    (ext, attestor, batch, (0..nodes_count).map(|number| Node::new([number])).collect())
}

/// Lets all nodes work for some blocks; one block's votes are made on the state before it.
fn work(ext: &mut sp_io::TestExternalities, nodes: &[Node], blocks: u32) {
    for _ in 0..blocks {
        let calls: Vec<RuntimeCall> = nodes.iter().flat_map(|node| node.run(ext)).collect();
        ext.execute_with(|| calls.into_iter().for_each(|call| drop(include(call))));
        pass_blocks(ext, 1);
    }
}

#[test]
fn a_provider_with_two_faces_ends_unattested() {
    let (mut ext, attestor, batch, nodes) = setup(4);
    let mut other = leaves_of(&batch, &attestor.account);
    other[0].usage.output = 0;
    nodes[..2].iter().for_each(|node| attestor.serve_honestly(&node.network, &batch));
    nodes[2..].iter().for_each(|node| attestor.serve(&node.network, &batch, &other));
    work(&mut ext, &nodes, UNATTESTED_AFTER);
    assert_eq!(last_closed(), None, "two and two do not agree");
    work(&mut ext, &nodes, 20);
    assert_eq!(last_closed(), Some((VerdictKind::Unattested, 11_527)));
}

#[test]
fn a_provider_that_half_of_the_validators_cannot_reach_ends_unattested() {
    for nodes_count in [2, 4, 7, 10] {
        let (mut ext, attestor, batch, nodes) = setup(nodes_count);
        nodes[..nodes_count as usize / 2]
            .iter()
            .for_each(|node| attestor.serve_honestly(&node.network, &batch));
        work(&mut ext, &nodes, UNATTESTED_AFTER + 40);
        assert_eq!(last_closed().map(|closed| closed.0), Some(VerdictKind::Unattested), "{nodes_count}");
    }
}

#[test]
fn a_provider_that_one_of_four_validators_cannot_reach_is_matched() {
    let (mut ext, attestor, batch, nodes) = setup(4);
    nodes[..3].iter().for_each(|node| attestor.serve_honestly(&node.network, &batch));
    work(&mut ext, &nodes, 1);
    assert_eq!(last_closed(), Some((VerdictKind::Match, 0)));
}

#[test]
fn a_validator_that_is_away_does_not_stop_the_others_from_giving_up() {
    let (mut ext, attestor, batch, nodes) = setup(4);
    // One sees the attestation, two do not, one is away.
    attestor.serve_honestly(&nodes[0].network, &batch);
    work(&mut ext, &nodes[..3], UNATTESTED_AFTER + 40);
    assert_eq!(last_closed().map(|closed| closed.0), Some(VerdictKind::Unattested));
}

#[test]
fn a_provider_that_answers_only_some_while_a_validator_is_away_ends_unattested() {
    let (mut ext, attestor, batch, nodes) = setup(4);
    // Two see the attestation, one does not, and the one that is away could complete their quorum.
    nodes[..2].iter().for_each(|node| attestor.serve_honestly(&node.network, &batch));
    work(&mut ext, &nodes[..3], 2 * UNATTESTED_AFTER);
    assert_eq!(last_closed(), None, "nobody gives up while the fourth may come back");
    work(&mut ext, &nodes[..3], 40);
    assert_eq!(last_closed().map(|closed| closed.0), Some(VerdictKind::Unattested));
}

#[test]
fn two_validators_away_leave_an_item_open_until_one_is_back() {
    let (mut ext, attestor, batch, nodes) = setup(4);
    nodes.iter().for_each(|node| attestor.serve_honestly(&node.network, &batch));
    work(&mut ext, &nodes[..2], 2 * UNATTESTED_AFTER + 40);
    assert_eq!(last_closed(), None, "what was attested in time is not given up");
    work(&mut ext, &nodes[..3], 1);
    assert_eq!(last_closed(), Some((VerdictKind::Match, 0)));
}
