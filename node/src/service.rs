//! Ties client, pool, network, consensus and off-chain workers together.

use std::sync::Arc;

use sc_consensus_aura::SlotDuration;
use sc_consensus_grandpa::warp_proof::NetworkProvider;
use sc_service::{Configuration, PartialComponents, SpawnTasksParams, TaskManager};
use sc_telemetry::{Telemetry, TelemetryHandle, TelemetryWorker};
use sp_blockchain::HeaderBackend;
use sp_consensus_aura::{inherents::InherentDataProvider, sr25519::AuthorityPair as AuraPair};
use sp_core::traits::SpawnNamed;
use stipend_runtime::{opaque::Block, RuntimeApi};

use crate::{
    counted_pool::CountedPool,
    equivocation,
    metrics::Metrics,
    network::{
        build::{Network, Plan},
        gate::{Backend, Gate},
        nodes::Nodes,
        Protocols,
    },
    rpc,
    tasks::{Node, Settings, Voter},
};

/// Host functions that the runtime imports besides the SDK's.
pub type BlockBodies = pallet_settlement::block_body::HostFunctions;

/// Host functions that this build's runtime imports besides the SDK's.
#[cfg(not(feature = "runtime-benchmarks"))]
pub type ExtraHostFunctions = BlockBodies;

/// Host functions that this build's runtime imports besides the SDK's.
#[cfg(feature = "runtime-benchmarks")]
pub type ExtraHostFunctions = (BlockBodies, frame_benchmarking::benchmarking::HostFunctions);

type Executor = sc_executor::WasmExecutor<(sp_io::SubstrateHostFunctions, ExtraHostFunctions)>;
/// The client.
pub type FullClient = sc_service::TFullClient<Block, RuntimeApi, Executor>;
/// The database.
pub type FullBackend = sc_service::TFullBackend<Block>;
/// The transaction pool.
pub type Pool = sc_transaction_pool::TransactionPoolHandle<Block, FullClient>;
/// Which of several chains to build on: the longest that holds what is final.
pub type SelectChain = sc_consensus::LongestChain<FullBackend, Block>;
/// Imports blocks and what finality says of them.
pub type GrandpaBlockImport =
    sc_consensus_grandpa::GrandpaBlockImport<FullBackend, Block, FullClient, SelectChain>;
/// Connects the import of blocks with the voter.
pub type GrandpaLink = sc_consensus_grandpa::LinkHalf<Block, FullClient, SelectChain>;
/// Checks blocks of others.
pub type ImportQueue = sc_consensus::DefaultImportQueue<Block>;
/// What starting a node returns.
pub type Result<T> = std::result::Result<T, sc_service::Error>;

/// What every subcommand that needs a chain needs.
pub type Parts = PartialComponents<FullClient, FullBackend, SelectChain, ImportQueue, Pool, Consensus>;

/// What only a running node needs.
pub struct Consensus {
    block_import: GrandpaBlockImport,
    grandpa_link: GrandpaLink,
    telemetry: Option<Telemetry>,
}

/// Blocks between two justifications that are kept: what a node that joins has to check of the
/// past. At one block a second, one every eight and a half minutes.
pub const JUSTIFICATION_PERIOD: u32 = 512;

/// Opens the database and builds what reads and checks blocks.
pub fn new_partial(config: &Configuration) -> Result<Parts> {
    let telemetry = match config.telemetry_endpoints.clone().filter(|endpoints| !endpoints.is_empty()) {
        Some(endpoints) => {
            let worker = TelemetryWorker::new(16)?;
            let telemetry = worker.handle().new_telemetry(endpoints);
            Some((worker, telemetry))
        }
        None => None,
    };
    let handle = telemetry.as_ref().map(|(_, telemetry)| telemetry.handle());
    // Justifications stay when bodies are pruned: nodes that join by warp sync need them.
    let keep = vec![Arc::new(sc_consensus_grandpa::GrandpaPruningFilter) as Arc<_>];
    let (client, backend, keystore_container, task_manager) =
        sc_service::new_full_parts::<Block, RuntimeApi, Executor>(
            config,
            handle.clone(),
            sc_service::new_wasm_executor(&config.executor),
            keep,
        )?;
    let client = Arc::new(client);
    let telemetry = telemetry.map(|(worker, telemetry)| {
        task_manager.spawn_handle().spawn("telemetry", None, worker.run());
        telemetry
    });
    let select_chain = sc_consensus::LongestChain::new(backend.clone());
    let pool = sc_transaction_pool::Builder::new(
        task_manager.spawn_essential_handle(),
        client.clone(),
        config.role.is_authority().into(),
    )
    .with_options(config.transaction_pool.clone())
    .with_prometheus(config.prometheus_registry())
    .build();
    let (block_import, grandpa_link) = sc_consensus_grandpa::block_import(
        client.clone(),
        JUSTIFICATION_PERIOD,
        &client,
        select_chain.clone(),
        handle.clone(),
    )?;
    let import_queue = import_queue(config, &client, &block_import, &task_manager, handle)?;
    Ok(PartialComponents {
        client,
        backend,
        task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool: Arc::new(pool),
        other: Consensus { block_import, grandpa_link, telemetry },
    })
}

/// Checks blocks of others: Aura's seal first, then the runtime, then what GRANDPA says of them.
fn import_queue(
    config: &Configuration,
    client: &Arc<FullClient>,
    block_import: &GrandpaBlockImport,
    task_manager: &TaskManager,
    telemetry: Option<TelemetryHandle>,
) -> Result<ImportQueue> {
    let slot_duration = sc_consensus_aura::slot_duration(&**client)?;
    let params = sc_consensus_aura::ImportQueueParams {
        block_import: block_import.clone(),
        justification_import: Some(Box::new(block_import.clone())),
        client: client.clone(),
        create_inherent_data_providers: move |_, ()| async move { Ok(inherents(slot_duration)) },
        spawner: &task_manager.spawn_essential_handle(),
        registry: config.prometheus_registry(),
        check_for_equivocation: Default::default(),
        telemetry,
        compatibility_mode: Default::default(),
    };
    Ok(sc_consensus_aura::import_queue::<AuraPair, _, _, _, _, _>(params)?)
}

/// What every block says of its time: its slot and the clock.
pub fn inherents(slot_duration: SlotDuration) -> (InherentDataProvider, sp_timestamp::InherentDataProvider) {
    let timestamp = sp_timestamp::InherentDataProvider::from_system_time();
    (InherentDataProvider::from_timestamp_and_slot_duration(*timestamp, slot_duration), timestamp)
}

/// Starts the node over the network backend `Net`. A validator fills its blocks for
/// `fill_percent` of a slot.
pub fn new_full<Net: Backend>(mut config: Configuration, fill_percent: u8) -> Result<TaskManager> {
    let Parts {
        client,
        backend,
        mut task_manager,
        import_queue,
        keystore_container,
        select_chain,
        transaction_pool,
        other: Consensus { block_import, grandpa_link, mut telemetry },
    } = new_partial(&config)?;
    let nodes = Nodes::new(client.clone(), config.chain_spec.chain_type(), &mut config.network);
    let metrics = config.prometheus_registry().map(Metrics::register).transpose()?;
    let protocols = Protocols::<Net>::new(&config, &client.info().genesis_hash);
    let (grandpa, grandpa_messages) = (protocols.grandpa.clone(), protocols.grandpa_messages);
    let authority_set = grandpa_link.shared_authority_set().clone();
    let pool = Arc::new(CountedPool {
        pool: transaction_pool.clone(),
        refused: metrics.as_ref().map(|metrics| metrics.transactions_refused.clone()),
    });
    let plan = Plan {
        config: &config,
        client: &client,
        pool: &pool,
        warp_proof: Arc::new(NetworkProvider::new(backend.clone(), authority_set, Vec::new())),
        gate: Gate {
            answered: nodes.answered(),
            refused: metrics.as_ref().map(|metrics| metrics.requests_refused.clone()),
        },
    };
    let Network { service: network, sync, system_rpc, transactions } =
        plan.build::<Net>(protocols.config, protocols.metrics, import_queue, &task_manager)?;
    let node = Node {
        settings: Settings::of(&config),
        client: client.clone(),
        pool: transaction_pool,
        backend: backend.clone(),
        keystore: keystore_container.keystore(),
        network: network.clone(),
        sync: sync.clone(),
        telemetry: telemetry.as_ref().map(Telemetry::handle),
    };
    let voter = Voter::new(grandpa_link, grandpa, grandpa_messages);
    start_watchers(&task_manager, &node, nodes, metrics);
    sc_service::spawn_tasks(SpawnTasksParams {
        config,
        rpc_builder: Box::new(rpc_builder(&node, &voter)),
        client,
        backend,
        task_manager: &mut task_manager,
        keystore: keystore_container.keystore(),
        transaction_pool: pool,
        network,
        system_rpc_tx: system_rpc,
        tx_handler_controller: transactions,
        sync_service: sync,
        telemetry: telemetry.as_mut(),
        tracing_execute_block: None,
    })?;
    node.start_offchain_workers(&task_manager)?;
    node.start_authorship(&task_manager, select_chain, block_import, fill_percent)?;
    node.start_voter(&task_manager, voter)?;
    Ok(task_manager)
}

/// Follows the list of nodes, looks out for equivocation, and keeps the metrics up to date.
fn start_watchers(task_manager: &TaskManager, node: &Node, nodes: Nodes, metrics: Option<Metrics>) {
    let spawn = task_manager.spawn_handle();
    spawn.spawn("node-list", Some("networking"), nodes.follow(node.network.clone()));
    spawn.spawn("equivocation-reports", None, equivocation::watch(node.client.clone(), node.pool.clone()));
    if let Some(metrics) = metrics {
        spawn.spawn_blocking("ledger-metrics", None, metrics.observe(node.client.clone()));
    }
}

/// Makes the node's own JSON-RPC methods, for each of the SDK's two servers.
fn rpc_builder(
    node: &Node,
    voter: &Voter,
) -> impl Fn(Arc<dyn SpawnNamed>) -> Result<jsonrpsee::RpcModule<()>> {
    let (client, pool) = (node.client.clone(), node.pool.clone());
    let grandpa = rpc::GrandpaParts {
        authority_set: voter.link.shared_authority_set().clone(),
        voter_state: voter.state.clone(),
        justifications: voter.link.justification_stream(),
        backend: node.backend.clone(),
    };
    move |executor| rpc::module(client.clone(), pool.clone(), &grandpa, executor)
}
