//! Puts the network together.
//!
//! As `sc_service::build_network` does, with a [gate](super::gate) before every protocol that answers
//! requests. That function installs its protocols by itself, so its steps are taken one by one here.

use std::sync::Arc;

use sc_network::{
    config::{FullNetworkConfiguration, ProtocolId, Roles},
    service::{traits::NetworkService, traits::RequestResponseConfig, NotificationMetrics},
    NetworkBackend,
};
use sc_network_sync::{
    block_relay_protocol::{BlockDownloader, BlockRelayParams},
    block_request_handler::BlockRequestHandler,
    engine::SyncingEngine,
    service::network::{NetworkServiceHandle, NetworkServiceProvider},
    state_request_handler::StateRequestHandler,
    strategy::polkadot::{PolkadotSyncingStrategy, PolkadotSyncingStrategyConfig},
    warp_request_handler::RequestHandler as WarpRequestHandler,
    SyncingService, WarpSyncConfig,
};
use sc_service::{
    build_network_advanced, default_gap_sync_body_policy, BuildNetworkAdvancedParams, Configuration,
    ImportQueue as _, SpawnTaskHandle, TaskManager,
};
use sp_blockchain::HeaderBackend;
use sp_consensus::block_validation::DefaultBlockAnnounceValidator;
use sp_core::H256;
use stipend_runtime::opaque::Block;

use super::{
    gate::{Backend, Gate},
    withheld::Withheld,
    WarpProof,
};
use crate::{
    counted_pool::CountedPool,
    service::{FullClient, ImportQueue, Result},
};

/// What the network is made for.
pub struct Plan<'a> {
    /// The node's configuration.
    pub config: &'a Configuration,
    /// The client.
    pub client: &'a Arc<FullClient>,
    /// The transaction pool.
    pub pool: &'a Arc<CountedPool>,
    /// Proofs for nodes that join by warp sync.
    pub warp_proof: WarpProof,
    /// Keeps strangers out.
    pub gate: Gate,
}

/// A running network.
pub struct Network {
    /// Peers and protocols.
    pub service: Arc<dyn NetworkService>,
    /// Which blocks peers have.
    pub sync: Arc<SyncingService<Block>>,
    /// Where `system_*` of JSON-RPC asks.
    pub system_rpc: sc_utils::mpsc::TracingUnboundedSender<sc_rpc::system::Request<Block>>,
    /// Tells peers of transactions.
    pub transactions: sc_network_transactions::TransactionsHandlerController<H256>,
}

/// The parts that each step of the building needs.
struct Site<'a, Net: NetworkBackend<Block, H256>> {
    plan: &'a Plan<'a>,
    network: FullNetworkConfiguration<Block, H256, Net>,
    protocol_id: ProtocolId,
    genesis: H256,
    spawn: SpawnTaskHandle,
}

impl Plan<'_> {
    /// Starts the network.
    pub fn build<Net: Backend>(
        &self,
        protocols: FullNetworkConfiguration<Block, H256, Net>,
        metrics: NotificationMetrics,
        import_queue: ImportQueue,
        task_manager: &TaskManager,
    ) -> Result<Network> {
        let provider = NetworkServiceProvider::new();
        let mut site = Site {
            plan: self,
            network: protocols,
            protocol_id: self.config.protocol_id(),
            genesis: self.client.info().genesis_hash,
            spawn: task_manager.spawn_handle(),
        };
        let downloader = site.serve_blocks(provider.handle());
        let strategy = site.serve_state(downloader)?;
        let (engine, sync, block_announce_config) = SyncingEngine::new(
            Roles::from(&self.config.role),
            self.client.clone(),
            self.config.prometheus_registry(),
            metrics.clone(),
            &site.network,
            site.protocol_id.clone(),
            self.config.chain_spec.fork_id(),
            Box::new(DefaultBlockAnnounceValidator),
            Box::new(strategy),
            provider.handle(),
            import_queue.service(),
            site.network.peer_store_handle(),
        )?;
        // A node that cannot sync any more is of no use: it ends.
        task_manager.spawn_essential_handle().spawn_blocking("syncing", None, engine.run());
        self.connect(site, sync, block_announce_config, provider, metrics, import_queue, task_manager)
    }

    #[allow(clippy::too_many_arguments)]
    fn connect<Net: Backend>(
        &self,
        site: Site<Net>,
        sync_service: SyncingService<Block>,
        block_announce_config: Net::NotificationProtocolConfig,
        network_service_provider: NetworkServiceProvider,
        metrics: NotificationMetrics,
        import_queue: ImportQueue,
        task_manager: &TaskManager,
    ) -> Result<Network> {
        let (service, system_rpc, transactions, sync, _) =
            build_network_advanced(BuildNetworkAdvancedParams {
                role: self.config.role,
                protocol_id: site.protocol_id,
                fork_id: self.config.chain_spec.fork_id(),
                announce_block: self.config.announce_block,
                net_config: site.network,
                client: Arc::new(Withheld(self.client.clone())),
                transaction_pool: self.pool.clone(),
                spawn_handle: task_manager.spawn_handle(),
                spawn_essential_handle: task_manager.spawn_essential_handle(),
                import_queue,
                sync_service,
                block_announce_config,
                network_service_provider,
                metrics_registry: self.config.prometheus_registry(),
                metrics,
                blocks_pruning: self.config.blocks_pruning,
            })?;
        Ok(Network { service, sync, system_rpc, transactions })
    }
}

impl<Net: Backend> Site<'_, Net> {
    fn add(&mut self, mut protocol: Net::RequestResponseProtocolConfig) {
        self.plan.gate.guard::<Net>(&mut protocol, &self.spawn);
        self.network.add_request_response_protocol(protocol);
    }

    /// Answers requests for blocks, and asks for them.
    fn serve_blocks(&mut self, handle: NetworkServiceHandle) -> Arc<dyn BlockDownloader<Block>> {
        let peers = &self.plan.config.network.default_peers_set;
        let BlockRelayParams { mut server, downloader, request_response_config } =
            BlockRequestHandler::new::<Net>(
                handle,
                &self.protocol_id,
                self.plan.config.chain_spec.fork_id(),
                self.plan.client.clone(),
                (peers.in_peers + peers.out_peers) as usize,
            );
        self.spawn.spawn("block-request-handler", Some("networking"), async move { server.run().await });
        self.add(request_response_config);
        downloader
    }

    /// Answers requests of nodes that join by warp sync: first for proofs, then for the state. Returns
    /// the way in which this node syncs.
    fn serve_state(
        &mut self,
        block_downloader: Arc<dyn BlockDownloader<Block>>,
    ) -> Result<PolkadotSyncingStrategy<Block, FullClient>> {
        let Plan { config, client, warp_proof, .. } = self.plan;
        let (fork_id, network) = (config.chain_spec.fork_id(), &config.network);
        let peers =
            network.default_peers_set_num_full as usize + network.default_peers_set.reserved_nodes.len();
        let (state, state_protocol) =
            StateRequestHandler::new::<Net>(&self.protocol_id, fork_id, (*client).clone(), peers);
        let state_request_protocol_name = state_protocol.protocol_name().clone();
        self.spawn.spawn("state-request-handler", Some("networking"), state.run());
        self.add(state_protocol);
        let (warp, warp_protocol) = WarpRequestHandler::new::<_, Net>(
            self.protocol_id.clone(),
            self.genesis,
            fork_id,
            warp_proof.clone(),
        );
        let warp_protocol_name = warp_protocol.protocol_name().clone();
        self.spawn.spawn("warp-sync-request-handler", Some("networking"), warp.run());
        self.add(warp_protocol);
        let strategy = PolkadotSyncingStrategyConfig {
            mode: network.sync_mode,
            max_parallel_downloads: network.max_parallel_downloads,
            max_blocks_per_request: network.max_blocks_per_request,
            min_peers_to_start_warp_sync: network.min_peers_to_start_warp_sync,
            metrics_registry: config.prometheus_registry().cloned(),
            state_request_protocol_name,
            block_downloader,
            gap_sync_body_policy: default_gap_sync_body_policy(config.blocks_pruning),
        };
        let warp_sync = WarpSyncConfig::WithProvider(warp_proof.clone());
        Ok(PolkadotSyncingStrategy::new(
            strategy,
            (*client).clone(),
            Some(warp_sync),
            Some(warp_protocol_name),
        )?)
    }
}
