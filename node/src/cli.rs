//! Flags, and the defaults that differ from the SDK's.

use std::ffi::OsString;

use sc_cli::{
    clap::{self, CommandFactory, FromArgMatches},
    RunCmd, SubstrateCli,
};

/// Defaults of ours for flags of the SDK; each can still be set on the command line.
///
/// A batch of 100,000 receipts is 4 MB of transaction and 8 MB of hex in JSON, and all gateways
/// send one every second. The SDK's defaults are made for transactions of a few hundred bytes.
const DEFAULTS: [(&str, &[&str]); 9] = [
    // Seven of the largest batches in one JSON-RPC batch, or a whole block's storage, in MiB.
    ("rpc_max_request_size", &["64"]),
    ("rpc_max_response_size", &["64"]),
    // Ready transactions: 512 MiB is half a minute of full blocks; a twelfth of that may wait for
    // batches before them. Beyond it, gateways keep their batches, which they do durably.
    ("pool_kbytes", &["524288"]),
    ("pool_limit", &["16384"]),
    // A gateway sends a refused batch again with the same bytes, for example when it was over the
    // limit of unsettled batches. The SDK's half hour would lock it out long after the cause is gone.
    ("tx_ban_seconds", &["5"]),
    // The backend with the longer history in production; `litep2p` is one flag away.
    ("network_backend", &["libp2p"]),
    // A hundred calls a second and connection: far more than a wallet page or a gateway makes, far less
    // than one caller could make to keep everybody else waiting. Programs of this host are trusted.
    ("rpc_rate_limit", &["6000"]),
    ("rpc_rate_limit_whitelisted_ips", &["127.0.0.0/8", "::1/128"]),
    // Hundreds of wallets and services may watch one node.
    ("rpc_max_connections", &["1000"]),
];

/// The Stipend node.
#[derive(Debug, clap::Parser)]
pub struct Cli {
    /// What to do instead of running the node.
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,

    /// Flags of a running node.
    #[clap(flatten)]
    pub run: RunCmd,

    /// Part of a slot, in percent, in which a validator takes transactions into its block.
    ///
    /// The other validators have to fetch and execute the block before the slot is over, so half
    /// is the most that several validators can use: the default. A lone validator waits for
    /// nobody: 60 is the default on the development chain.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(10..=80))]
    pub fill_percent: Option<u8>,
}

/// Everything else that the node's program does.
#[derive(Debug, clap::Subcommand)]
pub enum Subcommand {
    /// Generate, inspect and insert keys.
    #[command(subcommand)]
    Key(sc_cli::KeySubcommand),

    /// Write a chain specification.
    ExportChainSpec(sc_cli::ExportChainSpecCmd),

    /// Show what the database holds.
    ChainInfo(sc_cli::ChainInfoCmd),

    /// Execute a block again and compare.
    CheckBlock(sc_cli::CheckBlockCmd),

    /// Write blocks to a file.
    ExportBlocks(sc_cli::ExportBlocksCmd),

    /// Write the state of a block as a chain specification.
    ExportState(sc_cli::ExportStateCmd),

    /// Read blocks from a file.
    ImportBlocks(sc_cli::ImportBlocksCmd),

    /// Remove the database.
    PurgeChain(sc_cli::PurgeChainCmd),

    /// Undo blocks that are not final.
    Revert(sc_cli::RevertCmd),

    /// Measure weights.
    #[cfg(feature = "runtime-benchmarks")]
    #[command(subcommand)]
    Benchmark(frame_benchmarking_cli::BenchmarkCmd),
}

impl Cli {
    /// Reads the program's arguments; prints help, version or what is wrong with them and ends.
    pub fn read() -> Self {
        Self::parse(std::env::args_os()).unwrap_or_else(|error| error.exit())
    }

    /// Reads arguments with our defaults under the SDK's flags.
    fn parse<Arg: Into<OsString> + Clone>(args: impl IntoIterator<Item = Arg>) -> clap::error::Result<Self> {
        let mut command = <Self as SubstrateCli>::setup_command(<Self as CommandFactory>::command());
        for (flag, values) in DEFAULTS {
            command = command.mut_arg(flag, |arg| arg.default_values(values.iter().copied()));
        }
        Self::from_arg_matches(&command.try_get_matches_from(args)?)
    }
}

impl SubstrateCli for Cli {
    fn impl_name() -> String {
        "Stipend Node".into()
    }

    fn impl_version() -> String {
        env!("SUBSTRATE_CLI_IMPL_VERSION").into()
    }

    fn description() -> String {
        "A private chain that keeps employees' AI-compute entitlements.".into()
    }

    fn author() -> String {
        env!("CARGO_PKG_AUTHORS").into()
    }

    fn support_url() -> String {
        "README.md, SECURITY.md".into()
    }

    fn copyright_start_year() -> i32 {
        2026
    }

    fn load_spec(&self, id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
        Ok(Box::new(crate::chain_spec::load(id)?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use sc_cli::{CliConfiguration, NetworkBackendType};

    fn cli(flags: &[&str]) -> clap::error::Result<Cli> {
        Cli::parse(["stipend-node"].iter().chain(flags).copied())
    }

    #[test]
    fn defaults_carry_batches_of_many_megabytes() {
        let run = cli(&[]).unwrap().run;
        assert_eq!(run.rpc_max_request_size().unwrap(), 64);
        assert_eq!(run.rpc_max_response_size().unwrap(), 64);
        assert_eq!(run.pool_config.pool_kbytes, 512 * 1024);
        assert_eq!(run.pool_config.tx_ban_seconds, Some(5));
        assert!(matches!(run.network_params.network_backend, NetworkBackendType::Libp2p));
    }

    #[test]
    fn a_flag_wins_over_our_default() {
        let run = cli(&["--network-backend", "litep2p", "--rpc-max-request-size", "7"]).unwrap().run;
        assert!(matches!(run.network_params.network_backend, NetworkBackendType::Litep2p));
        assert_eq!(run.rpc_max_request_size().unwrap(), 7);
    }

    #[test]
    fn callers_from_elsewhere_are_limited_unless_the_operator_says_otherwise() {
        let run = cli(&[]).unwrap().run;
        assert_eq!(run.rpc_rate_limit().unwrap().map(|limit| limit.get()), Some(6_000));
        let trusted = run.rpc_rate_limit_whitelisted_ips().unwrap();
        let is_trusted =
            |ip: &str| trusted.iter().any(|net| net.contains(ip.parse::<std::net::IpAddr>().unwrap()));
        assert!(is_trusted("127.0.0.1") && is_trusted("::1") && !is_trusted("10.0.0.1"));
        let run = cli(&["--rpc-rate-limit", "60"]).unwrap().run;
        assert_eq!(run.rpc_rate_limit().unwrap().map(|limit| limit.get()), Some(60));
    }

    #[test]
    fn unsafe_methods_are_for_this_host_alone_unless_asked_for() {
        let methods = |flags: &[&str]| cli(flags).unwrap().run.rpc_methods().unwrap();
        assert!(matches!(methods(&[]), sc_service::RpcMethods::Auto));
        assert!(matches!(methods(&["--rpc-external"]), sc_service::RpcMethods::Auto));
        assert!(matches!(methods(&["--rpc-methods", "unsafe"]), sc_service::RpcMethods::Unsafe));
    }

    #[test]
    fn an_endpoint_of_its_own_can_be_configured_beside_our_defaults() {
        let endpoint = "listen-addr=127.0.0.1:9955,rate-limit=100,methods=safe";
        assert!(cli(&["--experimental-rpc-endpoint", endpoint]).is_ok());
    }

    #[test]
    fn the_database_is_parity_db() {
        let run = cli(&[]).unwrap().run;
        let database = run.database().unwrap().unwrap_or(sc_cli::Database::ParityDb);
        assert!(matches!(database, sc_cli::Database::ParityDb));
        assert!(cli(&["--database", "rocksdb"]).is_err());
    }

    #[test]
    fn telemetry_is_off_unless_asked_for() {
        let spec: Box<dyn sc_service::ChainSpec> = Box::new(crate::chain_spec::load("dev").unwrap());
        assert!(cli(&[]).unwrap().run.telemetry_endpoints(&spec).unwrap().is_none());
    }

    #[test]
    fn a_fill_percent_that_leaves_no_time_to_finish_is_refused() {
        assert!(cli(&["--fill-percent", "81"]).is_err());
        assert_eq!(cli(&["--fill-percent", "80"]).unwrap().fill_percent, Some(80));
    }
}
