//! Whatever an attestor answers, the worker ends its run in time, votes nothing that the provider did
//! not sign, and settles the item as unattested when the time is over.

use sp_core::{Pair, H256};
use stipend_primitives::{
    attestation::{Attestation, SignedAttestation},
    batch::Batch,
    leaf::UsageLeaf,
    settlement::VerdictKind,
};

use super::{
    network::{Answer, Network, NEVER},
    world::*,
};
use crate::mock::*;

/// Checks that what `serve` puts up never counts as an attestation.
fn never_counts(serve: impl Fn(&Network, &Attestor, &Batch)) {
    let (mut ext, attestor) = chain(1);
    let node = Node::new([0]);
    ext.execute_with(|| {
        let batch = small_batch(0, &attestor);
        submit(&batch);
        node.network.listen(&attestor.endpoint);
        serve(&node.network, &attestor, &batch);
    });
    let started = node.network.now();
    assert_eq!(node.run(&mut ext).len(), 0, "no vote while there is time");
    pass_blocks(&mut ext, UNATTESTED_AFTER);
    let votes = verdicts(&node.run(&mut ext));
    assert_eq!(votes.len(), 1);
    assert_eq!(votes[0].kind(), VerdictKind::Unattested);
    let elapsed_ms = node.network.now() - started;
    assert!(elapsed_ms < 25_000, "two runs took {elapsed_ms} ms");
}

/// Serves an attestation of which something was changed before it was signed.
fn changed(change: impl Fn(&mut Attestation)) {
    never_counts(|network, attestor, batch| {
        let mut attestation = attestor.attestation(batch, &leaves_of(batch, &attestor.account));
        change(&mut attestation);
        attestor.serve_signed(network, batch, &attestor.sign(attestation));
        attestor.serve_leaves(network, batch, &leaves_of(batch, &attestor.account));
    });
}

/// Serves a signed attestation that understates, and `leaves` as what should back it.
fn disputed(serve_leaves: impl Fn(&Network, &Attestor, &Batch, &[UsageLeaf])) {
    never_counts(|network, attestor, batch| {
        let mut leaves = leaves_of(batch, &attestor.account);
        leaves[0].usage.output = 1;
        attestor.serve_signed(network, batch, &attestor.sign(attestor.attestation(batch, &leaves)));
        serve_leaves(network, attestor, batch, &leaves);
    });
}

fn answer_always(answer: Answer) {
    never_counts(|network, attestor, batch| network.answer(&attestor.url(batch), answer.clone()));
}

fn honest_body(attestor: &Attestor, batch: &Batch) -> Vec<u8> {
    let leaves = leaves_of(batch, &attestor.account);
    serde_json::to_vec(&attestor.sign(attestor.attestation(batch, &leaves))).unwrap()
}

#[test]
fn a_signature_of_another_key() {
    never_counts(|network, attestor, batch| {
        let impostor = Attestor { pair: Attestor::new(66).pair, ..attestor.clone() };
        impostor.serve_honestly(network, batch);
    });
}

#[test]
fn a_signature_for_another_chain() {
    never_counts(|network, attestor, batch| {
        let attestation = attestor.attestation(batch, &leaves_of(batch, &attestor.account));
        let signature = attestor.pair.sign(&attestation.signing_payload(&H256([8; 32]))).0;
        attestor.serve_signed(network, batch, &SignedAttestation { attestation, signature });
    });
}

#[test]
fn another_range() {
    changed(|attestation| attestation.first_seq += 1);
    changed(|attestation| attestation.last_seq += 1);
}

#[test]
fn another_gateway_or_provider() {
    changed(|attestation| attestation.gateway = account(77));
    changed(|attestation| attestation.provider = account(77));
}

#[test]
fn another_number_of_receipts() {
    changed(|attestation| attestation.count -= 1);
    changed(|attestation| attestation.count = u32::MAX);
}

#[test]
fn a_root_without_leaves_under_it() {
    changed(|attestation| attestation.root = H256([1; 32]));
}

#[test]
fn totals_that_are_not_the_sums_of_the_leaves() {
    never_counts(|network, attestor, batch| {
        let mut leaves = leaves_of(batch, &attestor.account);
        leaves[0].usage.output = 1;
        let mut attestation = attestor.attestation(batch, &leaves);
        attestation.output += 1_000;
        attestor.serve_signed(network, batch, &attestor.sign(attestation));
        attestor.serve_leaves(network, batch, &leaves);
    });
}

#[test]
fn json_that_is_none() {
    for body in ["", "{", "null", "[]", "\u{0}", r#"{"attestation":{}}"#] {
        answer_always(Answer::ok(body));
    }
    answer_always(Answer::ok(vec![0xff; 100]));
    // As deep as it is long: a parser that recurses without a limit would run out of stack.
    answer_always(Answer::ok("[".repeat(4_000)));
}

#[test]
fn a_body_without_end() {
    answer_always(Answer::ok(vec![b' '; 10 * 1024 * 1024]));
    never_counts(|network, attestor, batch| {
        let mut body = honest_body(attestor, batch);
        body.resize(4 * 1024 + 1, b' ');
        network.answer(&attestor.url(batch), Answer::ok(body));
    });
}

#[test]
fn any_status_but_200() {
    for status in [204, 301, 302, 307, 308, 400, 403, 404, 500, 503] {
        never_counts(|network, attestor, batch| {
            let answer = Answer { body: honest_body(attestor, batch), ..Answer::status(status) };
            network.answer(&attestor.url(batch), answer);
        });
    }
}

#[test]
fn a_port_where_nothing_listens() {
    never_counts(|network, attestor, _| network.silence(&attestor.endpoint));
}

#[test]
fn headers_that_never_come() {
    answer_always(Answer { headers_after_ms: NEVER, ..Answer::ok("") });
}

#[test]
fn a_body_that_never_comes() {
    answer_always(Answer { kilobyte_after_ms: NEVER, ..Answer::ok("{}") });
}

#[test]
fn a_body_that_drips() {
    never_counts(|network, attestor, batch| {
        let mut body = honest_body(attestor, batch);
        body.resize(4 * 1024, b' ');
        let answer = Answer { kilobyte_after_ms: 1_900, ..Answer::ok(body) };
        network.answer(&attestor.url(batch), answer);
    });
}

#[test]
fn leaves_that_are_not_there() {
    disputed(|_, _, _, _| ());
}

#[test]
fn leaves_under_another_root() {
    disputed(|network, attestor, batch, leaves| {
        let mut other = leaves.to_vec();
        other[1].usage.output = 0;
        attestor.serve_leaves(network, batch, &other);
    });
}

#[test]
fn too_few_too_many_or_torn_leaves() {
    disputed(|network, attestor, batch, leaves| attestor.serve_leaves(network, batch, &leaves[1..]));
    disputed(|network, attestor, batch, leaves| {
        attestor.serve_leaves(network, batch, &[leaves, leaves].concat());
    });
    disputed(|network, attestor, batch, leaves| {
        let bytes: Vec<u8> = leaves.iter().flat_map(UsageLeaf::to_bytes).collect();
        let url = format!("{}/leaves", attestor.url(batch));
        network.answer(&url, Answer::ok(&bytes[..bytes.len() - 1]));
    });
}

#[test]
fn leaves_that_never_come() {
    disputed(|network, attestor, batch, _| {
        let url = format!("{}/leaves", attestor.url(batch));
        network.answer(&url, Answer { headers_after_ms: NEVER, ..Answer::ok("") });
    });
}

#[test]
fn signed_leaves_with_other_sequence_numbers() {
    for at in 0..3 {
        never_counts(|network, attestor, batch| {
            let mut leaves = leaves_of(batch, &attestor.account);
            leaves[at].seq += 7;
            attestor.serve(network, batch, &leaves);
        });
    }
    never_counts(|network, attestor, batch| {
        let mut leaves = leaves_of(batch, &attestor.account);
        leaves.reverse();
        attestor.serve(network, batch, &leaves);
    });
}
