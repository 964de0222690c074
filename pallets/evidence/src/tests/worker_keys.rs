//! The issuer's keys, found by the validators.

use frame_support::{assert_ok, pallet_prelude::InvalidTransaction};
use serde_json::{json, Value};
use stipend_evidence_token::{issue::Issuer, KeySet, JWKS_LEN_MAX};
use stipend_primitives::evidence::EvidenceLevel;

use super::{network::Answer, world::*};
use crate::{
    mock::*,
    types::{KeysRecord, Trust, ROUNDS_IN_FORCE},
    Error, Event, Finding, Keys,
};

const SOURCE: &str = "https://issuer.example/jwks.json";

/// A chain that finds the issuer's keys at [`SOURCE`].
fn with_source(authorities_count: u32) -> sp_io::TestExternalities {
    let mut ext = chain(authorities_count);
    ext.execute_with(|| {
        let trust = Trust { source: Some(source(SOURCE)), ..trust() };
        assert_ok!(Evidence::set_trust(RuntimeOrigin::root(), Some(trust)));
    });
    ext
}

fn publish(node: &Node, body: impl Into<Vec<u8>>) {
    node.network.listen("https://issuer.example");
    node.network.answer(SOURCE, Answer::ok(body));
}

fn jwks(issuers: &[&str]) -> Vec<u8> {
    let keys: Vec<Value> = issuers.iter().map(|seed| Issuer::new(seed).jwks()["keys"][0].clone()).collect();
    json!({ "keys": keys }).to_string().into_bytes()
}

fn ids(keys: &KeySet) -> Vec<String> {
    keys.keys().iter().map(|key| String::from_utf8(key.id.to_vec()).unwrap()).collect()
}

#[test]
fn validators_find_the_keys_and_the_quorum_puts_them_in_force() {
    let mut ext = with_source(4);
    for number in 0..4 {
        let node = Node::new([number]);
        // Published in whatever order.
        let order: &[&str] = if number % 2 == 0 { &["tests", "b"] } else { &["b", "tests"] };
        publish(&node, jwks(order));
        assert_eq!(node.settle(&mut ext), usize::from(number < 3));
    }
    ext.execute_with(|| {
        let record = Keys::<Test>::get().unwrap();
        assert_eq!(record.round, Some(PERIOD));
        let mut expected = ["tests", "b"].map(|seed| Issuer::new(seed).key_id().to_string());
        expected.sort();
        assert_eq!(ids(&record.keys), expected);
        System::assert_last_event(Event::KeysSet { keys: 2, round: Some(PERIOD) }.into());
    });
}

#[test]
fn evidence_can_be_found_as_soon_as_keys_are() {
    let mut ext = with_source(1);
    let node = Node::new([0]);
    publish(&node, jwks(&["tests"]));
    ext.execute_with(|| {
        Keys::<Test>::kill();
        Machine::registered(9, 1).serve(&node.network);
    });
    assert_eq!(node.settle(&mut ext), 1, "the keys");
    go_to(&mut ext, PERIOD + 2);
    assert_eq!(node.settle(&mut ext), 1, "the evidence");
    ext.execute_with(|| assert_eq!(level(9), EvidenceLevel::Hardware));
}

#[test]
fn keys_roll_over_and_evidence_made_with_old_ones_counts_until_its_block() {
    let mut ext = with_source(1);
    let node = Node::new([0]);
    publish(&node, jwks(&["tests"]));
    ext.execute_with(|| {
        Keys::<Test>::put(KeysRecord { keys: issuer().key_set(), round: None });
        Machine::registered(9, 1).serve(&node.network);
    });
    assert_eq!(node.settle(&mut ext), 1, "its evidence; the keys are in force already");
    // The issuer goes on with another key, and the provider shows the old one.
    publish(&node, jwks(&["next"]));
    go_to(&mut ext, 2 * PERIOD + 1);
    assert_eq!(node.settle(&mut ext), 1);
    ext.execute_with(|| {
        assert_eq!(ids(&Keys::<Test>::get().unwrap().keys), [Issuer::new("next").key_id()]);
        Machine::registered(9, 1).serve(&node.network);
    });
    let until = PERIOD + ROUNDS_IN_FORCE * PERIOD;
    for block in 2 * PERIOD + 2..until {
        go_to(&mut ext, block);
        ext.execute_with(|| Machine::registered(9, 1).serve(&node.network));
        assert_eq!(node.settle(&mut ext), 0, "signed with a key that counts no longer");
        ext.execute_with(|| assert_eq!(level(9), EvidenceLevel::Hardware));
    }
    go_to(&mut ext, until);
    ext.execute_with(|| assert_eq!(level(9), EvidenceLevel::Software));
}

#[test]
fn keys_that_are_in_force_are_not_reported() {
    let mut ext = with_source(1);
    let node = Node::new([0]);
    publish(&node, jwks(&["tests", "b"]));
    assert_eq!(node.settle(&mut ext), 1);
    for round in 2..5 {
        go_to(&mut ext, round * PERIOD + 1);
        assert_eq!(node.settle(&mut ext), 0);
    }
    assert_eq!(node.network.asked().len(), 4, "once in a round");
}

#[test]
fn a_source_that_fails_leaves_the_keys_as_they_are() {
    let good = jwks(&["tests"]);
    let private = json!({ "keys": [{ "kty": "EC", "crv": "P-384", "kid": "a", "d": "AAAA" }] });
    for body in [
        b"".to_vec(),
        b"{}".to_vec(),
        b"<html>".to_vec(),
        br#"{"keys":[]}"#.to_vec(),
        private.to_string().into_bytes(),
        good[..good.len() - 1].to_vec(),
        [good.clone(), vec![b' '; JWKS_LEN_MAX]].concat(),
    ] {
        let mut ext = with_source(1);
        let node = Node::new([0]);
        ext.execute_with(|| Evidence::set_keys(RuntimeOrigin::root(), Box::new(issuer().key_set())).unwrap());
        publish(&node, body);
        assert_eq!(node.settle(&mut ext), 0);
        assert_eq!(node.network.asked(), [SOURCE]);
        ext.execute_with(|| assert_eq!(Keys::<Test>::get().unwrap().keys, issuer().key_set()));
    }
}

#[test]
fn keys_from_another_source_than_the_councils_are_refused() {
    with_source(1).execute_with(|| {
        let keys = Issuer::new("mallory").key_set();
        let finding = Finding::Keys { round: PERIOD, source: source("https://mallory.example/"), keys };
        assert_eq!(report(&finding, 0), pool(InvalidTransaction::Custom(84)));
        assert_eq!(Evidence::do_report(finding, key(0)), Err(Error::<Test>::OtherSource.into()));
    });
}

#[test]
fn votes_for_keys_from_the_source_of_before_do_not_count() {
    with_source(4).execute_with(|| {
        let keys = Issuer::new("a").key_set();
        let finding = Finding::Keys { round: PERIOD, source: source(SOURCE), keys };
        reported_by(&finding, 2);
        let elsewhere = Trust { source: Some(source("https://b.example/jwks")), ..trust() };
        assert_ok!(Evidence::set_trust(RuntimeOrigin::root(), Some(elsewhere)));
        assert_eq!(report(&finding, 2), pool(InvalidTransaction::Custom(84)));
        assert!(Keys::<Test>::get().is_none());
    });
}

#[test]
fn a_set_without_a_key_is_refused() {
    with_source(1).execute_with(|| {
        let finding = Finding::Keys { round: PERIOD, source: source(SOURCE), keys: KeySet::default() };
        assert_eq!(report(&finding, 0), pool(InvalidTransaction::Custom(85)));
    });
}

#[test]
fn the_quorum_finds_keys_once_in_a_round() {
    with_source(4).execute_with(|| {
        let finding =
            |seed| Finding::Keys { round: PERIOD, source: source(SOURCE), keys: Issuer::new(seed).key_set() };
        reported_by(&finding("a"), 3);
        assert_eq!(report(&finding("b"), 3), pool(InvalidTransaction::Stale));
    });
}
