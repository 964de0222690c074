//! Whom the node talks to, and whom it answers.

use std::{collections::HashSet, sync::Arc};

use arc_swap::ArcSwap;
use sc_network::{config::ed25519, PeerId};
use sc_service::ChainType;
use stipend_primitives::PublicKey;

/// Nodes that something is limited to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peers {
    /// Nobody is turned away.
    All,
    /// Only these.
    Only(HashSet<PeerId>),
}

impl Peers {
    /// Whether a node is among them.
    pub fn contains(&self, peer: &PeerId) -> bool {
        match self {
            Peers::All => true,
            Peers::Only(peers) => peers.contains(peer),
        }
    }
}

/// What follows from the chain's list of nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Whom the node connects to, and whose connections it accepts.
    pub talk: Peers,
    /// Whose questions about blocks and state it answers.
    pub answer: Peers,
}

/// What the decision depends on.
pub struct Facts<'a> {
    /// The kind of chain.
    pub chain_type: ChainType,
    /// The keys on the chain's list, by the newest finalised block that the node has.
    pub listed: &'a [PublicKey],
    /// The nodes that the operator named: reserved nodes and bootnodes.
    pub named: &'a HashSet<PeerId>,
    /// Whether that block is so old that the list may have changed since.
    pub is_behind: bool,
}

impl Access {
    /// Decides.
    ///
    /// - A development chain is open.
    /// - Any other chain with a list talks to the nodes on it. A node that is behind, perhaps with
    ///   an empty database, does not know today's list: until it has caught up it also asks the nodes
    ///   that its operator named. It never answers them, unless they are listed.
    /// - A chain without a list is open if it is a local one, and otherwise confined to the nodes
    ///   that were named.
    pub fn decide(facts: &Facts) -> Self {
        let open = Access { talk: Peers::All, answer: Peers::All };
        let named = || Peers::Only(facts.named.clone());
        match (&facts.chain_type, facts.listed.is_empty()) {
            (ChainType::Development, _) | (ChainType::Local, true) => open,
            (_, true) => Access { talk: named(), answer: named() },
            (_, false) => {
                let listed: HashSet<PeerId> = facts.listed.iter().filter_map(peer_id).collect();
                let mut talk = listed.clone();
                if facts.is_behind {
                    talk.extend(facts.named);
                }
                Access { talk: Peers::Only(talk), answer: Peers::Only(listed) }
            }
        }
    }
}

/// The peer id of a node with this ed25519 key; `None` if it is no key.
pub fn peer_id(key: &PublicKey) -> Option<PeerId> {
    ed25519::PublicKey::try_from_bytes(key).ok().map(|key| key.to_peer_id())
}

/// Whom the node answers, as of now.
#[derive(Clone)]
pub struct Answered(Arc<ArcSwap<Peers>>);

impl Answered {
    /// Begins with these.
    pub fn new(peers: Peers) -> Self {
        Answered(Arc::new(ArcSwap::from_pointee(peers)))
    }

    /// From now on these.
    pub fn set(&self, peers: Peers) {
        self.0.store(Arc::new(peers));
    }

    /// Whether a node is answered.
    pub fn contains(&self, peer: &PeerId) -> bool {
        self.0.load().contains(peer)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn key(seed: u8) -> PublicKey {
        ed25519::Keypair::from(ed25519::SecretKey::try_from_bytes([seed; 32]).unwrap()).public().to_bytes()
    }

    fn peers(seeds: &[u8]) -> HashSet<PeerId> {
        seeds.iter().map(|seed| peer_id(&key(*seed)).unwrap()).collect()
    }

    fn decide(chain_type: ChainType, listed: &[u8], named: &[u8], is_behind: bool) -> Access {
        let listed: Vec<PublicKey> = listed.iter().map(|seed| key(*seed)).collect();
        Access::decide(&Facts { chain_type, listed: &listed, named: &peers(named), is_behind })
    }

    #[test]
    fn a_development_chain_is_open_and_a_local_one_until_it_has_a_list() {
        let open = Access { talk: Peers::All, answer: Peers::All };
        assert_eq!(decide(ChainType::Development, &[1], &[], false), open);
        assert_eq!(decide(ChainType::Local, &[], &[], false), open);
        assert_eq!(decide(ChainType::Local, &[1], &[], false).talk, Peers::Only(peers(&[1])));
    }

    #[test]
    fn a_node_that_is_up_to_date_talks_to_listed_nodes_alone() {
        let access = decide(ChainType::Live, &[1, 2], &[2, 3], false);
        assert_eq!(access.talk, Peers::Only(peers(&[1, 2])));
        assert_eq!(access.answer, Peers::Only(peers(&[1, 2])));
    }

    #[test]
    fn a_node_that_is_behind_also_asks_the_nodes_it_was_told_of_but_does_not_answer_them() {
        let access = decide(ChainType::Live, &[1], &[3], true);
        assert_eq!(access.talk, Peers::Only(peers(&[1, 3])));
        assert_eq!(access.answer, Peers::Only(peers(&[1])));
    }

    #[test]
    fn a_companys_chain_without_a_list_is_confined_to_the_nodes_it_was_told_of() {
        for chain_type in [ChainType::Live, ChainType::Custom("pilot".into())] {
            for is_behind in [false, true] {
                let access = decide(chain_type.clone(), &[], &[3], is_behind);
                assert_eq!(access.talk, Peers::Only(peers(&[3])));
                assert_eq!(access.answer, Peers::Only(peers(&[3])));
            }
        }
    }

    #[test]
    fn a_key_has_the_peer_id_that_the_network_knows_it_by() {
        // The secret key 0…01.
        let mut secret = [0; 32];
        secret[31] = 1;
        let secret = ed25519::SecretKey::try_from_bytes(secret).unwrap();
        let public = ed25519::Keypair::from(secret).public().to_bytes();
        let peer = peer_id(&public).unwrap().to_base58();
        assert_eq!(peer, "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp");
    }
}
