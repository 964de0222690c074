//! Follows the chain's list of nodes.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures::{FutureExt, StreamExt};
use sc_client_api::BlockchainEvents;
use sc_network::{
    config::{MultiaddrWithPeerId, NetworkConfiguration, NonReservedPeerMode, TransportConfig},
    service::traits::NetworkService,
    NetworkStateInfo, PeerId,
};
use sc_service::ChainType;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_consensus_aura::sr25519::AuthoritySignature;
use sp_core::H256;
use stipend_primitives::PublicKey;
use stipend_runtime::opaque::Block;
use stipend_runtime_api::NodesApi;

use super::access::{peer_id, Access, Answered, Facts, Peers};
use crate::service::FullClient;

/// A finalised block older than this says little of today's list.
const STALE_AFTER: Duration = Duration::from_secs(10 * 60);

/// How often the node looks whether it fell behind, when no block becomes final.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Peers that a node asks before it believes a proof of finality, where there are as many.
const WARP_SYNC_PEERS_MAX: usize = 3;

const LOG_TARGET: &str = "stipend::network";

/// Knows the chain's list and what the operator named.
pub struct Nodes {
    client: Arc<FullClient>,
    chain_type: ChainType,
    /// Where the nodes are that the operator named.
    named: Vec<MultiaddrWithPeerId>,
    /// The list as it was read last.
    listed: Vec<PublicKey>,
    /// What was decided last.
    access: Access,
    /// Whom the node answers, shared with the gates.
    answered: Answered,
}

impl Nodes {
    /// Reads the list by the newest finalised block, or the genesis block, and confines the network's
    /// configuration to it.
    pub fn new(client: Arc<FullClient>, chain_type: ChainType, network: &mut NetworkConfiguration) -> Self {
        let mut named = network.boot_nodes.clone();
        named.extend(network.default_peers_set.reserved_nodes.iter().cloned());
        let access = Access { talk: Peers::All, answer: Peers::All };
        let answered = Answered::new(Peers::All);
        let mut nodes = Nodes { client, chain_type, named, listed: Vec::new(), access, answered };
        nodes.look();
        nodes.confine(network);
        nodes
    }

    /// Whom the node answers.
    pub fn answered(&self) -> Answered {
        self.answered.clone()
    }

    /// Reads the list again; whether something follows from it that did not before.
    fn look(&mut self) -> bool {
        let at = self.client.info().finalized_hash;
        match self.client.runtime_api().nodes(at) {
            Ok(nodes) => self.listed = nodes.into_iter().map(|(key, _)| key.0).collect(),
            // A runtime without a list, or a block whose state is still on its way.
            Err(fault) => {
                tracing::debug!(target: LOG_TARGET, %fault, "the list of nodes cannot be read at {at}");
            }
        }
        let access = Access::decide(&Facts {
            chain_type: self.chain_type.clone(),
            listed: &self.listed,
            named: &self.named.iter().map(|node| node.peer_id).collect(),
            is_behind: self.is_behind(at),
        });
        let changed = access != self.access;
        self.answered.set(access.answer.clone());
        self.access = access;
        changed
    }

    /// Whether the newest finalised block is old.
    fn is_behind(&self, at: H256) -> bool {
        let Ok(Some(header)) = self.client.header(at) else { return true };
        let slot = sc_consensus_aura::find_pre_digest::<Block, AuthoritySignature>(&header);
        let made = slot.ok().map(|slot| Duration::from_millis(*slot * stipend_runtime::configs::SLOT_MS));
        is_stale(made, SystemTime::now())
    }

    /// Leaves in the configuration only whom the node may talk to.
    fn confine(&self, network: &mut NetworkConfiguration) {
        let Peers::Only(talk) = &self.access.talk else { return };
        let reserved = self.named.iter().filter(|node| talk.contains(&node.peer_id)).cloned();
        let peers = &mut network.default_peers_set;
        peers.reserved_nodes = reserved.collect();
        peers.non_reserved_mode = NonReservedPeerMode::Deny;
        network.boot_nodes.retain(|node| talk.contains(&node.peer_id));
        network.enable_dht_random_walk = false;
        // Nobody can crowd these peers out, so a small network need not wait for more than it has.
        let own = network.node_key.clone().into_keypair().ok().map(|pair| pair.public().to_peer_id());
        let others = peers.reserved_nodes.iter().filter(|node| Some(node.peer_id) != own).count();
        network.min_peers_to_start_warp_sync = Some(others.clamp(1, WARP_SYNC_PEERS_MAX));
        if let TransportConfig::Normal { enable_mdns, .. } = &mut network.transport {
            *enable_mdns = false;
        }
        if talk.is_empty() {
            tracing::warn!(
                target: LOG_TARGET,
                "This node was told of no other node and will find none: chains other than development ones \
                 are closed. Name the company's nodes with --reserved-nodes or in the chain specification."
            );
        }
    }

    /// Applies the list now, and again whenever it changes.
    pub async fn follow(mut self, network: Arc<dyn NetworkService>) {
        let own = network.local_peer_id();
        let mut final_blocks = self.client.finality_notification_stream().fuse();
        self.apply(&*network, own);
        loop {
            let tick = tokio::time::sleep(LOOK_EVERY).fuse();
            futures::pin_mut!(tick);
            futures::select! {
                block = final_blocks.next() => if block.is_none() { return },
                () = tick => (),
            }
            if self.look() {
                self.apply(&*network, own);
            }
        }
    }

    fn apply(&self, network: &dyn NetworkService, own: PeerId) {
        // A chain that is closed stays so: the last node cannot be taken off the list.
        let Peers::Only(talk) = &self.access.talk else { return };
        self.report(own);
        for node in self.named.iter().filter(|node| talk.contains(&node.peer_id)) {
            network.add_known_address(node.peer_id, node.multiaddr.clone());
        }
        let others: HashSet<PeerId> = talk.iter().filter(|peer| **peer != own).copied().collect();
        network.set_authorized_peers(others);
        network.deny_unreserved_peers();
    }

    /// Says what holds, and what the operator has to do if that is nothing good.
    fn report(&self, own: PeerId) {
        if self.listed.is_empty() {
            return;
        }
        tracing::info!(target: LOG_TARGET, "🔒 The chain lists {} nodes; no other is talked to.", self.listed.len());
        if !self.listed.iter().any(|key| peer_id(key) == Some(own)) {
            tracing::warn!(
                target: LOG_TARGET,
                "This node, {own}, is not on the chain's list as far as it knows, so the others refuse to talk \
                 to it. Have the council add it: stipend network add-node {own} NAME."
            );
        }
    }
}

/// Whether a block made at `made` after the Unix epoch is stale; `None` is the genesis block.
fn is_stale(made: Option<Duration>, now: SystemTime) -> bool {
    match (made, now.duration_since(UNIX_EPOCH)) {
        (Some(made), Ok(now)) => now.saturating_sub(made) > STALE_AFTER,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_stale_after_ten_minutes_and_the_genesis_block_always() {
        let now = UNIX_EPOCH + Duration::from_secs(10_000);
        assert!(is_stale(None, now));
        assert!(is_stale(Some(Duration::ZERO), now));
        assert!(!is_stale(Some(Duration::from_secs(10_000 - 600)), now));
        assert!(is_stale(Some(Duration::from_secs(10_000 - 601)), now));
    }

    #[test]
    fn a_block_of_a_validator_whose_clock_is_ahead_is_not_stale() {
        assert!(!is_stale(Some(Duration::from_secs(20_000)), UNIX_EPOCH + Duration::from_secs(10_000)));
    }
}
