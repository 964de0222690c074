//! What the node says to others, and to whom.
//!
//! | module | does |
//! |---|---|
//! | [`access`] | decides whom the node talks to and whom it answers |
//! | [`nodes`] | follows the chain's list of nodes |
//! | [`gate`] | turns strangers' requests away |
//! | [`withheld`] | the client without proofs for light clients |
//! | [`build`] | puts the network together |

use std::sync::Arc;

use sc_network::{
    config::FullNetworkConfiguration, service::NotificationMetrics, NetworkBackend, NotificationService,
    ProtocolName,
};
use sc_network_sync::strategy::warp::WarpSyncProvider;
use sc_service::Configuration;
use sp_core::H256;
use stipend_runtime::opaque::Block;

pub mod access;
pub mod build;
pub mod gate;
pub mod nodes;
pub mod withheld;

/// Proves finality across the changes of the validator set.
pub type WarpProof = Arc<dyn WarpSyncProvider<Block>>;

/// What the node says over the backend `Net`.
pub struct Protocols<Net: NetworkBackend<Block, H256>> {
    /// All protocols but the SDK's own.
    pub config: FullNetworkConfiguration<Block, H256, Net>,
    /// Counts their messages.
    pub metrics: NotificationMetrics,
    /// The protocol that votes on finality travel by.
    pub grandpa: ProtocolName,
    /// Those votes.
    pub grandpa_messages: Box<dyn NotificationService>,
}

impl<Net: NetworkBackend<Block, H256>> Protocols<Net> {
    /// The protocols of the chain with this genesis.
    pub fn new(config: &Configuration, genesis: &H256) -> Self {
        let registry = config.prometheus_registry();
        let metrics = Net::register_notification_metrics(registry);
        let mut protocols = FullNetworkConfiguration::new(&config.network, registry.cloned());
        let grandpa = sc_consensus_grandpa::protocol_standard_name(genesis, &config.chain_spec);
        let (grandpa_set, grandpa_messages) = sc_consensus_grandpa::grandpa_peers_set_config::<_, Net>(
            grandpa.clone(),
            metrics.clone(),
            protocols.peer_store_handle(),
        );
        protocols.add_notification_protocol(grandpa_set);
        Protocols { config: protocols, metrics, grandpa, grandpa_messages }
    }
}
