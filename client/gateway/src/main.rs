//! `stipend-gateway`: see the crate's README.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, Subcommand};
use stipend_gateway::{
    chain::{Chain, SdkChain},
    config::{Config, Faults, Operate},
    telemetry::LogFilter,
    Reloads,
};
use tokio::{
    runtime::Runtime,
    signal::unix::{signal, SignalKind},
    sync::mpsc,
};

/// A request makes and drops hundreds of small things on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit status for a configuration that cannot be used: `EX_USAGE` of sysexits.
const EXIT_CONFIG: u8 = 64;

/// OpenAI-compatible gateway of a Stipend chain.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    /// The configuration file.
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,
    /// Check the configuration and exit.
    #[arg(long)]
    check: bool,
}

/// What the program does besides being a gateway.
#[derive(Subcommand)]
enum Command {
    /// Run one job of batch work: what a gateway puts into a Kubernetes Job.
    RunJob {
        /// Where the job's Secret is mounted.
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

fn main() -> ExitCode {
    match Options::parse() {
        Options { command: Some(Command::RunJob { dir }), .. } => run_job(&dir),
        Options { config: Some(path), check, .. } => serve(&path, check),
        // The parser asks for one of the two.
        _ => ExitCode::from(EXIT_CONFIG),
    }
}

fn run_job(dir: &Path) -> ExitCode {
    LogFilter::start(&Operate::default());
    ended(|runtime| Ok(runtime.block_on(stipend_gateway::run_job(dir))?))
}

fn serve(path: &Path, check: bool) -> ExitCode {
    let config = match Config::load(path) {
        Ok(config) => config,
        Err(faults) => {
            eprint!("stipend-gateway: {}: {faults}", path.display());
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    if check {
        return ExitCode::SUCCESS;
    }
    ended(|runtime| {
        let filter = LogFilter::start(&config.operate);
        runtime.block_on(run(path, config, filter))
    })
}

/// What the program's end says of how `work` ended.
fn ended(work: impl FnOnce(&Runtime) -> anyhow::Result<()>) -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("stipend-gateway: cannot start the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match work(&runtime) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stipend-gateway: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(path: &Path, config: Config, filter: LogFilter) -> anyhow::Result<()> {
    let reloads = Reloads::new(reread(path.to_owned())?, move |text| filter.set(text));
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let mut stop = Box::pin(stop);
    let chain = tokio::select! {
        chain = SdkChain::connect(&config.chain, config.signer.clone()) => Arc::new(chain),
        () = &mut stop => return Ok(()),
    };
    tracing::info!(genesis = ?chain.genesis(), gateway = %config.signer.address(), "connected to the chain");
    stipend_gateway::run(config, chain, reloads, stop, |address| {
        // Scripts wait for this line.
        let mut out = std::io::stdout().lock();
        let told = writeln!(out, "listening on http://{address}").and_then(|()| out.flush());
        if let Err(error) = told {
            tracing::warn!(%error, "cannot say where the gateway listens");
        }
    })
    .await?;
    Ok(())
}

/// The configuration as it stands in the file, at every `SIGHUP`.
fn reread(path: PathBuf) -> std::io::Result<mpsc::Receiver<Result<Config, Faults>>> {
    let mut hangups = signal(SignalKind::hangup())?;
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            if sender.send(Config::load(&path)).await.is_err() {
                return;
            }
        }
    });
    Ok(receiver)
}
