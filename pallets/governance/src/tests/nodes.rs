use frame_support::{assert_noop, assert_ok};
use sp_runtime::{BuildStorage, DispatchError::BadOrigin};
use stipend_primitives::{Name, NodeKey};

use super::signed;
use crate::{
    mock::{new_chain, Governance, RuntimeOrigin, System, Test, STRANGER, UPGRADE, VALIDATORS},
    Error, Event, GenesisConfig,
};

fn node(number: u8) -> NodeKey {
    NodeKey::repeat_byte(number)
}

fn name() -> Name {
    Name::truncate_from(b"validator-1".to_vec())
}

fn genesis(nodes: Vec<(NodeKey, String)>) -> sp_io::TestExternalities {
    GenesisConfig::<Test> { nodes, ..Default::default() }.build_storage().unwrap().into()
}

#[test]
fn the_council_adds_and_removes_nodes() {
    new_chain().execute_with(|| {
        assert_ok!(Governance::add_node(signed(&VALIDATORS), node(2), name()));
        System::assert_last_event(Event::NodeAdded { node: node(2), name: name() }.into());
        assert_ok!(Governance::add_node(signed(&VALIDATORS), node(1), Name::default()));
        assert_eq!(Governance::nodes(), [(node(1), vec![]), (node(2), b"validator-1".to_vec())]);
        assert_ok!(Governance::remove_node(signed(&VALIDATORS), node(1)));
        System::assert_last_event(Event::NodeRemoved { node: node(1) }.into());
        assert_eq!(Governance::nodes().len(), 1);
        assert_ok!(Governance::do_try_state());
    });
}

#[test]
fn nobody_else_changes_the_list_not_even_root() {
    new_chain().execute_with(|| {
        for origin in [signed(&STRANGER), signed(&UPGRADE), RuntimeOrigin::root(), RuntimeOrigin::none()] {
            assert_noop!(Governance::add_node(origin.clone(), node(1), name()), BadOrigin);
            assert_noop!(Governance::remove_node(origin, node(1)), BadOrigin);
        }
    });
}

#[test]
fn a_node_is_listed_once_and_the_list_is_bounded() {
    new_chain().execute_with(|| {
        for number in 1..=4 {
            assert_ok!(Governance::add_node(signed(&VALIDATORS), node(number), name()));
        }
        let again = Governance::add_node(signed(&VALIDATORS), node(1), name());
        assert_noop!(again, Error::<Test>::AlreadyListed);
        let fifth = Governance::add_node(signed(&VALIDATORS), node(5), name());
        assert_noop!(fifth, Error::<Test>::TooManyNodes);
    });
}

#[test]
fn the_last_node_stays_because_an_empty_list_would_open_the_network() {
    new_chain().execute_with(|| {
        let unknown = Governance::remove_node(signed(&VALIDATORS), node(1));
        assert_noop!(unknown, Error::<Test>::NotListed);
        assert_ok!(Governance::add_node(signed(&VALIDATORS), node(1), name()));
        let last = Governance::remove_node(signed(&VALIDATORS), node(1));
        assert_noop!(last, Error::<Test>::LastNode);
    });
}

#[test]
fn a_chain_begins_with_the_nodes_of_its_genesis() {
    genesis(vec![(node(7), "Munich 1".into())]).execute_with(|| {
        assert_eq!(Governance::nodes(), [(node(7), b"Munich 1".to_vec())]);
        assert_ok!(Governance::do_try_state());
    });
}

#[test]
#[should_panic(expected = "twice")]
fn a_genesis_that_names_a_node_twice_does_not_begin() {
    genesis(vec![(node(7), "a".into()), (node(7), "b".into())]);
}

#[test]
#[should_panic(expected = "more nodes than a network can have")]
fn a_genesis_with_too_many_nodes_does_not_begin() {
    genesis((0..5).map(|number| (node(number), String::new())).collect());
}

#[test]
#[should_panic(expected = "longer than 64 bytes")]
fn a_genesis_with_a_name_that_is_too_long_does_not_begin() {
    genesis(vec![(node(7), "x".repeat(65))]);
}
