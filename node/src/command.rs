//! What each subcommand runs.

use std::net::TcpListener;

use sc_cli::{NetworkBackendType, Result, SubstrateCli};
use sc_network::{Litep2pNetworkBackend, NetworkWorker};
use sc_service::{config::RpcConfiguration, ChainType, Configuration, TaskManager};
use sp_core::H256;
use stipend_runtime::opaque::Block;

use crate::{
    cli::{Cli, Subcommand},
    service::{self, Parts},
};

/// Part of a slot to fill where other validators wait for the block.
const FILL_PERCENT: u8 = 50;

/// Part of a slot to fill on the development chain, whose one validator nobody waits for. A batch that
/// is begun just before takes a fifth of a slot, and the state root a tenth.
const FILL_PERCENT_ALONE: u8 = 60;

/// Reads the arguments and runs what they ask for.
pub fn run() -> Result<()> {
    let cli = Cli::read();
    match &cli.subcommand {
        None => run_node(&cli),
        Some(Subcommand::Key(cmd)) => cmd.run(&cli),
        Some(Subcommand::ExportChainSpec(cmd)) => cmd.run(cli.load_spec(&cmd.chain)?),
        Some(Subcommand::ChainInfo(cmd)) => {
            cli.create_runner(cmd)?.sync_run(|config| cmd.run::<Block>(&config))
        }
        Some(Subcommand::PurgeChain(cmd)) => {
            cli.create_runner(cmd)?.sync_run(|config| cmd.run(config.database))
        }
        Some(Subcommand::CheckBlock(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let Parts { client, task_manager, import_queue, .. } = service::new_partial(&config)?;
            Ok((cmd.run(client, import_queue), task_manager))
        }),
        Some(Subcommand::ImportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let Parts { client, task_manager, import_queue, .. } = service::new_partial(&config)?;
            Ok((cmd.run(client, import_queue), task_manager))
        }),
        Some(Subcommand::ExportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let Parts { client, task_manager, .. } = service::new_partial(&config)?;
            Ok((cmd.run(client, config.database), task_manager))
        }),
        Some(Subcommand::ExportState(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let Parts { client, task_manager, .. } = service::new_partial(&config)?;
            Ok((cmd.run(client, config.chain_spec), task_manager))
        }),
        Some(Subcommand::Revert(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
            let Parts { client, task_manager, backend, .. } = service::new_partial(&config)?;
            let revert_votes = Box::new(|client, _, blocks| {
                sc_consensus_grandpa::revert(client, blocks)?;
                Ok(())
            });
            Ok((cmd.run(client, backend, Some(revert_votes)), task_manager))
        }),
        #[cfg(feature = "runtime-benchmarks")]
        Some(Subcommand::Benchmark(cmd)) => crate::benchmarking::run(&cli, cmd),
    }
}

/// Runs the node until it is told to stop. On SIGINT or SIGTERM, tasks are told to end, finish the
/// block they are at, and the database is closed.
fn run_node(cli: &Cli) -> Result<()> {
    let backend = cli.run.network_params.network_backend;
    cli.create_runner(&cli.run)?.run_node_until_exit(|config| async move {
        start(config, backend, cli.fill_percent).map_err(sc_cli::Error::Service)
    })
}

fn start(
    mut config: Configuration,
    backend: NetworkBackendType,
    fill_percent: Option<u8>,
) -> service::Result<TaskManager> {
    insist_on_ports(&mut config.rpc)?;
    let fill_percent = fill_percent.unwrap_or(match config.chain_spec.chain_type() {
        ChainType::Development => FILL_PERCENT_ALONE,
        _ => FILL_PERCENT,
    });
    match backend {
        NetworkBackendType::Libp2p => service::new_full::<NetworkWorker<Block, H256>>(config, fill_percent),
        NetworkBackendType::Litep2p => service::new_full::<Litep2pNetworkBackend>(config, fill_percent),
    }
}

/// Has the node end where the SDK's JSON-RPC server would quietly take a random port instead of one
/// that is taken: whoever was told the port would reach another node.
fn insist_on_ports(rpc: &mut RpcConfiguration) -> service::Result<()> {
    for endpoint in rpc.addr.iter_mut().flatten() {
        endpoint.retry_random_port = false;
        let address = endpoint.listen_addr;
        match TcpListener::bind(address) {
            Err(fault) if !endpoint.is_optional => {
                return Err(sc_service::Error::Other(format!(
                    "JSON-RPC cannot listen on {address}: {fault}. If another node runs here, choose another \
                     port with --rpc-port."
                )))
            }
            _ => (),
        }
    }
    Ok(())
}
